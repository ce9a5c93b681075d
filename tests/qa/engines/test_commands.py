from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from obs_registry.model import Runtime
from qa.engines.commands import Command, Exit, LocalRunner, environment, runner_for


def run(folder: Path, *argv: str, setup: Path | None = None, timeout: float = 60.0, stop: bool = False) -> Exit:
    """Run a command in a folder."""
    wanted = Event()
    if stop:
        wanted.set()
    return LocalRunner(setup).run(Command(argv, folder, log=folder / "logs" / "log", timeout=timeout), stop=wanted)


def alive(pid: int) -> bool:
    """Tell whether a process is there and no mere entry in the table."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_for(path: Path) -> str:
    """Return what a file says once it says something."""
    for _ in range(600):
        with suppress(OSError):
            if text := path.read_text():
                return text
        time.sleep(0.05)
    pytest.fail(f"nothing came to {path.name}")


def test_what_a_command_prints_goes_to_its_log_and_to_the_caller_line_by_line(tmp_path: Path) -> None:
    """Both streams are one log; a log is continued, not begun anew."""
    seen: list[str] = []
    command = Command(("sh", "-c", "echo one; echo two >&2; printf three"), tmp_path, log=tmp_path / "log", timeout=60)
    for _ in range(2):
        ended = LocalRunner().run(command, stop=Event(), line=seen.append)
        assert (ended.code, ended.reason) == (0, "")
    assert seen == ["one", "two", "three"] * 2
    assert (tmp_path / "log").read_text() == "one\ntwo\nthree" * 2


def test_what_a_command_and_its_children_cost_is_known(tmp_path: Path) -> None:
    """CPU time and peak memory are those of the children as well."""
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'bytearray(2**27); sum(range(10**6))'])"
    ended = run(tmp_path, sys.executable, "-c", program)
    assert ended.peak_mib > 128
    assert ended.cpu_seconds > 0
    assert ended.wall_seconds > 0


@pytest.mark.parametrize(
    ("argv", "code", "reason"),
    [
        (("sh", "-c", "exit 3"), 3, "ended with exit code 3"),
        (("no-such-program",), 127, "no-such-program was not found (exit code 127)"),
        (("sh", "-c", "kill -SEGV $$"), 139, "killed by SIGSEGV"),
        (("sh", "-c", "kill -KILL $$"), 137, "killed by SIGKILL; was the machine out of memory?"),
    ],
)
def test_how_a_command_ended_is_one_line(tmp_path: Path, argv: tuple[str, ...], code: int, reason: str) -> None:
    """What a command does is told, and never raised."""
    ended = run(tmp_path, *argv)
    assert (ended.code, ended.reason) == (code, reason)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A command cannot be started in a folder that is gone."""
    ended = LocalRunner().run(Command(("true",), tmp_path / "gone", log=tmp_path / "log", timeout=9), stop=Event())
    assert ended.reason == f"true cannot be started in {tmp_path / 'gone'}: No such file or directory"


def test_a_command_that_takes_too_long_is_ended_with_all_it_began(tmp_path: Path) -> None:
    """Neither a child that does not mind being told to end nor one that left its session goes on."""
    script = "setsid sleep 600 & echo $! >away; trap '' TERM; sleep 600 & echo $! >child; wait; wait"
    ended = run(tmp_path, "sh", "-c", script, timeout=0.5)
    assert ended.reason == "took longer than 0.5 s and was ended"
    assert ended.code != 0
    assert not alive(int((tmp_path / "away").read_text()))
    assert not alive(int((tmp_path / "child").read_text()))


def test_a_command_that_is_no_longer_wanted_is_ended(tmp_path: Path) -> None:
    """A night that is told to end does not wait for its commands, and they may end well."""
    ended = run(tmp_path, "sh", "-c", "trap 'echo tidied >tidy; exit 0' TERM; sleep 600 & wait", stop=True)
    assert ended.reason == "was ended with the night"


def test_what_a_command_leaves_in_the_background_ends_with_it(tmp_path: Path) -> None:
    """A command that ended well is over, with its daemons."""
    assert run(tmp_path, "sh", "-c", "setsid sleep 600 & echo $! >away").code == 0
    assert not alive(int((tmp_path / "away").read_text()))


def test_a_command_ends_with_obsqa_however_that_goes(tmp_path: Path) -> None:
    """A killed night leaves nobody behind."""
    program = f"""
from pathlib import Path
from threading import Event
from qa.engines.commands import Command, LocalRunner
here = Path({str(tmp_path)!r})
argv = ("sh", "-c", "setsid sleep 600 & echo $! >away; echo $$ >here; wait")
LocalRunner().run(Command(argv, here, log=here / "log", timeout=600), stop=Event())
"""
    night = subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[3])
    pids = [int(wait_for(tmp_path / name)) for name in ("here", "away")]
    night.send_signal(signal.SIGKILL)
    night.wait()
    for _ in range(600):
        if not any(map(alive, pids)):
            return
        time.sleep(0.05)
    pytest.fail("a command outlived its night")


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), max_size=4))
def test_arguments_reach_a_command_as_they_are(tmp_path: Path, words: list[str]) -> None:
    """No shell reads them, also behind a set-up script."""
    (tmp_path / "setup.sh").write_text("export GREETING=hello\n")
    program = "import json, os, sys; print(json.dumps([os.environ['GREETING'], *sys.argv[1:]]), file=open('out', 'w'))"
    assert run(tmp_path, sys.executable, "-c", program, *words, setup=tmp_path / "setup.sh").reason == ""
    import json

    assert json.loads((tmp_path / "out").read_text()) == ["hello", *words]


def test_a_set_up_script_that_fails_stops_the_command(tmp_path: Path) -> None:
    """A command must not run with something else than what the script was to set up."""
    (tmp_path / "setup.sh").write_text("false\n")
    ended = run(tmp_path, "touch", "ran", setup=tmp_path / "setup.sh")
    assert (ended.code, ended.reason) == (126, "ended with exit code 126")
    assert "the set-up script" in (tmp_path / "logs" / "log").read_text()
    assert not (tmp_path / "ran").exists()


def test_a_set_up_script_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Its path is in the line."""
    assert str(tmp_path / "gone.sh") in run(tmp_path, "true", setup=tmp_path / "gone.sh").reason


def test_nothing_of_obsqas_own_settings_reaches_a_command() -> None:
    """Addresses of stores hold passwords, and our Python's path is not that of another environment."""
    ours = {"OBSQA_STORE": "postgresql://qa:secret@db/x", "PYTHONPATH": "/x", "PATH": "/bin"}
    assert environment(ours) == {"PATH": "/bin"}


def test_what_a_command_is_given_reaches_it(tmp_path: Path) -> None:
    """The environment of a command is added to that of the night."""
    command = Command(("sh", "-c", 'echo "$COLOUR"'), tmp_path, log=tmp_path / "log", timeout=60, env={"COLOUR": "red"})
    seen: list[str] = []
    LocalRunner().run(command, stop=Event(), line=seen.append)
    assert seen == ["red"]
    assert "COLOUR" not in os.environ


def test_a_camera_without_an_image_runs_its_commands_here() -> None:
    """The set-up script comes from the camera's registry entry."""
    assert runner_for(Runtime(setup="/stack/setup.sh")) == LocalRunner(Path("/stack/setup.sh"))
    assert runner_for(Runtime()) == LocalRunner()
