"""Small faults, planted one at a time in the pure core: how many of them do its tests notice.

usage: python benchmarks/mutation.py [--least PERCENT] [--survivors] [--jobs N] [MODULE ...]

MODULE is a file or a folder of the checkout (`qa/judging/compare.py`, `qa/changes`); without any, all of `CORE`. mutmut
plants the faults, in a copy of the checkout in a temporary folder; each module is tested by the tests that mirror it.
Ends with 1 when fewer than `--least` percent of a module's mutants are killed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("ci", "obs_registry", "qa", "reports")
CORE = (
    "qa/judging/compare.py",
    "qa/judging/verdict.py",
    "qa/judging/findings.py",
    "qa/judging/validity.py",
    "qa/judging/confirmation.py",
    "qa/judging/policy.py",
    "qa/judging/spread.py",
    "qa/judging/in_unit.py",
    "qa/changes",
    "qa/blame",
    "qa/requirements/ladder.py",
)
LEAST = 90.0
MUTMUT = (sys.executable, "-P", "-m", "mutmut")
"""Without -P the folder it works in would come first, and the tests would import what was not mutated."""

SPINNER = frozenset("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
SURVIVED, UNTESTED = 0, frozenset({5, 33})
"""Exit codes of the tests of one mutant, as mutmut notes them: nothing noticed it, or no test runs it."""


@dataclass(frozen=True, slots=True)
class Score:
    """What became of a module's mutants."""

    module: str
    killed: int
    survivors: tuple[str, ...]

    @property
    def percent(self) -> float:
        """Share of the mutants that the tests noticed; all of none."""
        total = self.killed + len(self.survivors)
        return 100.0 * self.killed / total if total else 100.0


def modules_of(names: list[str], root: Path) -> list[str]:
    """Return the Python files that names of files and folders stand for."""
    found: list[str] = []
    for name in names:
        path = root / name
        if not path.exists():
            sys.exit(f"mutation: {name} must be a file or a folder of the checkout, found none")
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        found += [str(file.relative_to(root)) for file in files if file.name != "__init__.py"]
    return found


def tests_of(module: str, root: Path) -> str:
    """Return the tests that mirror a module: those of its folder where it is part of a package below `qa`."""
    path = Path(module)
    single = Path("tests") / path.parent / f"test_{path.stem}.py"
    folder = Path("tests") / path.parent
    chosen = folder if len(path.parent.parts) > 1 and not (root / single).is_file() else single
    if not (root / chosen).exists():
        sys.exit(f"mutation: the tests of {module} must be at {single}, found none")
    return str(chosen)


def copy_checkout(target: Path) -> None:
    """Copy what git tracks or would track: neither runs nor compiled code come along."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)


def configure(target: Path, modules: list[str]) -> None:
    """Tell mutmut, in the copy, what to change and which tests to run."""
    settings = {
        "source_paths": list(SOURCES),
        "only_mutate": modules,
        "also_copy": ["regression_data", "tests"],
        "pytest_add_cli_args_test_selection": sorted({tests_of(module, target) for module in modules}),
        "timeout_constant": 10.0,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    with (target / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write("\n[tool.mutmut]\n" + "\n".join(lines) + "\n")


def plant(target: Path, jobs: int) -> None:
    """Let mutmut plant and try all mutants; its progress goes to a log."""
    log = target / "mutmut.log"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [*MUTMUT, "run", "--max-children", str(jobs)]
    with log.open("w") as stream:
        done = subprocess.run(
            command, cwd=target, stdout=stream, stderr=subprocess.STDOUT, env=environment, check=False
        )
    if done.returncode:
        lines = log.read_text().replace("\r", "\n").splitlines()
        tail = [line for line in lines if line[:1] not in SPINNER][-40:]
        sys.exit("\n".join([*tail, f"mutation: mutmut must end with 0, found {done.returncode}"]))


def score(target: Path, module: str) -> Score:
    """Read what became of a module's mutants; what ran into its time limit was noticed."""
    meta = target / "mutants" / f"{module}.meta"
    codes: dict[str, int | None] = json.loads(meta.read_text())["exit_code_by_key"] if meta.is_file() else {}
    unnoticed = {name for name, code in codes.items() if code is None or code == SURVIVED or code in UNTESTED}
    return Score(module, len(codes) - len(unnoticed), tuple(sorted(unnoticed)))


def difference(target: Path, name: str) -> str:
    """Return what a mutant changes."""
    command = [*MUTMUT, "show", name]
    shown = subprocess.run(command, cwd=target, capture_output=True, text=True, check=False)
    return "\n".join(line for line in shown.stdout.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"})


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--least", type=float, default=LEAST, help="percentage of killed mutants that is asked for")
    parser.add_argument("--survivors", action="store_true", help="show what the survivors change")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="obsqa-mutation-") as folder:
        target = Path(folder)
        copy_checkout(target)
        modules = modules_of(options.modules or list(CORE), target)
        configure(target, modules)
        plant(target, options.jobs)
        scores = [score(target, module) for module in modules]
        for one in scores:
            print(f"{one.module:40s} {one.killed:5d} killed {len(one.survivors):5d} survived {one.percent:6.1f} %")
            for name in one.survivors if options.survivors else ():
                print(f"\n{name}\n{difference(target, name)}")
    total = Counter(killed=sum(one.killed for one in scores), survived=sum(len(one.survivors) for one in scores))
    print(f"{'all':40s} {total['killed']:5d} killed {total['survived']:5d} survived")
    return int(any(one.percent < options.least for one in scores))


if __name__ == "__main__":
    sys.exit(main())
