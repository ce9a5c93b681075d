"""The two-part verdict: change against the baseline, and requirement level reached."""

from __future__ import annotations

import math
from dataclasses import replace

import astropy.units  # noqa: F401 - loaded here: the first conversion must not take the time of a test
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qa.compare import (
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
from qa.errors import UnknownNameError
from qa.metrics import catalogue
from qa.metrics.base import Direction, MetricDefinition
from qa.model import Baseline, Change, Comparison, Ladder, Level, Measurement, Scope, Status, Unmeasured
from qa.requirements import UnitMismatchError, load
from qa.requirements.ladder import rank

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
