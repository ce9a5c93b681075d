from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("requests")

from ci.cli import run
from ci.console import LineConsole
from ci.lanes import Context
from ci.notify.testing import Web, serving
from ci.settings import Settings
from ci.suite.night import Night
from qa.engines.base import StepReport
from qa.engines.recorded import RecordedEngine
from qa.errors import DiskFullError
from qa.journal import FILE_NAME, Journal
from qa.model import Stage, Step, StepOutcome, StepStatus
from qa.notices.testing import a_finding, a_run
from qa.record import Judged, RunFinished, RunStarted
from qa.testing import NOW, Clock, MemoryStore, a_camera

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE = """document: subscriptions
schema: 1
sponsors: false
people:
  - name: room
    webhook: OBSQA_WEBHOOK_QA
    subscriptions: [{camera: hsc}]
"""


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Serve a double of a webhook, and keep a judged run and a file of subscriptions."""
    record = a_run(a_finding("hsc"), exit_code=1)
    with Journal(tmp_path / "runs" / record.run_id / FILE_NAME, Clock()) as journal:
        journal.append(RunStarted(record.plan, {}))
        journal.append(Judged(record.comparisons, findings=record.findings))
        journal.append(RunFinished(1))
    (tmp_path / "site.yaml").write_text(SITE)
    monkeypatch.setenv("OBSQA_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OBSQA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OBSQA_SUBSCRIPTIONS", str(tmp_path / "site.yaml"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    with serving(Web()) as double:
        monkeypatch.setenv("OBSQA_WEBHOOK_QA", double.hook)
        yield double


def test_a_run_is_told_once(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    """What was sent is not sent again, unless that is asked for."""
    for arguments, told in ((["notify"], 1), (["notify", "latest"], 1), (["notify", "--again", "--json"], 2)):
        assert run(arguments) == 0
        assert len(web.said) == told
    assert web.said[0]["text"].startswith("*obsqa nightly 2026-03-01: 1 new finding (hsc)*")
    assert json.loads(capsys.readouterr().out) == {"run": "20260301T010000Z", "faults": []}


def test_showing_sends_nothing(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints to whom what would be sent, without an address that is secret."""
    assert run(["notify", "--show"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("webhook to room, OBSQA_WEBHOOK_QA\n  obsqa nightly 2026-03-01: 1 new finding (hsc)\n")
    assert web.hook not in out
    assert run(["notify", "--show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["to"] == "OBSQA_WEBHOOK_QA"
    assert not web.asked


def test_what_did_not_get_through_is_told(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 3, and the secret address in no line."""
    web.broken = [404]
    assert run(["notify"]) == 3
    err = capsys.readouterr().err
    assert "notices: webhook to room was not sent: the webhook of OBSQA_WEBHOOK_QA: HTTP 404; check the address" in err
    assert web.hook not in err
    assert run(["notify"]) == 0


def test_a_site_without_subscriptions_is_told_what_to_do(
    web: Web, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file and the variable that names it."""
    monkeypatch.delenv("OBSQA_SUBSCRIPTIONS")
    assert run(["notify"]) == 2
    assert "OBSQA_SUBSCRIPTIONS must name the file" in capsys.readouterr().err


def test_a_run_that_has_not_ended_is_not_told_of(web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It may end otherwise."""
    record = a_run(a_finding("hsc"), nights=1)
    with Journal(tmp_path / "runs" / record.run_id / FILE_NAME, Clock()) as journal:
        journal.append(RunStarted(record.plan, {}))
    assert run(["notify"]) == 2
    assert "must have ended to be told of, and has not" in capsys.readouterr().err
    assert not web.asked


def test_a_nightly_tells_when_it_ends(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself, whatever else it did; a notice that does not get through changes nothing of how it ended."""
    context = a_failing_context()
    monkeypatch.setattr("ci.wiring.make_context", lambda *_, **__: context)
    web.broken = [404]
    codes = [run(["nightly", "--new"]), run(["nightly", "--new"])]
    assert codes == [3, 3]
    assert len(web.asked) == 2  # the second night brought nothing new, and made up for the first
    (said,) = web.said
    assert said["text"].startswith("*obsqa nightly 2026-04-01: ")
    assert "FAIL outage of hsc/twin: measure failed: no stars" in said["text"]


@pytest.fixture
def commit(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Add to the site the status of a commit, and return the commit."""
    (tmp_path / "site.yaml").write_text(f"{SITE}github: {{repository: example/stack, api: '{web.url}'}}\n")
    web.commits = {"0123456789abcdef0123456789abcdef01234567"}
    (sha,) = web.commits
    monkeypatch.setenv("OBSQA_GITHUB_TOKEN", web.token)
    monkeypatch.setenv("OBSQA_GITHUB_COMMIT", sha)
    return sha


def states(web: Web) -> list[tuple[str, str]]:
    """Return what was said of the commit, by check and state."""
    return [(one["context"], one["state"]) for one in web.said if "state" in one]


@pytest.mark.usefixtures("commit")
def test_a_commit_is_pending_until_its_nightly_ends(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it has the state of the run, and when the night is cut off an error."""
    context = a_failing_context()
    monkeypatch.setattr("ci.wiring.make_context", lambda *_, **__: context)
    assert run(["nightly", "--new"]) == 3
    assert states(web) == [("obsqa/nightly", "pending"), ("obsqa/nightly", "error")]
    assert [one["description"] for one in web.said if "state" in one] == ["it is under way", "infrastructure failed"]

    def abort(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ci.lanes.run_steps", abort)
    assert run(["nightly", "--new"]) == 130
    assert [one["description"] for one in web.said if "state" in one][2:] == ["it is under way", "it was cut off"]


@pytest.mark.usefixtures("commit")
def test_a_commit_is_pending_until_its_checks_end(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first check that needs a run on; a session that is cut off, or cannot be judged, says so."""
    night = Night(a_failing_context(), (), fresh=True, needs={"hsc": Stage.MEASURE})
    assert states(web) == []
    night.reach("hsc", Stage.INGEST)
    assert states(web) == [("obsqa/commit", "pending")]
    night.report_so_far()
    assert states(web)[1:] == [("obsqa/commit", "error")]

    def no_disk(*_: object, **__: object) -> None:
        raise DiskFullError(night.folder)

    monkeypatch.setattr("ci.suite.night.conclude", no_disk)
    with pytest.raises(DiskFullError):
        night.finish()
    assert states(web)[2:] == [("obsqa/commit", "error")]


def a_failing_context() -> Context:
    """Return what a night uses that fails."""
    steps = {Step("hsc", "twin", Stage.MEASURE).key: a_failure()}
    return Context(
        settings=Settings.from_environment(),
        cameras=[a_camera("hsc")],
        engine=RecordedEngine(steps),
        store=MemoryStore(),
        clock=Clock(NOW.replace(month=4)),
        console=LineConsole(),
        provenance={},
    )


def a_failure() -> StepReport:
    """Return a measuring step that failed."""
    return StepReport(StepOutcome(Step("hsc", "twin", Stage.MEASURE), StepStatus.FAILED, 1, 1, 1, "no stars"), ())
