"""Whole runs, told to a real mail server and to a double of a webhook and of GitHub."""

from __future__ import annotations

import base64
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("requests")

from ci.console import LineConsole
from ci.lanes import Context, open_run, run_steps
from ci.notify import send_alarm, send_all, tell_begun, told_when_cut_off
from ci.notify.retry import Patience
from ci.notify.testing import HOOK, Web, serving
from ci.publish import conclude
from ci.settings import Settings
from qa.engines.base import StepReport
from qa.engines.recorded import RecordedEngine
from qa.journal import read_record
from qa.model import Lane, Stage, Step, StepOutcome, StepStatus, Trigger
from qa.notices.testing import a_finding
from qa.provenance.facts import collect
from qa.testing import NOW, Clock, MemoryStore, a_camera, a_measurement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qa.record import RunRecord

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PASSWORD = "hunter2/+pass word"  # noqa: S105 - of the tests' own server
PLANTED = {
    name: f"PL4NTED-{name.lower()}" for name in ("OBSQA_SMTP_PASSWORD", "OBSQA_GITHUB_TOKEN", "OBSQA_WEBHOOK_QA")
}


def measured(camera: str) -> tuple[str, StepReport]:
    """Return a measuring step's key and report."""
    step = Step(camera, "twin", Stage.MEASURE)
    return step.key, StepReport(StepOutcome(step, StepStatus.DONE, 1, 1, 1), (a_measurement(camera=camera),))


def a_context(folder: Path, *, subscriptions: Path | None = None) -> Context:
    """Build what a night of two cameras uses, the lease of one at its end."""
    return Context(
        settings=Settings(runs=folder / "runs", cache=folder, regression_data=folder, subscriptions=subscriptions),
        cameras=[a_camera("hsc", until=NOW.date()), a_camera("decam")],
        engine=RecordedEngine(dict(map(measured, ("hsc", "decam")))),
        store=MemoryStore(),
        clock=Clock(),
        console=LineConsole(),
        provenance=collect(),
    )


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run and judge a night, reported in an environment full of secrets, and return its folder."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in PLANTED.items():
            patch.setenv(name, value)
        context = a_context(tmp_path_factory.mktemp("judged"))
        folder = open_run(context, lane=Lane.NIGHTLY, trigger=Trigger(), fresh=True)
        run_steps(context, folder)
        conclude(context, folder)
    return folder


@dataclass
class World:
    """A site with two cameras, one of which is at the end of its lease, and with everything that can be told."""

    folder: Path
    judged: Path
    smtp: Any
    web: Web
    lines: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        """The environment with all secrets."""
        return {
            "OBSQA_SMTP_PASSWORD": PASSWORD,
            "OBSQA_GITHUB_TOKEN": self.web.token,
            "OBSQA_WEBHOOK_QA": self.web.hook,
            "OBSQA_GITHUB_COMMIT": COMMIT,
        }

    @property
    def context(self) -> Context:
        """What a night uses."""
        return a_context(self.folder, subscriptions=self.folder / "subscriptions.yaml")

    def subscribe(self, text: str, *, mail: bool = True, port: int | None = None) -> None:
        """Write the site's file."""
        head = f"document: subscriptions\nschema: 1\ngithub: {{repository: example/stack, api: '{self.web.url}'}}\n"
        server = (
            f"{{host: {self.smtp.host}, port: {port or self.smtp.starttls}, sender: qa@example.org, user: nightly, "
        )
        server += f"authority: {self.smtp.authority}}}"
        (self.folder / "subscriptions.yaml").write_text(head + (f"mail: {server}\n" if mail else "") + text)

    def night(self) -> tuple[Path, RunRecord]:
        """Return a night that was run and judged, and not yet told."""
        folder = self.folder / "runs" / self.judged.name
        if not folder.exists():
            shutil.copytree(self.judged, folder)
        return folder, read_record(folder)

    def tell(self, folder: Path, record: RunRecord, **more: Any) -> tuple[str, ...]:
        """Send the notices of a night."""
        patience = Patience(60, clock=lambda: sum(self.pauses), sleep=self.pauses.append)
        return send_all(self.context, folder, record, **({"environ": self.environ, "patience": patience} | more))


@pytest.fixture
def world(tmp_path: Path, judged: Path, smtp: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Make a site."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    with serving(Web(commits={COMMIT})) as web:
        yield World(tmp_path, judged, smtp, web)


PEOPLE = """
people:
  - name: Ada
    mail: team@example.org
    subscriptions: [{camera: decam}]
  - {name: room, webhook: OBSQA_WEBHOOK_QA, always: true}
"""


def test_everybody_is_told_in_one_digest(world: World) -> None:
    """The sponsor, who also subscribed, by mail; the deputy of the lease; the room; the commit."""
    world.subscribe(PEOPLE)
    assert world.tell(*world.night()) == ()
    told = {mail["To"]: mail.get_content() for mail in world.smtp.mails}
    assert set(told) == {"team@example.org", "deputy@example.org"}
    assert len(world.smtp.mails) == 2
    assert "the lease of hsc (sponsor: the test team) ends today" in told["team@example.org"]
    assert "PA1 of decam" not in told["deputy@example.org"]
    room, status = world.web.said
    assert room["text"].startswith("*obsqa nightly 2026-03-01: ")
    assert (status["context"], status["state"]) == ("obsqa/nightly", "error")  # most metrics are not measured


def test_a_night_is_told_once(world: World) -> None:
    """Also when it is told again, unless that is asked for."""
    world.subscribe(PEOPLE)
    folder, record = world.night()
    world.tell(folder, record)
    assert world.tell(folder, record) == ()
    assert (len(world.smtp.mails), len(world.web.said)) == (2, 2)
    assert world.tell(folder, record, again=True) == ()
    assert (len(world.smtp.mails), len(world.web.said)) == (4, 4)


def test_the_next_night_says_what_is_new(world: World) -> None:
    """The same findings and the same day of a lease are no news; a mail is sent to nobody."""
    world.subscribe("")
    folder, record = world.night()
    world.tell(folder, record)
    world.smtp.reset()
    again = replace(record, plan=replace(record.plan, run_id="20260301T230000Z"))
    assert world.tell(folder.with_name(again.run_id), again) == ()
    assert not world.smtp.mails


def test_without_a_file_nobody_is_told(world: World) -> None:
    """As on a developer's machine."""
    folder, record = world.night()
    context = replace(world.context, settings=replace(world.context.settings, subscriptions=None))
    assert send_all(context, folder, record, environ=world.environ) == ()
    assert not world.smtp.mails
    assert not world.web.asked


def test_lanes_that_are_not_asked_for_are_told_to_commits_only(world: World) -> None:
    """Mail for nights, a status for commits, as it comes; a commit that is not known has none."""
    world.subscribe(PEOPLE)
    folder, record = world.night()
    record = replace(record, plan=replace(record.plan, lane=Lane.COMMIT))
    assert world.tell(folder, record) == ()
    assert not world.smtp.mails
    assert [one["context"] for one in world.web.said] == ["obsqa/commit"]
    environ = {name: value for name, value in world.environ.items() if name != "OBSQA_GITHUB_COMMIT"}
    assert world.tell(folder, replace(record, provenance={}), environ=environ, again=True) == ()
    assert len(world.web.said) == 1


@pytest.fixture
def under_way(world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a night that has just begun, in an environment with all secrets."""
    for name, value in world.environ.items():
        monkeypatch.setenv(name, value)
    world.subscribe(PEOPLE)
    return open_run(world.context, lane=Lane.NIGHTLY, trigger=Trigger(), fresh=True)


def test_a_commit_is_pending_while_its_run_is_under_way(world: World, under_way: Path) -> None:
    """Nobody else is told, and the end is told all the same."""
    tell_begun(world.context, under_way)
    assert [(one["context"], one["state"]) for one in world.web.said] == [("obsqa/nightly", "pending")]
    assert not world.smtp.mails
    run_steps(world.context, under_way)
    assert world.tell(under_way, conclude(world.context, under_way)) == ()
    assert [one["state"] for one in world.web.said if "state" in one] == ["pending", "error"]


def test_a_run_that_is_cut_off_leaves_no_commit_pending(world: World, under_way: Path) -> None:
    """By an abort, a full disk, anything; continued, it is pending again."""
    tell_begun(world.context, under_way)
    for error in (KeyboardInterrupt(), OSError("No space left on device")):
        with pytest.raises(type(error)), told_when_cut_off(world.context, under_way):
            raise error
        tell_begun(world.context, under_way)
    told = [(one["state"], one["description"]) for one in world.web.said]
    assert told == [("pending", "it is under way"), ("error", "it was cut off")] * 2 + told[:1]


def test_a_github_that_is_gone_costs_a_beginning_run_one_try(
    world: World, under_way: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a line, without the token."""
    world.web.broken = [503, 503]
    tell_begun(world.context, under_way)
    assert len(world.web.asked) == 1
    said = capsys.readouterr().err
    assert "the status of" in said
    assert "HTTP 503" in said
    assert world.web.token not in said


def test_a_run_without_subscriptions_says_nothing_when_it_begins(world: World, tmp_path: Path) -> None:
    """As on a developer's machine."""
    tell_begun(replace(world.context, settings=replace(world.context.settings, subscriptions=None)), tmp_path)
    assert not world.web.asked


@pytest.mark.parametrize(
    ("given", "link", "faults"),
    [
        ("https://ci/7/{run}/", "https://ci/7/20260301T010001Z/", 0),
        ("", "https://qa/20260301T010001Z", 0),
        ("javascript:alert(1)", "https://qa/20260301T010001Z", 1),
    ],
)
def test_a_build_server_says_where_its_reports_are(world: World, given: str, link: str, faults: int) -> None:
    """Else the site does; what is no address is told and not linked."""
    world.subscribe("report: https://qa/{run}\n")
    said = world.tell(*world.night(), environ=world.environ | {"OBSQA_REPORT_URL": given})
    assert len(said) == faults
    assert all("OBSQA_REPORT_URL must begin with https:// or http://" in line for line in said)
    assert [one["target_url"] for one in world.web.said] == [link]
    assert all(f"Report: {link}" in mail.get_content() for mail in world.smtp.mails)


def test_sponsors_may_be_left_out(world: World) -> None:
    """Or cannot be told where there is no mail server."""
    world.subscribe("sponsors: false\n")
    assert world.tell(*world.night()) == ()
    world.subscribe("", mail=False)
    assert world.tell(*world.night()) == ()
    assert not world.smtp.mails


def test_a_faulty_file_costs_a_line(world: World) -> None:
    """And not the night."""
    world.subscribe("peple: []\n")
    (line,) = world.tell(*world.night())
    assert line.startswith("notices: ")
    assert "peple: Extra inputs are not permitted" in line


def test_a_dead_mail_server_costs_lines_and_is_made_up_for(world: World, free_ports: Any) -> None:
    """The others are told; once it is back, those who were not are, and nobody twice."""
    world.subscribe(PEOPLE, port=free_ports())
    folder, record = world.night()
    faults = world.tell(folder, record)
    assert len(faults) == 2
    assert all("no connection (Connection refused)" in line for line in faults)
    assert len(world.web.said) == 2
    world.subscribe(PEOPLE)
    assert world.tell(folder, record) == ()
    assert {mail["To"] for mail in world.smtp.mails} == {"team@example.org", "deputy@example.org"}
    assert len(world.web.said) == 2


def test_the_next_night_makes_up_for_what_did_not_get_through(world: World, free_ports: Any) -> None:
    """Without being asked, and only that: who subscribed since is not told of what is over."""
    world.subscribe("", port=free_ports())
    folder, record = world.night()
    assert len(world.tell(folder, record)) == 2
    world.subscribe("people: [{name: Eve, mail: eve@example.org, always: true}]")
    again = replace(record, plan=replace(record.plan, run_id="20260301T230000Z"))
    assert world.tell(folder.with_name(again.run_id), again) == ()
    told = [(mail["To"], mail["Subject"]) for mail in world.smtp.mails]
    lease = "obsqa nightly 2026-03-01: 1 lease to renew"
    assert told[:2] == [("team@example.org", lease), ("deputy@example.org", lease)]
    assert told[2:] == [("eve@example.org", "obsqa nightly 2026-03-01: nothing new")]


def test_a_broken_note_of_the_night_before_stops_nothing(world: World) -> None:
    """It costs a line."""
    world.subscribe(PEOPLE)
    folder, record = world.night()
    (folder / "notices.json").write_text("{")
    again = replace(record, plan=replace(record.plan, run_id="20260301T230000Z"))
    (line,) = world.tell(folder.with_name(again.run_id), again)
    assert "notices.json: must be a document 'notices' of schema 1" in line
    assert len(world.web.said) == 2


def test_a_server_that_goes_while_it_is_told_loses_nothing(world: World) -> None:
    """A mail cut off, a web server that stumbles: tried again."""
    world.subscribe(PEOPLE)
    world.smtp.data[:] = ["cut", "451 later"]
    world.web.broken = [502, 503]
    assert world.tell(*world.night()) == ()
    assert len(world.smtp.mails) == 2
    assert len(world.web.said) == 2


@pytest.mark.parametrize("wrong", ["OBSQA_SMTP_PASSWORD", "OBSQA_GITHUB_TOKEN", "OBSQA_WEBHOOK_QA"])
def test_planted_secrets_never_come_out(
    world: World, wrong: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a line, a log, a record or a report; not when a server refuses and repeats them, nor in a mail."""
    caplog.set_level("DEBUG")
    world.subscribe(PEOPLE)
    planted = PLANTED[wrong]
    environ = world.environ | {wrong: f"{world.web.url}/{planted}" if "WEBHOOK" in wrong else planted}
    folder, record = world.night()
    leaking = a_finding("decam", "PA2", reason=f"could not log in with {planted} at {environ['OBSQA_WEBHOOK_QA']}")
    faults = world.tell(folder, replace(record, findings=(*record.findings, leaking)), environ=environ)
    assert faults
    captured = capsys.readouterr()
    mails = [f"{mail['Subject']} {mail.get_content()}" for mail in world.smtp.mails]
    rooms = [str(one) for one in world.web.said]
    files = [path.read_bytes().decode(errors="replace") for path in world.folder.rglob("*") if path.is_file()]
    logged = [one.getMessage() for one in caplog.records if one.name != "mail.log"]  # that is the server's own
    seen = "\n".join([*faults, captured.out, captured.err, *mails, *rooms, *files, *logged])
    forms = [*PLANTED.values(), base64.b64encode(planted.encode()).decode(), PASSWORD, world.web.token]
    assert not [form for form in forms if form in seen]
    assert HOOK not in seen
    assert mails or wrong == "OBSQA_SMTP_PASSWORD"
    assert all("could not log in with ***" in text for text in mails if "PA2" in text)


def test_an_alarm_reaches_those_who_asked_for_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Of what left no run: a night that did not begin."""
    world.subscribe(
        "people:\n  - {name: Bob, mail: bob@example.org, alarms: true}\n  - {name: Eve, mail: eve@example.org}\n"
    )
    lines = ["the disk is full", f"password {PASSWORD}"]
    assert send_alarm(world.context.settings, "the nightly did not run", lines, environ=world.environ) == ()
    (mail,) = world.smtp.mails
    assert (mail["To"], mail["Subject"]) == ("bob@example.org", "obsqa: the nightly did not run")
    assert mail.get_content().splitlines() == ["the disk is full", "password ***"]
    nobody = replace(world.context.settings, subscriptions=None)
    assert send_alarm(nobody, "x", lines, environ=world.environ) == ()
    gone = replace(world.context.settings, subscriptions=world.folder / "gone.yaml")
    (line,) = send_alarm(gone, "x", lines, environ=world.environ)
    assert "gone.yaml" in line


def test_nothing_is_ever_raised(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even by a fault of our own: it is a line."""
    world.subscribe(PEOPLE)

    def broken(*_: object, **__: object) -> None:
        msg = f"surprise {PASSWORD}\x1b[2J"
        raise RuntimeError(msg)

    monkeypatch.setattr("ci.notify.dispatch.digests", broken)
    assert world.tell(*world.night()) == ("notices: not all were sent: RuntimeError: surprise *** [2J",)
