from xml.etree import ElementTree as ET

from qa.model import Scope
from reports.example import the_example
from reports.judged_example import the_judged_example
from reports.junit import junit
from reports.night import RunStatus
from reports.testing import HOSTILE, a_camera_night, a_comparison, a_night
from reports.view import build


def parsed(*cameras: object, **more: object) -> ET.Element:
    """Return the JUnit document of a night."""
    return ET.fromstring(junit(build(a_night(*cameras, **more))))  # type: ignore[arg-type]  # noqa: S314


def test_the_shape_is_the_one_jenkins_reads() -> None:
    """Suites of cases; counts that add up; the attributes and the order of children of the usual schema."""
    root = ET.fromstring(junit(build(the_example())))  # noqa: S314
    assert root.tag == "testsuites"
    for suite in root:
        cases = suite.findall("testcase")
        assert set(suite.attrib) >= {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"}
        assert int(suite.attrib["tests"]) == len(cases)
        for kind in ("failure", "error", "skipped"):
            plural = {"failure": "failures", "error": "errors"}.get(kind, kind)
            assert int(suite.attrib[plural]) == len(suite.findall(f"testcase/{kind}"))
        assert [child.tag for child in suite] == ["properties", *["testcase"] * len(cases)]
        assert all(len(case) <= 1 and {"name", "classname", "time"} <= set(case.attrib) for case in cases)
    for key in ("tests", "failures", "errors", "skipped"):
        assert int(root.attrib[key]) == sum(int(suite.attrib[key]) for suite in root)


def test_no_two_cases_share_a_name() -> None:
    """The same metric of two bands or tasks is two cases: Jenkins would merge them."""
    root = ET.fromstring(junit(build(the_example())))  # noqa: S314
    names = [(case.attrib["classname"], case.attrib["name"]) for case in root.iter("testcase")]
    assert len(set(names)) == len(names)


def test_a_failure_carries_the_sentence_and_the_numbers() -> None:
    """Whoever reads only Jenkins learns what happened and where the limit is written."""
    root = parsed(a_camera_night(), comparisons=(a_comparison(factor=1.6),))
    (failure,) = root.iter("failure")
    assert "worsened" in failure.attrib["message"]
    assert failure.attrib["type"] == "step.below-minimum"
    assert "LPM-17" in (failure.text or "")


def test_absences_and_warnings() -> None:
    """An accepted absence is skipped, a missing metric fails, a warning passes with its sentence."""
    found = (
        a_comparison("AM3", Scope("testcam", "twin", "r"), factor=None, accepted=True),
        a_comparison("AM1", Scope("testcam", "twin", "r"), factor=None),
        a_comparison("AM2", Scope("testcam", "twin", "r"), factor=1.64, before=1.64),
    )
    cases = {
        case.attrib["name"]: [child.tag for child in case]
        for case in parsed(a_camera_night(), comparisons=found).iter("testcase")
    }
    assert cases == {"run": [], "AM3": ["skipped"], "AM1": ["failure"], "AM2": ["system-out"]}


def test_cameras_that_did_not_run() -> None:
    """A crash is an error, a camera left out is skipped, each with its reason."""
    crashed = a_camera_night("a", status=RunStatus.FAILED, reason="disk full")
    left_out = a_camera_night("b", status=RunStatus.NOT_RUN, reason="retired")
    root = parsed(crashed, left_out)
    assert [one.attrib["message"] for one in root.iter("error")] == ["disk full"]
    assert [one.attrib["message"] for one in root.iter("skipped")] == ["retired"]


def test_hostile_names_and_control_characters() -> None:
    """Whatever a reason holds, the document stays XML."""
    root = parsed(a_camera_night("a", status=RunStatus.FAILED, reason=HOSTILE + "\x00\ud800"))
    (error,) = root.iter("error")
    assert error.attrib["message"].startswith("<script>alert(1)</script> &")
    assert "\x07" not in error.attrib["message"]


def test_an_incident_is_told_by_each_of_its_failures() -> None:
    """A failure names the cause first and carries the grouped text; state and cause are properties of the case."""
    root = ET.fromstring(junit(build(the_judged_example())))  # noqa: S314
    cases = {f"{case.attrib['classname']} {case.attrib['name']}": case for case in root.iter("testcase")}
    failure = cases["hsc.twin.r.t0 psf_fwhm"].find("failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("algorithm: psf_fwhm worsened")
    for words in ("23 metrics of 3 cameras", "changed: package meas_astrom", "against camera: No"):
        assert words in (failure.text or "")
    facts = {one.attrib["name"]: one.attrib["value"] for one in cases["hsc.twin.r.t0 psf_fwhm"].iter("property")}
    assert (facts["state"], facts["cause"], facts["tags"]) == ("open", "algorithm", "new tonight")
    suite = next(one for one in root if one.attrib["name"] == "hsc")
    assert "incident 8c21f0d3" in {one.attrib["name"] for one in suite.findall("properties/property")}


def test_what_is_acknowledged_or_known_is_no_failure() -> None:
    """It passes with its sentence; a drift carries its forecast."""
    root = ET.fromstring(junit(build(the_judged_example())))  # noqa: S314
    cases = {f"{case.attrib['classname']} {case.attrib['name']}": case for case in root.iter("testcase")}
    for name in ("decam.twin.r.t0 PA1", "megaprime.twin.r.t0 AM2"):
        assert [child.tag for child in cases[name]] == ["properties", "system-out"]
    assert "It will cross design" in (cases["hsc.twin.i.t0 AA1"].findtext("system-out") or "")
