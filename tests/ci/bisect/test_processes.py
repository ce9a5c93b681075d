from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ci.bisect.processes import last_words, run_logged, without_secrets
from qa.errors import EngineError


def run(tmp_path: Path, *command: str, timeout: float | None = None) -> object:
    """Run a command in an empty folder."""
    return run_logged(command, cwd=tmp_path, env=os.environ, log=tmp_path / "log", timeout=timeout)


def test_a_command_is_logged_and_timed(tmp_path: Path) -> None:
    """What it says goes into the log; the last line is what is quoted."""
    ended = run(tmp_path, "sh", "-c", "echo one; echo two >&2; echo; exit 3")
    assert (ended.exit_code, ended.ending) == (3, "ended with exit code 3")
    assert ended.cpu_seconds >= 0
    assert last_words(tmp_path / "log") == "two"
    assert run(tmp_path, "true").ending == ""
    assert last_words(tmp_path / "log") == "it said nothing"


def test_arguments_are_not_read_by_a_shell(tmp_path: Path) -> None:
    """A list of arguments stays one."""
    run(tmp_path, "echo", "$(touch x); `touch y` && touch z")
    assert {path.name for path in tmp_path.iterdir()} == {"log"}
    assert last_words(tmp_path / "log") == "$(touch x); `touch y` && touch z"


def test_what_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    """Nothing is left running in the background."""
    script = "sleep 60 & echo $!; wait"
    ended = run(tmp_path, "sh", "-c", script, timeout=0.2)
    assert ended.ending == "took longer than 0.2 s"
    child = int(last_words(tmp_path / "log"))
    for _ in range(200):  # killed, and perhaps not yet taken from the table of processes
        stat = Path(f"/proc/{child}/stat")
        if not stat.exists() or stat.read_text().split()[2] == "Z":
            return
        time.sleep(0.01)
    pytest.fail("the child is still there")


def test_a_signal_has_its_name(tmp_path: Path) -> None:
    """A crash is told as one."""
    assert run(tmp_path, "sh", "-c", "kill -SEGV $$").ending == "died (SIGSEGV)"


def test_a_command_that_is_none_is_told(tmp_path: Path) -> None:
    """That is nothing to skip."""
    with pytest.raises(EngineError, match="must be a command that can be started, found: No such file"):
        run(tmp_path, "no-such-command")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("clone https://me:pass@example.org/x failed", "clone https://***@example.org/x failed"),
        ("TOKEN=abc123 and API_KEY: xyz", "TOKEN=*** and API_KEY: ***"),
        ("nothing to hide at https://example.org/x", "nothing to hide at https://example.org/x"),
    ],
)
def test_secrets_are_blacked_out(text: str, shown: str) -> None:
    """What is quoted from a log has no passwords in it."""
    assert without_secrets(text) == shown
