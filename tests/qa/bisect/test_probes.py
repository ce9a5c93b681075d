from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qa.bisect import Probe, choose
from qa.bisect.probes import NothingMovedError, with_small
from qa.metrics import catalogue
from qa.model import (
    Baseline,
    Change,
    Comparison,
    Lane,
    Level,
    Measurement,
    Plan,
    Scope,
    Stage,
    Status,
    Step,
    StepOutcome,
    StepStatus,
    Trigger,
    Unmeasured,
)
from qa.record import Measured, RunRecord
from qa.testing import NOW, a_camera, a_measurement

if TYPE_CHECKING:
    from qa.model import Result

SCOPE = Scope("testcam", "twin", "r", 0)


def a_record(
    *results: Result, dataset: str = "twin", lane: Lane = Lane.NIGHTLY, seconds: float = 2.0, name: str = "run"
) -> RunRecord:
    """Build a run that measured these, each of its five steps costing some seconds."""
    cameras = sorted({result.scope.camera for result in results})
    datasets = sorted({result.scope.dataset for result in results} | {dataset})
    steps = [Step(camera, data, stage) for camera in cameras for data in datasets for stage in Stage]
    outcomes = {step.key: StepOutcome(step, StepStatus.DONE, 3 * seconds, seconds, 1.0) for step in steps}
    measured = {
        (camera, data): Measured(
            camera, data, tuple(one for one in results if (one.scope.camera, one.scope.dataset) == (camera, data))
        )
        for camera in cameras
        for data in datasets
    }
    plan = Plan(name, lane, Trigger(), NOW, tuple(steps))
    return RunRecord(plan, {}, NOW, outcomes=outcomes, measured=measured)


def chosen(good: RunRecord, bad: RunRecord, **wanted: str) -> tuple[Probe, ...]:
    """Choose with the definitions of obsqa."""
    return choose(good, bad, definitions=catalogue(), **wanted)


def on(dataset: str, value: float, *, metric: str = "PA1", camera: str = "testcam") -> Measurement:
    """Build a measurement on a data set."""
    one = a_measurement(value, metric=metric, camera=camera)
    return replace(one, scope=replace(one.scope, dataset=dataset))


def test_the_metric_that_moved_most_is_chosen() -> None:
    """Of each data set the metric with most spreads, counted in the spread assumed of it; costs are the dearer."""
    good = a_record(a_measurement(5.0), a_measurement(5.0, metric="PA2"), seconds=4.0)
    bad = a_record(a_measurement(7.0), a_measurement(9.0, metric="PA2"), seconds=2.0)
    (probe,) = chosen(good, bad)
    assert (probe.metric, probe.scope, probe.unit, probe.lane) == ("PA2", SCOPE, "mmag", Lane.NIGHTLY)
    assert (probe.before, probe.after, probe.expected) == (5.0, 9.0, 4.0)
    assert probe.sigma == pytest.approx(4.0 / 0.09)
    assert (probe.cpu_seconds, probe.wall_seconds) == (20.0, 60.0)
    assert str(probe) == "PA2 of testcam/twin/r/t0"


def test_the_cheapest_data_set_comes_first() -> None:
    """However far a metric moved on the dearer one."""
    good = a_record(on("dear", 5.0), on("cheap", 5.0))
    bad = a_record(on("dear", 50.0), on("cheap", 7.0))
    outcomes = {
        key: one for key, one in bad.outcomes.items() if one.step.dataset == "dear" or one.step.stage is Stage.DRAW
    }
    good, bad = replace(good, outcomes={}), replace(bad, outcomes=outcomes)
    assert [(probe.scope.dataset, probe.cpu_seconds) for probe in chosen(good, bad)] == [("cheap", 2.0), ("dear", 10.0)]


def test_an_accepted_spread_is_used_and_told_if_learned() -> None:
    """A baseline's tolerance counts before what is assumed, unless it is in another unit."""
    good, now = a_record(a_measurement(5.0)), a_measurement(7.0)
    baseline = Baseline("PA1", SCOPE, 5.0, "mmag", None, 0.25, "run", learned=True)
    for accepted, expected in (
        (baseline, (0.25, True, 8.0)),
        (replace(baseline, unit="mag"), (0.07, False, 2.0 / 0.07)),
    ):
        comparison = Comparison(now, accepted, None, Change.STEP, Level.DESIGN, Status.WARN, 8.0, "")
        (probe,) = chosen(good, replace(a_record(now), comparisons=(comparison,)))
        assert (probe.spread, probe.learned, probe.sigma) == pytest.approx(expected)


def test_an_absence_in_the_comparisons_says_nothing_of_the_spread() -> None:
    """Comparisons without a baseline or a measurement are passed over."""
    missing = Comparison(Unmeasured("PA1", SCOPE, "x"), None, None, Change.MISSING, Level.DESIGN, Status.FAIL, None, "")
    bad = replace(a_record(a_measurement(7.0)), comparisons=(missing,))
    assert chosen(a_record(a_measurement(5.0)), bad)[0].spread == pytest.approx(0.07)


def test_metrics_of_others_are_counted_in_their_errors() -> None:
    """A metric that no definition describes is counted in its standard error over sqrt(n), or in rounding."""
    good, now = a_measurement(5.0, metric="their.PA1"), a_measurement(7.0, metric="their.PA1")
    assert chosen(a_record(good), a_record(now))[0].spread == pytest.approx(0.07)
    (probe,) = chosen(a_record(good), a_record(replace(now, stderr=None, n=0)))
    assert (probe.spread, probe.sigma) == (0.0, pytest.approx(2.0 / 7e-6))


def test_what_did_not_move_is_not_chosen() -> None:
    """Equal values, values of one run, other units, resources and six spreads or fewer do not show a change."""
    six = Measurement("PA1", SCOPE, 6.0, "mmag", 1, 1.0)
    pairs = [
        (a_measurement(5.0), a_measurement(5.0)),
        (a_measurement(5.0), a_measurement(7.0, band="i")),
        (a_measurement(5.0), replace(a_measurement(7.0), unit="mag")),
        (a_measurement(5.0), Unmeasured("PA1", SCOPE, "too few stars")),
        (a_measurement(5.0, metric="middleware_cpu"), a_measurement(500.0, metric="middleware_cpu")),
        (replace(six, value=0.0), six),
    ]
    for before, after in pairs:
        with pytest.raises(NothingMovedError, match="run: must differ from run in a metric by more than 6 run-to-run"):
            chosen(a_record(before), a_record(after))
    assert chosen(a_record(replace(six, value=-0.01)), a_record(six))[0].sigma == pytest.approx(6.01)


def test_a_metric_asked_for_may_have_moved_by_little() -> None:
    """Who names a metric knows what is wanted, resources included; who names another one gets nothing."""
    good, bad = a_record(a_measurement(5.0)), a_record(a_measurement(5.1))
    assert chosen(good, bad, metric="PA1")[0].sigma < 6
    slow, slower = a_measurement(5.0, metric="middleware_cpu"), a_measurement(9.0, metric="middleware_cpu")
    assert chosen(a_record(slow), a_record(slower), metric="middleware_cpu")[0].metric == "middleware_cpu"
    with pytest.raises(NothingMovedError, match="in PA2 by more"):
        chosen(good, bad, metric="PA2")


def test_camera_and_data_set_can_be_asked_for() -> None:
    """Nothing else is looked at then."""
    good = a_record(on("a", 5.0), on("b", 5.0), on("a", 5.0, camera="other"))
    bad = a_record(on("a", 7.0), on("b", 7.0), on("a", 7.0, camera="other"))
    assert len(chosen(good, bad)) == 3
    assert [str(one) for one in chosen(good, bad, camera="other")] == ["PA1 of other/a/r/t0"]
    assert [str(one) for one in chosen(good, bad, dataset="b")] == ["PA1 of testcam/b/r/t0"]


def test_the_commit_lane_comes_before_a_night() -> None:
    """The small data sets of a camera are tried first, on the same metric and band, at unknown cost."""
    (night,) = chosen(a_record(a_measurement(5.0)), a_record(a_measurement(7.0)))
    cameras = {"testcam": a_camera()}
    small, same = with_small([night], cameras)
    assert same is night
    assert (str(small), small.lane) == ("PA1 of testcam/twin-quick/r/t0", Lane.COMMIT)
    assert (small.cpu_seconds, small.wall_seconds, small.expected, small.learned) == (None, None, None, False)
    assert with_small([small, night], cameras) == (small, night)


def test_without_a_small_data_set_of_the_band_there_is_the_night() -> None:
    """An unknown camera, another band or a probe of another lane brings none; a metric of all bands does."""
    (night,) = chosen(a_record(a_measurement(5.0)), a_record(a_measurement(7.0)))
    assert with_small([night], {}) == (night,)
    assert with_small([night], {"testcam": a_camera(bands=("i",))}) == (night,)
    quick = replace(night, lane=Lane.COMMIT)
    assert with_small([quick], {"testcam": a_camera()}) == (quick,)
    bandless = replace(night, scope=replace(night.scope, band=None))
    assert len(with_small([bandless], {"testcam": a_camera(bands=("i",))})) == 2
