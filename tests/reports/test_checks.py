from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from qa.checks import CheckOutcome, CheckStatus
from qa.model import Stage, Trigger
from reports import checks, text
from reports.junit import junit
from reports.order import Verdict, camera_verdict
from reports.testing import a_camera_night, a_comparison, a_night
from reports.view import build

if TYPE_CHECKING:
    from reports.night import Night


def a_check(name: str, status: CheckStatus = CheckStatus.PASSED, *, message: str = "") -> CheckOutcome:
    """Build a check of the test camera."""
    return CheckOutcome("testcam", name, status, 0.5, message)


def checked(*found: CheckOutcome) -> Night:
    """Build the run of a commit with one camera."""
    night = a_night(a_camera_night(), comparisons=(a_comparison(),))
    return replace(night, checks=found, plan=replace(night.plan, trigger=Trigger("commit", ("obs_testcam",))))


BROKEN = a_check("headers", CheckStatus.FAILED, message="no card | DATE")
LOST = a_check("filters", CheckStatus.ERROR, message="draw failed")
LATE = a_check("speed", CheckStatus.NOT_RUN, message="the budget of 10 s is used up")


@pytest.mark.parametrize(
    ("one", "verdict"),
    [(BROKEN, Verdict.FAIL), (LOST, Verdict.ERROR), (LATE, Verdict.INCOMPLETE), (None, Verdict.PASS)],
)
def test_a_camera_is_no_better_than_its_checks(one: CheckOutcome | None, verdict: Verdict) -> None:
    """However good its metrics are."""
    night = checked(*filter(None, (a_check("geometry"), one)))
    assert camera_verdict(night.cameras[0], night.comparisons, night.checks) is verdict


def test_a_camera_that_was_only_checked_passes() -> None:
    """Where no measuring was planned, nothing is incomplete."""
    steps = tuple(one for one in a_camera_night().steps if one.step.stage is Stage.DRAW)
    camera = a_camera_night(steps=steps)
    assert camera_verdict(camera, [], [a_check("filters")]) is Verdict.PASS
    assert camera_verdict(camera, []) is Verdict.INCOMPLETE


def test_failed_checks_come_first_and_are_counted() -> None:
    """Failed, in error, not run, skipped, passed."""
    found = (a_check("b"), a_check("a"), a_check("c", CheckStatus.SKIPPED), LATE, LOST, BROKEN)
    assert [one.name for one in checks.bad_first(found)] == ["headers", "filters", "speed", "c", "a", "b"]
    assert checks.bad(found) == (BROKEN, LOST, LATE)
    assert checks.tally(found) == "2 passed, 1 failed, 1 could not be made, 1 not run and 1 skipped"
    assert checks.told(LATE, "Testcam") == "Testcam was not run: speed: the budget of 10 s is used up"
    assert checks.tally(()) == ""


def test_the_summary_for_a_pull_request_says_what_changed_and_what_failed() -> None:
    """In Markdown in which a message means nothing but itself."""
    page = text.markdown(build(checked(BROKEN, a_check("filters"))))
    assert "Changed: `obs_testcam`." in page
    assert "Checks: 1 passed and 1 failed." in page
    assert "- Testcam headers: no card \\| DATE" in page
    assert page.startswith("# FAIL: Testcam was the only camera to run; Testcam fails the check headers: no card")


def test_a_night_says_nothing_of_checks() -> None:
    """It made none."""
    assert "Checks" not in text.markdown(build(a_night(a_camera_night(), comparisons=(a_comparison(),))))


def test_each_check_is_a_test_case() -> None:
    """A failure, an error or a skip with its message, counted in the suite."""
    night = checked(BROKEN, LOST, LATE, a_check("geometry"), a_check("isr", CheckStatus.SKIPPED))
    suites = ET.fromstring(junit(build(night)))  # noqa: S314 - we wrote it ourselves
    cases = {case.get("name"): case for case in suites.iter("testcase") if case.get("classname") == "testcam.checks"}
    assert {name: [child.tag for child in case] for name, case in cases.items()} == {
        "headers": ["failure"],
        "filters": ["error"],
        "geometry": [],
        "isr": ["skipped"],
        "speed": ["skipped"],
    }
    assert (suites.get("failures"), suites.get("errors"), suites.get("skipped")) == ("1", "1", "2")


def test_how_nights_cover_the_cameras_is_no_matter_of_a_commit() -> None:
    """It does not complain of cameras that are overdue."""
    night = checked(a_check("filters"))
    overdue = replace(night, cameras=(replace(night.cameras[0], last_coadd=None),))
    assert build(overdue).gaps == ()
    nightly = replace(overdue, plan=replace(overdue.plan, trigger=Trigger("cron")))
    assert [gap.kind for gap in build(nightly).gaps] == ["overdue"]
