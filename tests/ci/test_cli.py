from __future__ import annotations

import subprocess
import sys

import click
import pytest

from ci import cli
from qa.errors import EngineError, UnknownNameError


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_exists_and_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each verb of the list can be imported and has help."""
    assert isinstance(cli.command_of(verb), click.Command)
    assert cli.run([verb, "--help"]) == 0
    assert "Usage: obsqa" in capsys.readouterr().out


def test_help_lists_the_verbs_without_importing_them() -> None:
    """Start-up is quick: help loads no library that only verbs need."""
    script = (
        "import sys; from ci.cli import run; run(['--help']); "
        "print(sorted(set(sys.modules) & {'numpy', 'astropy', 'pydantic', 'sqlalchemy', 'matplotlib', 'rich'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "nightly" in done.stdout
    assert done.stdout.rstrip().endswith("[]")


def test_an_unknown_verb_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt verb is a wrong request."""
    assert cli.run(["nightyl"]) == 2
    assert "no command is called 'nightyl'; known: nightly, " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"), [(UnknownNameError("camera", "hcs", ["hsc"]), 2), (EngineError("no pipetask"), 3)]
)
def test_an_expected_failure_is_one_line(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was expected to fail is one line on stderr and its exit code, without a traceback."""

    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli.obsqa, "main", fail)
    assert cli.run([]) == code
    assert capsys.readouterr().err == f"obsqa: {error}\n"


def test_a_bug_is_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody expected is not dressed up."""

    def fail(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli.obsqa, "main", fail)
    with pytest.raises(ZeroDivisionError):
        cli.run([])


def test_an_interruption_has_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends with 130 and says that nothing finished is lost."""

    def fail(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.obsqa, "main", fail)
    assert cli.run([]) == 130
    assert "what was finished is kept" in capsys.readouterr().err
