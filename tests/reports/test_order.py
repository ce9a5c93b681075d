from hypothesis import given
from hypothesis import strategies as st

from qa.model import Change, Comparison, Level, Measurement, Scope, Status, StepStatus, Unmeasured
from reports import order
from reports.night import RunStatus
from reports.order import Verdict
from reports.testing import a_camera_night, a_comparison, a_step

scopes = st.builds(Scope, st.sampled_from(["hsc", "decam"]), st.just("twin"), st.sampled_from(["r", "i", None]))
results = st.builds(Measurement, st.sampled_from(["PA1", "AM1"]), scopes, st.floats(-9, 9), st.just("mmag"), st.just(9))
comparisons = st.builds(
    Comparison,
    results,
    st.none(),
    st.none(),
    st.sampled_from(Change),
    st.sampled_from(Level),
    st.sampled_from(Status),
    st.none() | st.floats(-50, 50),
    st.text(max_size=5),
)


@given(st.lists(comparisons))
def test_failures_come_before_warnings_before_passes(found: list[Comparison]) -> None:
    """Worst first: the status decides before anything else, and nothing is lost."""
    ordered = order.worst_first(found)
    ranks = [[Status.FAIL, Status.WARN, Status.PASS].index(one.status) for one in ordered]
    assert ranks == sorted(ranks)
    assert len(ordered) == len(found)
    assert all(one in ordered for one in found)


@given(st.permutations([a_comparison("PA1", Scope(camera, "twin", band)) for camera in "abc" for band in "ri"]))
def test_the_order_does_not_depend_on_the_input(found: list[Comparison]) -> None:
    """Equal verdicts are ordered by name, so that two reports of one night are the same."""
    assert order.worst_first(found) == order.worst_first(reversed(found))


@given(st.lists(st.sampled_from(Verdict), min_size=1), st.sampled_from([0, 1, 3, 4, 2, 130]))
def test_a_night_is_no_better_than_its_worst_camera(verdicts: list[Verdict], code: int) -> None:
    """The verdict of a night is never better than that of a camera that ran, nor green when the exit code is not 0."""
    night = order.night_verdict(verdicts, code)
    ran = [one for one in verdicts if one is not Verdict.NOT_RUN]
    assert all(order.verdict_rank(night) <= order.verdict_rank(one) for one in ran)
    assert night is not Verdict.PASS or (code == 0 and ran)


def test_a_night_in_which_nothing_ran_is_never_green() -> None:
    """No camera, or only cameras that were not run, is incomplete even with exit code 0."""
    assert order.night_verdict([], 0) is Verdict.INCOMPLETE
    assert order.night_verdict([Verdict.NOT_RUN], 0) is Verdict.INCOMPLETE


def test_a_camera_that_ran_and_measured_nothing_does_not_pass() -> None:
    """Without a single measurement a camera is incomplete."""
    assert order.camera_verdict(a_camera_night(), []) is Verdict.INCOMPLETE
    absent = a_comparison(factor=None, accepted=True)
    assert isinstance(absent.result, Unmeasured)
    assert order.camera_verdict(a_camera_night(), [absent]) is Verdict.INCOMPLETE


def test_camera_verdicts() -> None:
    """A failed metric outweighs a crash, a crash a caveat, and a camera that was not run is not judged."""
    steady, broken = a_comparison(), a_comparison(factor=1.6)
    caveat = a_step("testcam", status=StepStatus.CAVEATS)
    assert order.camera_verdict(a_camera_night(), [steady]) is Verdict.PASS
    assert order.camera_verdict(a_camera_night(), [steady, broken]) is Verdict.FAIL
    assert order.camera_verdict(a_camera_night(steps=(caveat,)), [steady]) is Verdict.WARN
    assert order.camera_verdict(a_camera_night(status=RunStatus.FAILED), [steady]) is Verdict.ERROR
    assert order.camera_verdict(a_camera_night(status=RunStatus.FAILED), [broken]) is Verdict.FAIL
    assert order.camera_verdict(a_camera_night(status=RunStatus.NOT_RUN), []) is Verdict.NOT_RUN


def test_an_accepted_absence_is_neither_good_nor_bad() -> None:
    """It is shown apart from passes and failures."""
    assert order.cell_verdict(a_comparison(factor=None, accepted=True)) is Verdict.NOT_RUN
    assert order.cell_verdict(a_comparison(factor=None)) is Verdict.FAIL


def test_bands_go_from_blue_to_red() -> None:
    """Bands are sorted by wavelength, unknown ones last."""
    assert sorted(["y", "clear", "r", "u", "i"], key=order.band_rank) == ["u", "r", "i", "y", "clear"]
