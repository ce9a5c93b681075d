from dataclasses import replace

from qa.judging.judged import Cause, Evidence, Incident
from qa.model import Scope
from reports.incidents import certainty, weighed
from reports.judged_example import the_judged_example
from reports.order import Verdict
from reports.testing import a_camera_night, a_comparison, a_finding, a_night
from reports.view import build
from reports.wording import THIN

KEY = ("PA1", Scope("testcam", "twin", "r", 0))
GONE = ("PA2", Scope("gonecam", "twin", "r", 0))


def test_a_probability_is_never_written_as_certain() -> None:
    """Whole per cents, none of them 0 or 100."""
    assert [certainty(one) for one in (0.0, 0.501, 0.99, 0.9999)] == [
        f"1{THIN}%",
        f"50{THIN}%",
        f"99{THIN}%",
        f"over 99{THIN}%",
    ]


def test_evidence_is_for_or_against_the_cause_named() -> None:
    """What speaks against another cause speaks for this one; the heaviest has the longest bar."""
    evidence = (
        Evidence(Cause.DATA, 1.0, "a"),
        Evidence(Cause.ALGORITHM, 2.0, "b"),
        Evidence(Cause.CAMERA, -4.0, "c"),
        Evidence(Cause.ALGORITHM, -0.5, "d"),
    )
    found = [(one.text, one.word, one.share, one.supports) for one in weighed(evidence, Cause.ALGORITHM)]
    assert found == [
        ("c", "against camera", 1.0, True),
        ("b", "for algorithm", 0.5, True),
        ("a", "for data", 0.25, False),
        ("d", "against algorithm", 0.125, False),
    ]
    assert weighed((Evidence(Cause.DATA, 0.0, "e"),), Cause.DATA)[0].share == 0.0


def test_one_stack_change_is_one_item() -> None:
    """Twenty-three metrics of three cameras are one incident, and none of them is told again on its own."""
    view = build(the_judged_example())
    (one,) = view.standing.loud
    assert (one.count, [group.title for group in one.groups]) == (23, ["HSC", "DECam", "MegaPrime"])
    assert (one.verdict, one.certainty, one.states) == (Verdict.FAIL, f"97{THIN}%", "")
    told = {(row.comparison.metric, row.comparison.scope) for row in view.standing.loose}
    assert told.isdisjoint(one.incident.members)
    assert view.headline == (
        "None of 5 cameras pass. 23 metrics of 3 cameras moved after a change of package meas_astrom: "
        "most likely the algorithm."
    )


def an_incident(name: str = "one") -> Incident:
    """Build an incident of a series at hand and one that is gone."""
    return Incident(name, Cause.ALGORITHM, (KEY, GONE), (), (), {}, f"{name} moved")


def test_members_that_the_night_does_not_hold_are_named() -> None:
    """An incident tells of all it moved, also of cameras that are gone from the registry."""
    night = a_night(a_camera_night(), comparisons=(a_comparison(factor=1.6),), incidents=(an_incident(),))
    (one,) = build(night).standing.incidents
    here, gone = one.groups
    assert (here.slug, len(here.rows), gone.slug, gone.rows) == ("testcam", 1, None, ())
    assert gone.lost == ("PA2 (gonecam/twin/r/t0)",)
    assert one.count == 2


def test_an_incident_of_an_earlier_night_stays_one_item_while_it_stands() -> None:
    """On the nights after, its members that still do not pass are shown together; when all pass, it is gone."""
    comparison = a_comparison(factor=1.6)
    finding = a_finding(incident="one", nights=2)
    night = a_night(a_camera_night(), comparisons=(comparison,), findings=(finding,), earlier=(an_incident(),))
    (one,) = build(night).standing.incidents
    assert (one.earlier, one.count, one.states) == (True, 1, "1 open")
    assert build(night).standing.loose == ()
    assert build(replace(night, comparisons=(a_comparison(),))).standing.incidents == ()


def test_other_incidents_are_counted_in_the_headline() -> None:
    """The worst incident has its sentence, the others their number."""
    night = a_night(a_camera_night(), comparisons=(a_comparison(factor=1.6),), incidents=(an_incident(),))
    other = replace(an_incident("two"), members=(GONE,))
    assert build(night).headline == "Testcam was the only camera to run. one moved."
    headline = build(replace(night, incidents=(other, an_incident()))).headline
    assert headline == "Testcam was the only camera to run. one moved, and 1 other incident."
