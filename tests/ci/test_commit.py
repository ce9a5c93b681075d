from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from ci import commit
from ci.commit import Left, copy_out, pytest_command, run_session
from qa.errors import InfrastructureError, MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path


def leaving(*, code: int, note: str | None = None) -> list[str]:
    """Return a command that leaves a note, if any, and ends with a code."""
    write = f"open(sys.argv[1], 'w').write({note!r}); " if note is not None else ""
    return [sys.executable, "-c", f"import sys; {write}sys.exit({code})"]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list that holds the command which stands in for pytest."""
    command: list[str] = []
    monkeypatch.setattr(commit, "pytest_command", lambda _options, *, note: [*command, str(note)])
    return command


def test_the_exit_code_is_that_of_the_run(session: list[str], tmp_path: Path) -> None:
    """Whatever pytest ends with, the note of the run says how it went."""
    session += leaving(code=1, note=json.dumps({"report": str(tmp_path), "exit_code": 4}))
    assert run_session([]) == Left(tmp_path, 4)


@pytest.mark.parametrize(("theirs", "ours"), [(0, 0), (2, 2), (3, 3), (4, 2), (5, 0)])
def test_without_a_run_the_code_is_translated(session: list[str], theirs: int, ours: int) -> None:
    """A wrong option of pytest is a wrong request; a session without tests is none that failed."""
    session += leaving(code=theirs)
    assert run_session([]) == Left(None, ours)


def test_a_session_that_is_killed_is_an_infrastructure_failure(session: list[str]) -> None:
    """Out of memory is not a pass."""
    session += [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    assert run_session([]) == Left(None, 3)


def test_an_interruption_reaches_the_session(session: list[str], tmp_path: Path) -> None:
    """The session is told to end, and has ended when that is told."""
    sign = tmp_path / "interrupted"
    body = "import signal, time\nsignal.signal(signal.SIGTERM, signal.default_int_handler)\ntry: time.sleep(60)\n"
    session += [sys.executable, "-c", f"{body}except KeyboardInterrupt: open({str(sign)!r}, 'w')"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    assert run_session([]) == Left(None, 130)
    timer.join()
    signal.signal(signal.SIGINT, before)
    assert sign.exists()


def test_a_missing_pytest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line names the extra to install."""
    monkeypatch.setattr(commit.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"obsqa\[commit\]"):
        run_session([])


def test_no_setting_of_the_caller_has_a_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the working folder's configuration and conftest nor PYTEST_ADDOPTS changes what is checked."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option-either")
    command = [*pytest_command(["--help"], note=tmp_path / "note"), "--basetemp", str(tmp_path / "b")]
    done = subprocess.run(command, cwd=tmp_path, env=dict(commit._environment()), capture_output=True, check=False)
    assert done.returncode == 0
    assert b"--obsqa-camera" in done.stdout


def test_reports_are_copied_where_they_are_wanted(tmp_path: Path) -> None:
    """JUnit XML and Markdown go where a CI system looks for them; folders are made."""
    report = tmp_path / "report"
    report.mkdir()
    (report / "junit.xml").write_text("<testsuites/>")
    (report / "summary.md").write_text("# PASS")
    copy_out(Left(report, 0), junit=tmp_path / "out" / "j.xml", markdown=tmp_path / "out" / "s.md")
    assert (tmp_path / "out" / "j.xml").read_text() == "<testsuites/>"
    assert (tmp_path / "out" / "s.md").read_text() == "# PASS"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """One line names the file."""
    (tmp_path / "summary.md").write_text("# PASS")
    (tmp_path / "file").touch()
    with pytest.raises(InfrastructureError, match="must be a file that can be written"):
        copy_out(Left(tmp_path, 0), junit=None, markdown=tmp_path / "file" / "s.md")
