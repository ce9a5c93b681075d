from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("jenkinsapi")

from ci.cli import run
from ci.testing.jenkins import Jenkins, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def jenkins(monkeypatch: pytest.MonkeyPatch) -> Iterator[Jenkins]:
    """Serve a double that answers at once, and name it in the environment."""
    with serving(Jenkins(queued=0, running=0)) as double:
        monkeypatch.setenv("OBSQA_JENKINS_URL", double.url)
        monkeypatch.setenv("OBSQA_JENKINS_USER", "nightly")
        monkeypatch.setenv("OBSQA_JENKINS_TOKEN", "s3cr3t")
        yield double


@pytest.mark.parametrize(("result", "code"), [("SUCCESS", 0), ("UNSTABLE", 1), ("FAILURE", 3), ("ABORTED", 4)])
def test_a_result_is_an_exit_code(jenkins: Jenkins, capsys: pytest.CaptureFixture[str], result: str, code: int) -> None:
    """As if the build had run here."""
    jenkins.result = result
    assert run(["jenkins", "trigger", "nightly", "-p", "LANE=nightly", "--watch", "--json"]) == code
    assert json.loads(capsys.readouterr().out) == {"job": "nightly", "number": 7, "result": result, "seconds": 61.0}
    assert jenkins.posted == [{"LANE": ["nightly"]}]


def test_without_watching_the_number_is_printed(jenkins: Jenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """So that another command can watch it."""
    assert run(["jenkins", "trigger", "nightly"]) == 0
    assert capsys.readouterr().out == "nightly #7\n"
    assert run(["jenkins", "watch", "nightly", "7"]) == 0
    assert capsys.readouterr().out == "nightly #7: SUCCESS after 61 s\n"


def test_collecting_says_what_is_missing(jenkins: Jenkins, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A build that succeeded and left no report is incomplete."""
    jenkins.artifacts = {"report/index.html": b"<p>"}
    assert run(["jenkins", "collect", "nightly", "7", "--into", str(tmp_path)]) == 4
    out = capsys.readouterr().out
    assert "fetched" in out
    assert "missing: a test report" in out
    assert (tmp_path / "artifacts/report/index.html").is_file()
    jenkins.report = {"suites": [{"cases": [{"className": "a", "name": "b", "status": "PASSED"}]}]}
    assert run(["jenkins", "collect", "nightly", "7", "--into", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tests"] == {"passed": 1}


def test_the_token_never_comes_out(jenkins: Jenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """Not in what is printed, nor in an error."""
    jenkins.broken = [401]
    assert run(["jenkins", "watch", "nightly", "7"]) == 3
    captured = capsys.readouterr()
    assert "check the user and token" in captured.err
    assert "s3cr3t" not in captured.err + captured.out


def test_a_parameter_without_value_is_refused(jenkins: Jenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is asked of the server."""
    assert run(["jenkins", "trigger", "nightly", "-p", "LANE"]) == 2
    assert "a parameter must be NAME=VALUE, got 'LANE'" in capsys.readouterr().err
    assert not jenkins.asked


def test_a_deadline_is_a_time_span(jenkins: Jenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything else is refused with an example."""
    assert run(["jenkins", "watch", "nightly", "7", "--deadline", "soon"]) == 2
    assert "must be a time span such as 90m or 2h, got 'soon'" in capsys.readouterr().err
