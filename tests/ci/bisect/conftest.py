"""A made-up stack: small Python packages in real git repositories, a script that uses them, and two runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qa.journal import FILE_NAME, Journal
from qa.model import Lane, Plan, Stage, Step, StepOutcome, StepStatus, Trigger
from qa.record import Measured, RunStarted, StepFinished
from qa.testing import NOW, Clock, a_measurement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "bisect.md"

PRELUDE = """
import pathlib, sys, time
count = pathlib.Path(sys.argv[2])
with count.open("a") as log:
    log.write("x")
time.sleep(0.1 * count.with_name("slow").exists())
"""
"""Counts how often the pipeline was run, and may make it slow."""


def block(language: str, number: int = 0) -> str:
    """Return a block of the documentation's example."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)[number]


GOOD = {"calibrate": "SCATTER = 5.0", "detect": "CLIPPED = False", "measure": "WEIGHTED = False"}


def git(folder: Path, *arguments: str, text: str = "") -> str:
    """Run git and return what it says."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], input=text, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def a_repository(folder: Path, name: str, versions: Sequence[str], path: str) -> list[str]:
    """Make a repository with a commit for each text of one file, and return their SHAs, oldest first."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    stream = []
    for number, body in enumerate(versions):
        content = f"{body}\n# {number}\n"
        when = f"{int(NOW.timestamp()) + 3600 * number} +0000"
        subject = f"{name}: change {number}"
        stream += ["commit refs/heads/main", f"committer The Author <author@example.org> {when}"]
        stream += [f"data {len(subject)}", subject]
        stream += [f"M 100644 inline {path}", f"data {len(content)}", content]
        stream += [f"M 100644 inline {path.rpartition('/')[0]}/__init__.py", "data 0", ""]
    git(folder, "fast-import", "--quiet", text="\n".join(stream) + "\n")
    return git(folder, "rev-list", "--reverse", "main").split()


def a_run(folder: Path, *, value: float, facts: Mapping[str, str], day: int, camera: str) -> None:
    """Write the journal of a run that measured PA1 of one camera."""
    steps = tuple(Step(camera, "twin", stage) for stage in Stage)
    plan = Plan(folder.name, Lane.NIGHTLY, Trigger(), NOW, steps)
    with Journal(folder / FILE_NAME, Clock(NOW + timedelta(days=day))) as journal:
        journal.append(RunStarted(plan, dict(facts)))
        journal.append(Measured(camera, "twin", (a_measurement(value, camera=camera),)))
        for step in steps:
            journal.append(StepFinished(StepOutcome(step, StepStatus.DONE, 3.0, 2.0, 100.0)))


@dataclass
class Stack:
    """The packages' commits, and the command line of a bisect between the runs `good` and `bad`."""

    folder: Path
    commits: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, versions: Sequence[str], *, path: str = "python/{name}.py") -> None:
        """Add a package with a commit for each version of its module."""
        self.commits[name] = a_repository(self.folder / name, name, versions, path.format(name=name))

    def git(self, name: str, *arguments: str) -> str:
        """Run git in a package, as its author."""
        author = ("-c", "user.name=The Author", "-c", "user.email=author@example.org")
        return git(self.folder / name, *author, *arguments)

    def commit(self, name: str, body: str, subject: str) -> str:
        """Add a commit to what is checked out, and return its SHA."""
        (self.folder / name / "python").mkdir(exist_ok=True)
        (self.folder / name / "python" / f"{name}.py").write_text(f"{body}\n# {subject}\n")
        self.git(name, "add", ".")
        self.git(name, "commit", "--quiet", "-m", subject)
        return self.git(name, "rev-parse", "HEAD")

    def runs(
        self, *, before: float = 5.0, after: float = 7.0, camera: str = "testcam", **others: tuple[str, str]
    ) -> None:
        """Write the two runs, from the first to the last commit of every package."""
        shutil.rmtree(self.folder / "runs", ignore_errors=True)
        for run, place, value in (("good", 0, before), ("bad", -1, after)):
            facts = {f"package {name}": shas[place][:12] for name, shas in self.commits.items()}
            facts |= {name: pair[place] for name, pair in others.items()}
            # obsqa's own package goes by the revision of its checkout.
            facts |= {"revision": facts["package obsqa"]} if "package obsqa" in facts else {}
            a_run(self.folder / "runs" / run, value=value, facts=facts, day=-place, camera=camera)

    @property
    def command(self) -> list[str]:
        """The script and its arguments."""
        return [sys.executable, "-S", str(self.folder / "pipeline.py"), "{out}", str(self.folder / "count")]

    def line(self, *options: str, command: Sequence[str] = ()) -> list[str]:
        """Return the command line of a bisect."""
        packages = [part for name in self.commits for part in ("--package", f"{name}={self.folder / name}")]
        runs = ["--runs", str(self.folder / "runs")]
        return ["bisect", "good", "bad", *runs, *packages, "--yes", *options, "--", *(command or self.command)]

    @property
    def count(self) -> int:
        """How often the pipeline was run."""
        path = self.folder / "count"
        return len(path.read_text()) if path.exists() else 0


@pytest.fixture
def example() -> tuple[str, str, str]:
    """Return the packages' file, the plan and the answer of the documentation's example."""
    return block("yaml"), block("text", 0), block("text", 1)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """Return a stack without packages."""
    (tmp_path / "pipeline.py").write_text(PRELUDE + block("python"))
    return Stack(tmp_path)


@pytest.fixture
def one_bad(stack: Stack) -> Stack:
    """Return a stack in which change 23 of 40 in `calibrate` raises the scatter."""
    stack.add("calibrate", ["SCATTER = 5.0"] * 23 + ["SCATTER = 7.0"] * 17)
    stack.add("detect", [GOOD["detect"]] * 30)
    stack.add("measure", [GOOD["measure"]] * 20)
    stack.runs()
    return stack


@pytest.fixture
def interacting(stack: Stack) -> Stack:
    """Return a stack in which change 11 of `detect` and change 17 of `measure` raise the scatter together only."""
    stack.add("calibrate", [GOOD["calibrate"]] * 10)
    stack.add("detect", ["CLIPPED = False"] * 11 + ["CLIPPED = True"] * 19)
    stack.add("measure", ["WEIGHTED = False"] * 17 + ["WEIGHTED = True"] * 13)
    stack.runs()
    return stack
