from qa.documents import to_plain
from reports.example import the_example
from reports.judged_example import the_judged_example
from reports.summary import Summary, summary
from reports.testing import a_finding, a_night
from reports.view import build


def test_the_summary_is_complete_and_plain() -> None:
    """Machines get every camera and finding, in values JSON can hold."""
    view = build(the_example())
    said = summary(view)
    assert (said.verdict, said.exit_code) == ("fail", 1)
    assert len(said.cameras) == 7
    assert len(said.findings) == len(view.findings)
    assert to_plain(said, Summary)["findings"][0]["scope"] == "decam/twin/r/t0"


def test_incidents_and_states_are_in_it() -> None:
    """Cause, probability, members and evidence of an incident; state, leave and forecast of a finding."""
    said = to_plain(summary(build(the_judged_example())), Summary)
    (incident,) = said["incidents"]
    assert (incident["cause"], len(incident["members"]), len(incident["evidence"])) == ("algorithm", 23, 5)
    assert 0.9 < incident["probability"] < 1
    findings = {f"{one['metric']} {one['scope']}": one for one in said["findings"]}
    known = findings["PA1 decam/twin/r/t0"]
    assert (known["state"], known["until"]) == ("acknowledged", "2026-03-20")
    assert findings["AA1 hsc/twin/i/t0"]["forecast"] == {
        "level": "design",
        "when": "2026-03-19",
        "earliest": "2026-03-11",
        "latest": "2026-04-06",
    }
    assert findings["PF1 hsc/twin/i/t0"]["state"] == "fixed"
    assert findings["psf_fwhm hsc/twin/r/t0"]["cause"] == "algorithm"


def test_a_finding_without_comparison_is_in_it() -> None:
    """An outage is one finding."""
    said = summary(build(a_night(findings=(a_finding("outage", kind="outage", reason="disk full"),))))
    assert [(one.metric, one.reason, one.kind) for one in said.findings] == [("outage", "disk full", "outage")]
