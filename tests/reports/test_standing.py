from dataclasses import replace
from datetime import timedelta

from qa.judging.judged import FindingState, Forecast
from qa.model import Level, Scope, Status
from reports.judged_example import the_judged_example
from reports.standing import Standing
from reports.testing import NOW, a_camera_night, a_comparison, a_finding, a_night
from reports.view import build

SCOPE = Scope("testcam", "twin", "r", 0)


def names(standing: Standing) -> dict[str, list[str]]:
    """Return the metrics of each part of what stands."""
    parts = ("loose", "quiet", "fixed")
    return {part: [row.comparison.metric for row in getattr(standing, part)] for part in parts}


def test_the_example_has_every_state() -> None:
    """What was brought tonight comes before what stands for longer, and what is known is kept apart."""
    found = names(build(the_judged_example()).standing)
    assert found["loose"] == [
        "PA2",
        "completeness_50_galaxies",
        "psf_ellipticity",
        "photometric_bias",
        "AA1",
        "false_detection_rate",
    ]
    assert found["quiet"] == ["PA1", "AM2"]
    assert found["fixed"] == ["PF1"]


def test_without_findings_everything_that_does_not_pass_is_loose() -> None:
    """A night of which nothing more is known is shown as it always was."""
    view = build(a_night(a_camera_night(), comparisons=(a_comparison(factor=1.6), a_comparison("PA2"))))
    assert view.standing.loose == view.findings
    assert view.standing == Standing(loose=view.findings)


def test_an_outage_is_one_item() -> None:
    """The metrics of a camera that did not come through are counted with its outage, not listed beside it."""
    lost = tuple(replace(a_comparison(name, factor=None), status=Status.WARN) for name in ("PA1", "PA2", "PF1"))
    outage = a_finding("outage", kind="outage", reason="process failed: disk full", status=Status.FAIL)
    (told,) = build(a_night(a_camera_night(), comparisons=lost, findings=(outage,))).standing.told
    assert (told.title, told.folded, told.camera_slug) == ("Testcam \u00b7 outage \u00b7 r", 3, "testcam")
    standing = build(a_night(a_camera_night(), comparisons=lost, findings=(outage,))).standing
    assert standing.loose == ()
    fixed = replace(outage, state=FindingState.FIXED, since=NOW)
    assert len(build(a_night(a_camera_night(), comparisons=lost, findings=(fixed,))).standing.loose) == 3


def test_findings_about_no_value_of_tonight_are_told() -> None:
    """Waivers and acceptances that are over are told even where the value passes; of other series, what is gone."""
    forecast = Forecast(Level.DESIGN, NOW.date(), NOW.date(), None)
    over = a_finding(kind="waiver", id="b")
    gone = a_finding("PF1", Scope("gonecam", "twin"), id="a", forecast=forecast)
    remembered = a_finding("PA2", state=FindingState.FIXED, id="c", since=NOW - timedelta(days=3))
    night = a_night(a_camera_night(), comparisons=(a_comparison(),), findings=(over, gone, remembered))
    told = build(night).standing.told
    assert [one.title for one in told] == ["gonecam \u00b7 PF1", "Testcam \u00b7 PA1 \u00b7 r"]
    assert told[0].camera_slug is None
    assert told[0].forecast.startswith("It will cross design")


def test_what_is_known_is_hushed_together() -> None:
    """An incident of which everything is acknowledged is shown below, and is not the headline."""
    night = the_judged_example()
    known = tuple(replace(one, state=FindingState.ACKNOWLEDGED) for one in night.findings)
    warned = tuple(replace(one, status=Status.WARN) if one.status is Status.FAIL else one for one in night.comparisons)
    view = build(replace(night, findings=known, comparisons=warned, exit_code=0))
    assert len(view.standing.hushed) == 1
    assert view.standing.loud == ()
    assert "meas_astrom" not in view.headline
