"""`obsqa commit` from its options to its exit code: a pytest process of its own, and what it left."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import InfrastructureError, MissingExtraError
from qa.judging.verdict import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUITE = Path(__file__).resolve().parent / "suite"
NEEDED = {"pytest": "pytest", "pytest_benchmark": "pytest-benchmark"}
USAGE, NOTHING_COLLECTED = 4, 5
"""Exit codes of pytest: its options were wrong, and no test was found."""
INTERRUPTED = 130
PATIENCE = 60.0
"""How long a session that is told to end may take to end its processes (s)."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a session left: the folder of its report, None if it came to none, and the exit code."""

    report: Path | None
    code: int


def pytest_command(options: Sequence[str], *, note: Path) -> list[str]:
    """Return the argument list of the session; no plugin, conftest or setting of the working folder has a say in it."""
    return [
        *(sys.executable, "-m", "pytest", "-p", "ci.suite.plugin", "-p", "pytest_benchmark.plugin"),
        *("-c", str(SUITE / "session.ini"), "--rootdir", str(SUITE / "checks"), "--noconftest"),
        *("-p", "no:cacheprovider", "--import-mode=importlib", "--benchmark-enable", "--benchmark-quiet"),
        *("--obsqa-note", str(note), *options),
    ]


def run_session(options: Sequence[str], *, quiet: bool = False) -> Left:
    """Run the session; its output is ours, or with `quiet` goes to stderr.

    When we are told to end, it is told too; what it left by then is returned with the exit code `INTERRUPTED`.

    Raises
    ------
    MissingExtraError
        If pytest is not installed.
    """
    for module in NEEDED:
        if importlib.util.find_spec(module) is None:
            extra = "commit"
            raise MissingExtraError(extra, module)
    with tempfile.TemporaryDirectory(prefix="obsqa-commit-") as scratch:
        note = Path(scratch) / "note.json"
        command = [*pytest_command(options, note=note), f"--basetemp={scratch}/tests"]
        code = _wait(subprocess.Popen(command, env=_environment(), stdout=2 if quiet else None, start_new_session=True))
        return _left(note, code)


def _environment() -> Mapping[str, str]:
    """Return the session's environment: only the plugins that are named, and none of a caller's options."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for the session; when we are told to end, it is told too, and keeps what is finished."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()  # SIGINT is ignored by what a shell began in the background
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        return INTERRUPTED
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _left(note: Path, code: int) -> Left:
    if not note.is_file():
        usual = {NOTHING_COLLECTED: int(ExitCode.PASS), USAGE: 2}
        return Left(None, usual.get(code, code if code >= 0 else int(ExitCode.INFRASTRUCTURE)))
    found = json.loads(note.read_bytes())
    return Left(Path(found["report"]), int(found["exit_code"]) or (int(ExitCode.INFRASTRUCTURE) if code < 0 else 0))


def copy_out(left: Left, *, junit: Path | None, markdown: Path | None) -> None:
    """Copy the report's JUnit XML and Markdown to where others look for them.

    Raises
    ------
    InfrastructureError
        If they cannot be written there.
    """
    if left.report is None:
        return
    for name, target in (("junit.xml", junit), ("summary.md", markdown)):
        source = left.report / name
        if target is None or not source.is_file():
            continue
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        except OSError as error:
            msg = f"{target}: must be a file that can be written, found: {error.strerror or error}; name another"
            raise InfrastructureError(msg) from error
