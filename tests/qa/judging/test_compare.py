"""The two-part verdict: change against the baseline, and requirement level reached."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import astropy.units  # noqa: F401 - loaded here: the first conversion must not take the time of a test
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qa.errors import UnknownNameError
from qa.judging.compare import (
    BREAKING,
    NOT_REPORTED,
    STEADY_WITHIN,
    DuplicateResultError,
    Policy,
    compare,
    compare_all,
    default_tolerance,
    is_below,
    worse_by,
)
from qa.judging.judged import Shift, ShiftKind
from qa.metrics import catalogue
from qa.metrics.base import Direction, MetricDefinition
from qa.model import Baseline, Change, Comparison, Ladder, Level, Measurement, Scope, Status, Unmeasured
from qa.requirements import UnitMismatchError, load
from qa.requirements.ladder import rank
from qa.requirements.waivers import Waiver

LPM_17 = load()
SCOPE = Scope("hsc", "twin", "r", 0)
LADDER = Ladder("PA1", "r", "mmag", "<=", 8.0, 5.0, 3.0, "LPM-17, Table 14")
ORDER = (Status.PASS, Status.WARN, Status.FAIL)
VALUES = st.floats(-100, 100)


def defined(
    direction: Direction = Direction.LOWER, *, family: str = "photometry", name: str = "PA1"
) -> MetricDefinition:
    """Define a metric in mmag."""
    return MetricDefinition(name, family, "title", "definition", "citation", "mmag", direction, None, ())


def measured(value: float, *, stderr: float | None = 0.1, metric: str = "PA1") -> Measurement:
    """Measure a value on 100 stars."""
    return Measurement(metric, SCOPE, value, "mmag", 100, stderr)


def accepted(value: float, *, tolerance: float = 0.01, stderr: float | None = 0.1, metric: str = "PA1") -> Baseline:
    """Make a baseline."""
    return Baseline(metric, SCOPE, value, "mmag", stderr, tolerance, "20260101T000000Z")


def judged(
    now: float | None,
    before: float | None,
    *,
    gate: Level = Level.MINIMUM,
    ladder: Ladder | None = LADDER,
    gating: bool = True,
    definition: MetricDefinition | None = None,
) -> Comparison:
    """Judge a value, or its absence, against a baseline, or none."""
    result = Unmeasured("PA1", SCOPE, "too few stars.") if now is None else measured(now)
    old = None if before is None else accepted(before)
    return compare(
        result, old, ladder, definition=definition or defined(), policy=Policy(None, gate=gate, gating=gating)
    )


@pytest.mark.parametrize(
    ("now", "before", "gate", "change", "level", "status"),
    [
        (4.0, None, Level.MINIMUM, Change.NEW, Level.DESIGN, Status.PASS),
        (9.0, None, Level.MINIMUM, Change.NEW, Level.BELOW_MINIMUM, Status.FAIL),
        (6.0, None, Level.DESIGN, Change.NEW, Level.MINIMUM, Status.FAIL),
        (4.0, 4.0, Level.MINIMUM, Change.STEADY, Level.DESIGN, Status.PASS),
        (4.029, 4.0, Level.MINIMUM, Change.STEADY, Level.DESIGN, Status.PASS),
        (9.0, 9.0, Level.MINIMUM, Change.STEADY, Level.BELOW_MINIMUM, Status.WARN),
        (6.0, 6.0, Level.DESIGN, Change.STEADY, Level.MINIMUM, Status.WARN),
        (8.01, 7.99, Level.MINIMUM, Change.STEADY, Level.BELOW_MINIMUM, Status.FAIL),
        (2.0, 4.0, Level.MINIMUM, Change.IMPROVED, Level.STRETCH, Status.PASS),
        (4.0, 9.0, Level.MINIMUM, Change.IMPROVED, Level.DESIGN, Status.PASS),
        (8.5, 9.0, Level.MINIMUM, Change.IMPROVED, Level.BELOW_MINIMUM, Status.WARN),
        (4.5, 4.0, Level.MINIMUM, Change.STEP, Level.DESIGN, Status.WARN),
        (7.5, 4.0, Level.MINIMUM, Change.STEP, Level.MINIMUM, Status.WARN),
        (7.5, 4.0, Level.DESIGN, Change.STEP, Level.MINIMUM, Status.FAIL),
        (8.5, 4.0, Level.MINIMUM, Change.STEP, Level.BELOW_MINIMUM, Status.FAIL),
        (9.5, 9.0, Level.MINIMUM, Change.STEP, Level.BELOW_MINIMUM, Status.FAIL),
        (None, 4.0, Level.MINIMUM, Change.MISSING, Level.NOT_APPLICABLE, Status.FAIL),
        (None, None, Level.MINIMUM, Change.MISSING, Level.NOT_APPLICABLE, Status.WARN),
    ],
)
def test_the_decision_table(
    now: float | None, before: float | None, gate: Level, change: Change, level: Level, status: Status
) -> None:
    """Every row of the table in the module's docstring."""
    one = judged(now, before, gate=gate)
    assert (one.change, one.level, one.status) == (change, level, status)


@pytest.mark.parametrize(
    ("now", "before", "change", "status"),
    [
        (4.0, None, Change.NEW, Status.PASS),
        (4.0, 4.0, Change.STEADY, Status.PASS),
        (3.0, 4.0, Change.IMPROVED, Status.PASS),
        (4.5, 4.0, Change.STEP, Status.WARN),
        (4.8, 4.0, Change.STEP, Status.FAIL),
    ],
)
def test_without_a_requirement(now: float, before: float | None, change: Change, status: Status) -> None:
    """A step fails only where the sampling of two independent sets of exposures could not explain it."""
    one = judged(now, before, ladder=None)
    assert (one.change, one.level, one.status) == (change, Level.NOT_APPLICABLE, status)


def test_a_step_without_requirement_or_error_only_warns() -> None:
    """Nothing says how bad it is."""
    one = compare(measured(400.0, stderr=None), accepted(4.0, stderr=None), None, definition=defined(), policy=Policy())
    assert (one.change, one.status) == (Change.STEP, Status.WARN)


def test_an_accepted_absence_is_steady() -> None:
    """What the data cannot give does not make every night red."""
    absent = Unmeasured("PA1", SCOPE, "half a degree has no pairs at 200 arcmin")
    one = compare(absent, absent, LADDER, definition=defined(), policy=Policy())
    assert (one.change, one.status, one.baseline) == (Change.STEADY, Status.PASS, None)
    assert one.reason == "PA1 was not measured, as accepted: half a degree has no pairs at 200 arcmin."


def test_a_value_where_an_absence_was_accepted_is_new() -> None:
    """The sentence recalls why it was absent."""
    one = compare(
        measured(4.0), Unmeasured("PA1", SCOPE, "too few stars."), LADDER, definition=defined(), policy=Policy()
    )
    assert (one.change, one.status) == (Change.NEW, Status.PASS)
    assert "its absence was accepted (too few stars)" in one.reason


@pytest.mark.parametrize(("now", "before"), [(9.0, None), (8.5, 4.0), (9.5, 9.0), (None, 4.0)])
def test_a_camera_that_does_not_gate_only_warns(now: float | None, before: float | None) -> None:
    """An orphaned camera is judged alike and fails nothing."""
    one = judged(now, before, gating=False)
    assert (one.change, one.status) == (judged(now, before).change, Status.WARN)
    assert one.reason.endswith("; this camera does not gate.")


@pytest.mark.parametrize("now", [None, 40.0])
def test_resources_only_warn(now: float | None) -> None:
    """Ten times the CPU time is worth a warning, not a red night."""
    one = judged(now, 4.0, ladder=None, definition=defined(family="resources"))
    assert one.status is Status.WARN
    assert one.reason.endswith("; resources are noisy and only warn.")


@pytest.mark.parametrize(
    ("direction", "now", "before", "change"),
    [
        (Direction.LOWER, 5.0, 4.0, Change.STEP),
        (Direction.HIGHER, 5.0, 4.0, Change.IMPROVED),
        (Direction.HIGHER, 3.0, 4.0, Change.STEP),
        (Direction.ZERO, -5.0, 4.0, Change.STEP),
        (Direction.ZERO, -1.0, 4.0, Change.IMPROVED),
        (Direction.ZERO, -4.0, 4.0, Change.STEP),
        (Direction.ZERO, -3.99, 4.0, Change.STEP),
        (Direction.ZERO, 1.0, -4.0, Change.IMPROVED),
    ],
)
def test_direction_says_what_is_worse(direction: Direction, now: float, before: float, change: Change) -> None:
    """Lower, higher or nearer to zero is better; a mere change of sign is a step."""
    assert judged(now, before, ladder=None, definition=defined(direction)).change is change


def test_a_metric_best_at_zero_is_held_against_its_requirement_by_size() -> None:
    """A bias of -9 is as bad as one of 9."""
    assert judged(-9.0, None, definition=defined(Direction.ZERO)).level is Level.BELOW_MINIMUM


@given(VALUES, VALUES, st.floats(0, 10), st.sampled_from(Direction))
def test_sigma_is_antisymmetric(now: float, before: float, tolerance: float, direction: Direction) -> None:
    """Exchanging night and baseline turns the sign of sigma."""
    there, back = (
        compare(
            measured(one),
            accepted(two, tolerance=tolerance),
            None,
            definition=defined(direction),
            policy=Policy(),
        )
        for one, two in ((now, before), (before, now))
    )
    assert there.sigma == -(back.sigma or 0.0)
    if there.change is Change.STEADY:
        assert back.change is Change.STEADY
    if there.change is Change.IMPROVED:
        assert back.change is Change.STEP


@given(VALUES, VALUES)
def test_sigma_agrees_with_the_change(now: float, before: float) -> None:
    """For a metric that is better when lower, sigma alone tells steady, improved and step apart."""
    one = judged(now, before)
    sigma = one.sigma
    assert sigma is not None
    assume(not math.isclose(abs(sigma), STEADY_WITHIN, rel_tol=1e-9))
    expected = Change.STEADY if abs(sigma) < STEADY_WITHIN else Change.STEP if sigma > 0 else Change.IMPROVED
    assert one.change is expected


@given(st.floats(0, 20), st.floats(0, 20), st.floats(0, 20), st.sampled_from([Level.MINIMUM, Level.DESIGN]))
def test_judging_is_monotone(one: float, two: float, before: float, gate: Level) -> None:
    """A worse value never gets a better status."""
    better, worse = sorted((one, two))
    first, second = judged(better, before, gate=gate), judged(worse, before, gate=gate)
    assert ORDER.index(first.status) <= ORDER.index(second.status)


@given(st.floats(0, 20), st.one_of(st.none(), st.floats(0, 20)))
def test_below_the_gate_never_passes(now: float, before: float | None) -> None:
    """Whatever the baseline says."""
    one = judged(now, before)
    if is_below(one.level, Level.MINIMUM):
        assert one.status is not Status.PASS


@given(st.floats(0.01, 20), st.floats(0.01, 20))
def test_a_change_of_unit_changes_no_verdict(now: float, before: float) -> None:
    """A night in mag against a baseline in mmag is judged as one in mmag."""
    plain = judged(now, before)
    assume(plain.sigma is not None and not math.isclose(abs(plain.sigma), STEADY_WITHIN, rel_tol=1e-6))
    in_mag = replace(measured(now), value=now / 1000, unit="mag", stderr=0.0001)
    ladder = replace(LADDER, unit="mag", minimum=0.008, design=0.005, stretch=0.003)
    other = compare(in_mag, accepted(before), ladder, definition=defined(), policy=Policy())
    assert (other.change, other.level, other.status) == (plain.change, plain.level, plain.status)
    assert other.ladder is not None
    assert (other.result.unit, other.ladder.unit) == ("mmag", "mmag")  # type: ignore[union-attr]


def test_a_baseline_in_another_unit_is_converted() -> None:
    """Value, error and tolerance of a baseline in mag become mmag."""
    old = Baseline("PA1", SCOPE, 0.004, "mag", 0.0001, 0.00001, "run")
    one = compare(measured(4.0), old, LADDER, definition=defined(), policy=Policy())
    assert one.change is Change.STEADY
    assert one.baseline is not None
    assert one.baseline.tolerance == pytest.approx(0.01)


def test_a_unit_of_another_kind_is_refused() -> None:
    """An angle cannot be a scatter of magnitudes; the line says whose."""
    with pytest.raises(UnitMismatchError, match="baseline of PA1 of hsc/twin/r/t0: the unit must be convertible"):
        compare(measured(4.0), replace(accepted(4.0), unit="mas"), LADDER, definition=defined(), policy=Policy())


@pytest.mark.parametrize(
    ("now", "before", "reason"),
    [
        (4.0, None, "PA1 is 4 mmag and has no baseline yet; it reaches design (at most 5 mmag, LPM-17, Table 14)."),
        (4.0, 4.0, "PA1 is 4 mmag, exactly its baseline; it reaches design (at most 5 mmag, LPM-17, Table 14)."),
        (
            6.0,
            4.0,
            (
                "PA1 worsened from 4 mmag to 6 mmag (+2 mmag, 200 times its run-to-run spread); "
                "it reaches minimum (at most 8 mmag, LPM-17, Table 14); design is lost."
            ),
        ),
        (
            9.0,
            4.0,
            (
                "PA1 worsened from 4 mmag to 9 mmag (+5 mmag, 500 times its run-to-run spread); "
                "it misses minimum (at most 8 mmag, LPM-17, Table 14); design is lost; "
                "this crosses below the camera's gate, which the baseline met."
            ),
        ),
        (None, 4.0, "PA1 was not measured: too few stars; its baseline is 4 mmag."),
    ],
)
def test_the_sentence_says_why(now: float | None, before: float | None, reason: str) -> None:
    """One plain sentence with numbers, units and the place of the requirement."""
    assert judged(now, before).reason == reason


@given(VALUES, VALUES)
def test_numbers_that_differ_are_written_differently(now: float, before: float) -> None:
    """A step from 4.00001 to 4.00009 is not told as one from 4 to 4."""
    one = judged(now, before, ladder=None)
    if one.change in {Change.STEP, Change.IMPROVED}:
        words = one.reason.split(" from ")[1].split(" (")[0]
        first, second = words.split(" to ")
        assert first != second


def policy_all() -> Policy:
    """Make the default policy."""
    return Policy(LPM_17)


def test_everything_owed_is_judged() -> None:
    """What was measured, expected or once accepted gives one comparison each, in order of metric and scope."""
    results = [measured(4.0), measured(1.0, metric="PF1")]
    expected = [("PA1", SCOPE), ("AM1", SCOPE)]
    old = {("PA2", SCOPE): accepted(15.0, metric="PA2")}
    definitions = {name: replace(defined(name=name), unit="mmag") for name in ("PA1", "PF1", "PA2", "AM1")}
    found = compare_all(results, expected, old, definitions=definitions, policy=Policy())
    assert [(one.metric, one.change, one.status) for one in found] == [
        ("AM1", Change.MISSING, Status.FAIL),
        ("PA1", Change.NEW, Status.PASS),
        ("PA2", Change.MISSING, Status.FAIL),
        ("PF1", Change.NEW, Status.PASS),
    ]
    assert NOT_REPORTED in found[0].reason


def test_requirements_are_looked_up_by_metric_and_band() -> None:
    """PA1 in r is held against the ladder of r."""
    (one,) = compare_all([measured(7.0)], [], {}, definitions=catalogue(), policy=policy_all())
    assert one.ladder is not None
    assert (one.ladder.minimum, one.level) == (8.0, Level.MINIMUM)


def test_two_results_of_one_scope_are_refused() -> None:
    """A run cannot say two things of one metric."""
    with pytest.raises(DuplicateResultError, match="PA1 of hsc/twin/r/t0"):
        compare_all([measured(4.0), measured(5.0)], [], {}, definitions=catalogue(), policy=policy_all())


def test_an_unknown_metric_is_refused() -> None:
    """A metric without a definition has no direction to be judged in."""
    with pytest.raises(UnknownNameError, match="no metric is called 'PX9'"):
        compare_all([measured(4.0, metric="PX9")], [], {}, definitions=catalogue(), policy=policy_all())


@given(st.permutations([measured(4.0), measured(15.0, metric="PA2"), replace(measured(1.0, metric="AM1"), unit="mas")]))
def test_the_order_of_results_changes_nothing(results: list[Measurement]) -> None:
    """A permutation of the results gives the same comparisons."""
    found = compare_all(results, [], {}, definitions=catalogue(), policy=policy_all())
    assert [one.metric for one in found] == ["AM1", "PA1", "PA2"]


def test_the_assumed_spread() -> None:
    """One object in n, a fraction of a resource, nothing for a count."""
    assert default_tolerance(measured(4.0, stderr=0.5), defined()) == pytest.approx(0.05)
    assert default_tolerance(measured(4.0, stderr=None), defined()) == 0.0
    resource = defined(family="resources")
    assert default_tolerance(measured(4.0), resource) == pytest.approx(1.6)
    assert default_tolerance(measured(100.0, metric="peak_memory"), resource) == pytest.approx(10.0)


def test_worse_is_signed() -> None:
    """Positive when worse, in each direction."""
    assert worse_by(5, 4, Direction.LOWER) == 1
    assert worse_by(5, 4, Direction.HIGHER) == -1
    assert worse_by(-5, 4, Direction.ZERO) == 1


def test_zero_against_zero_is_steady() -> None:
    """No false detection tonight, none at the baseline: no division by nothing."""
    one = compare(
        measured(0.0, stderr=None), accepted(0.0, tolerance=0.0), LADDER, definition=defined(), policy=Policy()
    )
    assert (one.change, one.sigma) == (Change.STEADY, 0.0)


def test_the_breaking_point_is_in_independent_errors() -> None:
    """Just within five joint standard errors warns, just beyond fails."""
    joint = BREAKING * math.hypot(0.01, 0.1, 0.1)
    assert judged(4.0 + 0.999 * joint, 4.0, ladder=None).status is Status.WARN
    assert judged(4.0 + 1.001 * joint, 4.0, ladder=None).status is Status.FAIL


def test_requirements_and_metrics_agree_on_the_direction() -> None:
    """Where LPM-17 asks for at most, the metric is better when lower, or nearer to zero."""
    for name, definition in catalogue().items():
        requirement = LPM_17.requirement(name)
        if requirement is not None:
            higher = definition.direction is Direction.HIGHER
            assert (requirement.operator == ">=") is higher, name


def test_resources_are_a_family_of_the_catalogue() -> None:
    """The policy for resources is bound to the family's name."""
    families = {definition.family for definition in catalogue().values()}
    assert "resources" in families
    assert rank(Level.STRETCH) == 3


def test_a_gate_that_is_missed_is_named() -> None:
    """With its target, beside the level that is reached."""
    one = judged(6.0, 6.0, gate=Level.DESIGN)
    assert "it reaches minimum (at most 8 mmag, LPM-17, Table 14), and the camera's gate is design" in one.reason
    assert one.reason.endswith("a known deficit, below the camera's gate since the baseline was accepted.")


def test_rounding_is_no_change() -> None:
    """Without any tolerance the last bits may differ between processors, and a change worth writing may not."""
    steady, step = (
        compare(measured(now), accepted(4.0, tolerance=0.0), LADDER, definition=defined(), policy=Policy())
        for now in (4.000004, 4.0004)
    )
    assert (steady.change, step.change) == (Change.STEADY, Change.STEP)


def shifted(
    kind: ShiftKind = ShiftKind.DRIFT, *, before: float = 4.0, after: float = 4.5, sigma: float = 5.0, found: int = 2
) -> Shift:
    """Make a change of the history."""
    began = datetime(2026, 2, 20, tzinfo=UTC)
    return Shift("PA1", SCOPE, kind, began, datetime(2026, 3, found, tzinfo=UTC), before, after, sigma, 0.001)


def with_history(
    now: float,
    before: float | None,
    shift: Shift,
    *,
    tolerance: float = 1.0,
    definition: MetricDefinition | None = None,
    ladder: Ladder | None = LADDER,
) -> Comparison:
    """Judge a value with a wide tolerance, and what the history says of it."""
    old = None if before is None else accepted(before, tolerance=tolerance)
    definition = definition or defined()
    return compare(measured(now), old, ladder, definition=definition, policy=Policy(), shift=shift)


@pytest.mark.parametrize(
    ("now", "before", "kind", "change", "status"),
    [
        (4.5, 4.0, ShiftKind.DRIFT, Change.DRIFT, Status.WARN),
        (4.5, 4.0, ShiftKind.STEP, Change.STEP, Status.WARN),
        (4.5, 4.0, ShiftKind.SPIKE, Change.STEP, Status.WARN),
        (4.5, 4.0, ShiftKind.GAP, Change.STEADY, Status.PASS),
        (4.5, None, ShiftKind.DRIFT, Change.DRIFT, Status.WARN),
        (4.5, 7.9, ShiftKind.DRIFT, Change.DRIFT, Status.WARN),
        (8.5, 8.4, ShiftKind.DRIFT, Change.DRIFT, Status.WARN),
        (8.5, 4.0, ShiftKind.DRIFT, Change.DRIFT, Status.FAIL),
        (9.0, None, ShiftKind.STEP, Change.STEP, Status.FAIL),
    ],
)
def test_what_the_history_adds(
    now: float, before: float | None, kind: ShiftKind, change: Change, status: Status
) -> None:
    """It names a drift, and lets warn what the baseline lets pass; what fails, fails without it."""
    one = with_history(now, before, shifted(kind))
    assert (one.change, one.status) == (change, status)


def test_the_history_is_told_in_a_clause() -> None:
    """From where to where, since when."""
    assert with_history(4.5, 4.0, shifted()).reason.endswith(
        "; over the nights it has drifted from 4 mmag to 4.5 mmag since 2026-02-20."
    )
    assert with_history(4.5, 4.0, shifted(ShiftKind.STEP)).reason.endswith(
        "; over the nights it stepped from 4 mmag to 4.5 mmag on 2026-02-20."
    )
    assert with_history(4.5, 4.0, shifted(ShiftKind.SPIKE)).reason.endswith(
        "; it is a spike: the nights before it was 4 mmag."
    )


@pytest.mark.parametrize(
    ("now", "before", "shift", "counts"),
    [
        (4.25, 4.0, shifted(), True),  # half-way: not yet back
        (4.24, 4.0, shifted(), False),
        (4.0, 4.0, shifted(), False),
        (4.5, 4.25, shifted(), False),  # a baseline within half the shift of the new level
        (4.5, 4.24, shifted(), True),
        (4.5, 4.75, shifted(), False),
        (4.5, 4.76, shifted(), True),
        (3.5, 4.0, shifted(after=3.5, sigma=-5.0), False),  # for the better
        (4.0, 4.0, shifted(after=4.0), False),  # no change at all
        (4.5, 4.0, shifted(sigma=0.0), True),  # a series without any noise
    ],
)
def test_when_the_history_counts(now: float, before: float, shift: Shift, counts: bool) -> None:  # noqa: FBT001 - a table
    """For the worse, until the value is back or the new level is accepted."""
    assert (with_history(now, before, shift).change is Change.DRIFT) is counts


def test_a_change_of_sign_counts_for_metrics_best_at_zero() -> None:
    """As it does against the baseline."""
    shift = shifted(before=4.0, after=-4.0)
    zero = defined(Direction.ZERO)
    assert with_history(-4.0, 4.0, shift, tolerance=9.0, definition=zero, ladder=None).change is Change.DRIFT


def test_an_absence_has_no_history() -> None:
    """A value that is not there did not drift."""
    one = compare(
        Unmeasured("PA1", SCOPE, "no stars"), None, None, definition=defined(), policy=Policy(), shift=shifted()
    )
    assert one.change is Change.MISSING


def test_the_latest_shift_of_a_series_counts() -> None:
    """In whatever order they come, and of that series alone."""
    early, late = shifted(found=2), shifted(ShiftKind.STEP, found=3)
    for shifts in ([early, late], [late, early]):
        (one,) = compare_all([measured(4.5)], [], {}, definitions={"PA1": defined()}, policy=Policy(), shifts=shifts)
        assert one.change is Change.STEP
    other = [replace(early, scope=replace(SCOPE, band="i")), replace(early, metric="PA2")]
    (one,) = compare_all([measured(4.5)], [], {}, definitions={"PA1": defined()}, policy=Policy(), shifts=other)
    assert one.change is Change.NEW


@given(st.floats(0, 20), st.floats(0, 20), st.floats(0, 20), st.sampled_from(ShiftKind), st.floats(0, 20))
def test_judging_with_a_history_is_monotone(one: float, two: float, before: float, kind: ShiftKind, low: float) -> None:
    """A worse value never gets a better status, at the same baseline and history."""
    better, worse = sorted((one, two))
    shift = shifted(kind, before=low, after=low + 1.0)
    first, second = (with_history(value, before, shift) for value in (better, worse))
    assert ORDER.index(first.status) <= ORDER.index(second.status)


@given(st.floats(0, 20), st.one_of(st.none(), st.floats(0, 20)), st.sampled_from(ShiftKind))
def test_a_history_never_mends_a_verdict(now: float, before: float | None, kind: ShiftKind) -> None:
    """It lets pass nothing that fails, and fails nothing that passes."""
    plain = judged(now, before)
    told = with_history(now, before, shifted(kind), tolerance=0.01)
    assert ORDER.index(told.status) >= ORDER.index(plain.status)
    assert (told.status is Status.FAIL) is (plain.status is Status.FAIL)


def learned(value: float, *, tolerance: float = 0.0, unit: str = "mmag") -> Baseline:
    """Make a baseline whose spread was learned."""
    return replace(accepted(value, tolerance=tolerance), learned=True, unit=unit)


HERE = Policy(same_processor=frozenset({"20260101T000000Z"}))


@pytest.mark.parametrize(
    ("now", "tolerance", "policy", "change"),
    [
        (math.nextafter(4.0, 5), 0.0, HERE, Change.STEP),
        (math.nextafter(4.0, 3), 0.0, HERE, Change.IMPROVED),
        (4.0, 0.0, HERE, Change.STEADY),
        (math.nextafter(4.0, 5), 0.0, Policy(), Change.STEADY),
        (4.000004, 0.0, Policy(), Change.STEADY),
        (4.000004, 0.000001, HERE, Change.STEP),
        (4.000002, 0.000001, HERE, Change.STEADY),
    ],
)
def test_a_learned_spread_has_no_floor_on_the_same_processor(
    now: float, tolerance: float, policy: Policy, change: Change
) -> None:
    """Learned to be zero, any difference is a change; elsewhere the last bits may differ."""
    one = compare(measured(now), learned(4.0, tolerance=tolerance), LADDER, definition=defined(), policy=policy)
    assert one.change is change
    assert math.isfinite(one.sigma or 0.0)


def test_only_a_learned_spread_has_no_floor() -> None:
    """An assumed one knows nothing of bits."""
    old = accepted(4.0, tolerance=0.0)
    assert compare(measured(4.000004), old, LADDER, definition=defined(), policy=HERE).change is Change.STEADY


def test_a_change_of_bits_is_told_as_one() -> None:
    """Times a spread of zero would say nothing."""
    one = compare(measured(5.0), learned(4.0), LADDER, definition=defined(), policy=HERE)
    assert one.reason.startswith(
        "PA1 worsened from 4 mmag to 5 mmag (+1 mmag, and repeated runs give the same bits); it reaches design"
    )
    spread = compare(measured(5.0), learned(4.0, tolerance=0.01), LADDER, definition=defined(), policy=HERE)
    assert "100 times its run-to-run spread" in spread.reason
    assumed = compare(measured(5.0), accepted(4.0, tolerance=0.0), LADDER, definition=defined(), policy=HERE)
    assert "times its run-to-run spread" in assumed.reason


def test_an_unlearned_zero_far_from_the_baseline_keeps_its_sigma_finite() -> None:
    """From a learned zero to any value: the last place of the value is what is counted in."""
    one = compare(measured(1e300), learned(0.0), None, definition=defined(), policy=HERE)
    assert one.sigma == pytest.approx(2.0**52)


WAIVER = Waiver("PA1", "the camera has a broken shutter.", date(2026, 3, 1), bands=("r",), ticket="DM-1")


def waived(now: float, before: float | None, *, today: date | None = date(2026, 3, 1), **more: object) -> Comparison:
    """Judge with a waiver."""
    policy = Policy(waivers=(replace(WAIVER, **more),), today=today)  # type: ignore[arg-type]
    old = None if before is None else accepted(before)
    return compare(measured(now), old, LADDER, definition=defined(), policy=policy)


@pytest.mark.parametrize(
    ("now", "before", "status"), [(9.0, None, Status.WARN), (9.0, 4.0, Status.WARN), (9.5, 9.0, Status.FAIL)]
)
def test_a_waived_value_below_the_gate_warns(now: float, before: float | None, status: Status) -> None:
    """It is leave to be below, not to get worse than what was accepted."""
    assert waived(now, before).status is status


def test_a_waiver_says_until_when_and_why() -> None:
    """And where that is discussed."""
    assert waived(9.0, None).reason.endswith("; waived until 2026-03-01: the camera has a broken shutter (DM-1).")
    assert waived(9.0, None, ticket=None).reason.endswith("the camera has a broken shutter.")


def test_an_expired_waiver_is_none_and_says_so() -> None:
    """The day after its last."""
    one = waived(9.0, None, today=date(2026, 3, 2))
    assert one.status is Status.FAIL
    assert one.reason.endswith("; its waiver expired on 2026-03-01: the camera has a broken shutter (DM-1).")


@pytest.mark.parametrize("more", [{"today": None}, {"metric": "PA2"}, {"bands": ("i",)}])
def test_a_waiver_is_of_its_metric_and_bands_and_of_a_day(more: dict[str, Any]) -> None:
    """Others, and a day that is not known, change nothing."""
    assert waived(9.0, None, **more) == judged(9.0, None)


def test_a_waiver_excuses_no_absence_and_no_step_without_requirement() -> None:
    """There is no level that it is below of."""
    policy = Policy(waivers=(WAIVER,), today=date(2026, 3, 1))
    gone = compare(Unmeasured("PA1", SCOPE, "no stars"), accepted(4.0), LADDER, definition=defined(), policy=policy)
    assert gone.status is Status.FAIL
    assert compare(measured(9.0), accepted(4.0), None, definition=defined(), policy=policy).status is Status.FAIL


@given(st.permutations(["hsc", "decam", "latiss"]))
def test_the_order_of_cameras_changes_nothing(cameras: list[str]) -> None:
    """Each is judged alone, whatever was judged before it."""
    alone = {
        name: compare_all(
            [replace(measured(4.0), scope=replace(SCOPE, camera=name))],
            [],
            {},
            definitions=catalogue(),
            policy=policy_all(),
        )
        for name in cameras
    }
    together = compare_all(
        [replace(measured(4.0), scope=replace(SCOPE, camera=name)) for name in cameras],
        [],
        {},
        definitions=catalogue(),
        policy=policy_all(),
    )
    assert together == tuple(one for name in sorted(cameras) for one in alone[name])


UNITS = {"mmag": 1.0, "mag": 1e-3}


@given(
    st.floats(0.01, 20),
    st.floats(0.01, 20),
    st.sampled_from(sorted(UNITS)),
    st.sampled_from(sorted(UNITS)),
    st.sampled_from(sorted(UNITS)),
)
def test_units_of_result_baseline_and_requirement_change_no_verdict(
    now: float, before: float, of_result: str, of_baseline: str, of_ladder: str
) -> None:
    """Each may come in its own unit."""
    plain = judged(now, before)
    assume(plain.sigma is not None and not math.isclose(abs(plain.sigma), STEADY_WITHIN, rel_tol=1e-6))
    assume(plain.sigma == 0 or abs(now - before) > 1e-9)
    one, two, three = UNITS[of_result], UNITS[of_baseline], UNITS[of_ladder]
    other = compare(
        replace(measured(now), value=now * one, unit=of_result, stderr=0.1 * one),
        replace(accepted(before), value=before * two, unit=of_baseline, stderr=0.1 * two, tolerance=0.01 * two),
        replace(LADDER, unit=of_ladder, minimum=8.0 * three, design=5.0 * three, stretch=3.0 * three),
        definition=defined(),
        policy=Policy(),
    )
    assert (other.change, other.level, other.status) == (plain.change, plain.level, plain.status)


def test_a_missing_unit_is_refused() -> None:
    """A number without a unit is not taken for one of the definition's."""
    line = "PA1 of hsc/twin/r/t0: the unit must be convertible to 'mmag', got ''"
    with pytest.raises(UnitMismatchError, match=re.escape(line)):
        compare(replace(measured(4.0), unit=""), None, None, definition=defined(), policy=Policy())


def test_an_absence_keeps_what_was_accepted_and_what_is_required() -> None:
    """The report shows both."""
    one = judged(None, 4.0)
    assert (one.baseline, one.ladder, one.sigma) == (accepted(4.0), LADDER, None)


def test_everything_is_compared_with_its_own_baseline() -> None:
    """A night of several metrics, and of several bands, mixes nothing up."""
    other = replace(SCOPE, band="i")
    old = {
        ("PA1", SCOPE): accepted(4.0),
        ("PA1", other): replace(accepted(9.0), scope=other),
        ("PA2", SCOPE): accepted(5.0, metric="PA2"),
    }
    results = [measured(4.0), replace(measured(4.0), scope=other), measured(6.0, metric="PA2")]
    definitions = {name: defined(name=name) for name in ("PA1", "PA2")}
    found = compare_all(results, [], old, definitions=definitions, policy=Policy())
    assert [(one.metric, one.scope.band, one.change) for one in found] == [
        ("PA1", "i", Change.IMPROVED),
        ("PA1", "r", Change.STEADY),
        ("PA2", "r", Change.STEP),
    ]
    assert [one.baseline for one in found] == [old["PA1", other], old["PA1", SCOPE], old["PA2", SCOPE]]


def test_what_was_not_reported_is_missed_under_its_own_scope() -> None:
    """Also where scopes with and without a band are side by side."""
    whole = Scope("hsc", "twin")
    found = compare_all([], [("PA1", SCOPE), ("PA1", whole)], {}, definitions={"PA1": defined()}, policy=Policy())
    assert [one.scope for one in found] == [whole, SCOPE]


def test_a_metric_best_at_zero_crosses_the_gate_by_its_size() -> None:
    """Now and at the baseline."""
    zero = defined(Direction.ZERO)
    crossed = judged(-9.0, 4.0, definition=zero)
    assert (crossed.level, crossed.status) == (Level.BELOW_MINIMUM, Status.FAIL)
    assert crossed.reason.endswith("; this crosses below the camera's gate, which the baseline met.")
    deficit = judged(-9.0, -9.0, definition=zero)
    assert (deficit.level, deficit.status) == (Level.BELOW_MINIMUM, Status.WARN)


def test_a_new_value_below_the_gate_says_so() -> None:
    """It has no baseline to be blamed on."""
    assert judged(9.0, None).reason.endswith("; it is below the camera's gate from the start.")


@pytest.mark.parametrize(
    ("now", "told"), [(4.0, "PA1 is 4 mmag, exactly its baseline"), (4.02, "within the run-to-run")]
)
def test_what_nothing_is_required_of_ends_with_that(now: float, told: str) -> None:
    """Steady and a little step alike."""
    assert told in judged(now, 4.0, ladder=None).reason
    assert judged(now, 4.0, ladder=None).reason.endswith("; nothing is required of it.")
    assert judged(4.1, 4.0, ladder=None).reason.endswith("; nothing is required of it.")


def test_a_change_without_a_tale_is_told_by_its_kind() -> None:
    """Improved, worsened, or neither."""
    assert judged(2.0, 4.0).reason.startswith("PA1 improved from 4 mmag to 2 mmag (-2 mmag, 200 times")
    sign = judged(-4.0, 4.0, ladder=None, definition=defined(Direction.ZERO))
    assert sign.reason.startswith("PA1 moved without getting better from 4 mmag to -4 mmag")


def test_a_requirement_of_one_level_is_not_gated_beyond_it() -> None:
    """A gate at stretch asks no more of it than there is."""
    only = replace(LADDER, minimum=8.0, design=8.0, stretch=8.0, only=Level.MINIMUM)
    assert judged(7.0, None, gate=Level.STRETCH, ladder=only).status is Status.PASS
    assert judged(9.0, None, gate=Level.STRETCH, ladder=only).status is Status.FAIL


def test_exactly_five_independent_errors_only_warn() -> None:
    """More of them fail. A spread of 3, errors of 4 and 12: 13 together."""
    old = accepted(0.0, tolerance=3.0, stderr=4.0)
    for value, status in ((65.0, Status.WARN), (65.5, Status.FAIL)):
        one = compare(measured(value, stderr=12.0), old, None, definition=defined(), policy=Policy())
        assert one.status is status


def test_better_by_exactly_three_spreads_is_no_improvement_where_it_moved_by_more() -> None:
    """Nearer to zero by just that much, but on the other side of it: a step."""
    old = accepted(4.0, tolerance=0.5)
    one = compare(measured(-2.5), old, None, definition=defined(Direction.ZERO), policy=Policy())
    assert one.change is Change.STEP


def test_a_missing_requirement_of_another_unit_is_converted_too() -> None:
    """An absence shows the requirement in the metric's unit."""
    in_mag = replace(LADDER, unit="mag", minimum=0.5, design=0.25, stretch=0.125)
    one = compare(Unmeasured("PA1", SCOPE, "no stars"), None, in_mag, definition=defined(), policy=Policy())
    assert one.ladder is not None
    assert (one.ladder.unit, one.ladder.minimum) == ("mmag", 500.0)
