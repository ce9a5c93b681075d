from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.judging.judged import Cause, FindingState
from qa.model import NotRun, Status
from qa.notices.digest import digests
from qa.notices.model import Address, Notice, Person, Service, State, Want
from qa.notices.testing import a_finding, a_run, an_incident
from qa.notices.text import LONGEST_SUBJECT, alarm_of, cut_off_of, notice_of, one_line, status_of
from qa.plan import NOT_ASKED
from qa.testing import NOW, a_camera
from reports.testing import HOSTILE

if TYPE_CHECKING:
    from qa.record import RunRecord

PERSON = Person("Ada", (Address(Service.MAIL, "ada@example.org"),), (Want(),), always=True)
REPORT = "https://qa.example.org/{run}/index.html"


def notice(record: RunRecord, previous: RunRecord | None = None, *, report: str = REPORT) -> Notice:
    """Word the digest of one who wants everything."""
    cameras = [a_camera("hsc"), a_camera("decam", until=NOW.date())]
    (digest,) = digests(record, previous, [PERSON], cameras=cameras, today=NOW.date())
    return notice_of(digest, report)


def test_a_digest_says_what_where_why_and_to_whom() -> None:
    """New findings by their incident, the worst first; what is mended; leases; what still stands; the report."""
    blamed = a_finding("hsc", "AM1", status=Status.WARN, incident="i-1"), a_finding("hsc", "PA1", incident="i-1")
    loose = a_finding("decam", "TE1", status=Status.WARN)
    previous = a_run(a_finding("hsc", "PF1"), a_finding("hsc", "AA1"))
    record = a_run(
        *blamed,
        loose,
        a_finding("hsc", "PF1"),
        a_finding("hsc", "AA1", state=FindingState.FIXED),
        incidents=[an_incident(Cause.CAMERA, *blamed)],
        exit_code=1,
        nights=1,
    )
    previous = replace(previous, plan=replace(previous.plan, created=NOW.replace(month=1)))
    found = notice(record, previous)
    assert found.subject == "obsqa nightly 2026-03-02: 3 new findings, 1 mended, 1 lease to renew (hsc, decam)"
    assert found.text.splitlines() == [
        "Run 20260302T010000Z (nightly 2026-03-02): a verdict failed.",
        "",
        "New",
        "- obs_hsc changed",
        "  changed: package obs_hsc: 1.0 -> 1.1",
        "  FAIL PA1 of hsc/twin/r/t0: PA1 worsened.",
        "  warn AM1 of hsc/twin/r/t0: AM1 worsened.",
        "- warn TE1 of decam/twin/r/t0: TE1 worsened.",
        "",
        "Mended",
        "- AA1 of hsc/twin/r/t0",
        "",
        "Leases",
        (
            "- the lease of decam (sponsor: the test team) ends today, 2026-03-01; without a new one nobody answers "
            "for the camera: obsqa camera renew decam --until DAY"
        ),
        "",
        "Still open: 1",
        "- PF1 of hsc/twin/r/t0, since 2026-03-01",
        "",
        "Report: https://qa.example.org/20260302T010000Z/index.html",
        "",
        "You are told because you subscribed to every camera; you asked for a digest of every run.",
    ]
    assert found.link == "https://qa.example.org/20260302T010000Z/index.html"


def test_a_long_list_is_counted() -> None:
    """A digest of a hundred findings is read by nobody."""
    text = notice(a_run(*(a_finding("hsc", f"M{number:03}") for number in range(100)))).text
    assert "and 92 more" in text
    assert len(text.splitlines()) < 30


def test_without_news_it_says_so() -> None:
    """To those who asked for a digest of every run."""
    previous = replace(a_run(), plan=replace(a_run().plan, created=NOW))
    found = notice(a_run(nights=1), previous, report="")
    assert found.subject == "obsqa nightly 2026-03-02: nothing new"
    assert found.link == ""
    assert "Report" not in found.text


@given(st.text(max_size=2000))
def test_every_text_becomes_one_printable_line(text: str) -> None:
    """No newline that would begin a header of a mail, no terminal's escape, no direction of writing turned round."""
    line = one_line(text, 100)
    assert line.isprintable()
    assert len(line) <= 100


def test_hostile_names_stay_within_their_line() -> None:
    """Subject and text hold them as harmless text."""
    evil = f"{HOSTILE}\r\nBcc: everybody@example.org\x1b[2J\u202e"
    found = notice(a_run(a_finding("hsc", evil, reason=evil * 20)))
    assert found.subject.isprintable()
    assert all(line.isprintable() for line in found.text.splitlines())
    assert not any(line.startswith("Bcc") for line in found.text.splitlines())


@pytest.mark.parametrize(
    ("code", "state", "text"),
    [
        (0, State.SUCCESS, "it passed"),
        (1, State.FAILURE, "a verdict failed: hsc"),
        (3, State.ERROR, "infrastructure failed"),
        (4, State.ERROR, "it is incomplete: a camera did not come through"),
        (77, State.ERROR, "it ended with exit code 77"),
        (None, State.PENDING, "it is under way"),
    ],
)
def test_a_commit_gets_the_state_of_its_run(code: int | None, state: State, text: str) -> None:
    """Without an end it is pending, a verdict is a failure, anything else that is not well an error.

    GitHub takes no longer description.
    """
    found = status_of(a_run(a_finding("hsc"), exit_code=code), REPORT)
    assert (found.state, found.subject) == (state, text)
    assert len(found.subject) <= LONGEST_SUBJECT
    assert found.context == "obsqa/nightly"


def test_a_run_that_was_cut_off_is_no_longer_under_way() -> None:
    """Of the same check: it is an error until somebody continues it."""
    record = a_run(a_finding("hsc"), exit_code=None)
    found = cut_off_of(record, REPORT)
    assert (found.state, found.subject, found.text) == (State.ERROR, "it was cut off", "it was cut off")
    assert (found.context, found.link) == (status_of(record, REPORT).context, status_of(record, REPORT).link)
    ended = a_run(a_finding("hsc"), exit_code=1)
    assert cut_off_of(ended, REPORT) == status_of(ended, REPORT)


def test_runs_of_single_cameras_have_checks_of_their_own() -> None:
    """Cells of a matrix do not overwrite each other; a camera that nobody sponsors is not what tells them apart."""
    record = a_run(a_finding("hsc"))
    for reason, context in ((NOT_ASKED, "obsqa/nightly/hsc"), ("retired", "obsqa/nightly")):
        plan = replace(record.plan, not_run=(NotRun("decam", reason),))
        assert status_of(replace(record, plan=plan)).context == context


def test_an_alarm_is_a_notice_of_no_run() -> None:
    """Of a night that could not begin."""
    found = alarm_of("the nightly did not run", ["disk\nfull", "free some"])
    assert found == Notice("", "obsqa: the nightly did not run", "disk full\nfree some\n", State.ERROR)
