"""An outage is told from regressions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.judging.compare import NOT_REPORTED
from qa.judging.validity import Validity, discount, gate, outages
from qa.model import (
    Baseline,
    Change,
    Comparison,
    Level,
    Measurement,
    NotRun,
    Scope,
    Stage,
    Status,
    Step,
    StepOutcome,
    StepStatus,
    Unmeasured,
)

SCOPE = Scope("hsc", "twin", "r", 0)
STEPS = [Step("hsc", "twin", Stage.PROCESS), Step("hsc", "twin", Stage.MEASURE)]


def ended(*steps: Step, status: StepStatus = StepStatus.DONE, message: str = "") -> list[StepOutcome]:
    """End steps."""
    return [StepOutcome(step, status, 1.0, 1.0, 1.0, message) for step in steps]


def measured(name: str, *, n: int = 100, status: Status = Status.PASS) -> Comparison:
    """Judge a value that rests on n things."""
    result = Measurement(name, SCOPE, 4.0, "mmag", n)
    return Comparison(result, None, None, Change.NEW, Level.NOT_APPLICABLE, status, None, "It is there.")


def missing(
    name: str, *, reason: str = NOT_REPORTED, accepted: bool = False, change: Change = Change.MISSING
) -> Comparison:
    """Judge an absence."""
    result = Unmeasured(name, SCOPE, reason)
    old = Baseline(name, SCOPE, 4.0, "mmag", None, 0.1, "run") if accepted else None
    return Comparison(result, old, None, change, Level.NOT_APPLICABLE, Status.FAIL, None, "It is missing.")


def reason(comparisons: list[Comparison], outcomes: list[StepOutcome] | None = None, **more: object) -> str:
    """Return why the data set cannot be judged."""
    given_outcomes = ended(*STEPS) if outcomes is None else outcomes
    (found,) = gate(comparisons, given_outcomes, planned=STEPS, **more)  # type: ignore[arg-type]
    assert (found.camera, found.dataset) == ("hsc", "twin")
    assert found.valid is not bool(found.reason)
    return found.reason


def test_a_whole_data_set_is_valid() -> None:
    """Nothing is said."""
    assert reason([measured("A")]) == ""


def test_a_failed_step_is_an_outage() -> None:
    """With its message."""
    outcomes = ended(STEPS[0], status=StepStatus.FAILED, message="it broke")
    assert reason([], outcomes) == "process failed: it broke"


@pytest.mark.parametrize("message", ["OSError: No space left on device", "[Errno 122] Disk quota exceeded"])
def test_a_full_disk_is_named(message: str) -> None:
    """Whatever wrote the message."""
    outcomes = ended(STEPS[0], status=StepStatus.FAILED, message=message)
    assert reason([], outcomes) == f"process failed: the disk was full: {message}"


def test_a_step_that_was_never_reached_is_an_outage() -> None:
    """The run was cut off."""
    assert reason([measured("A")], ended(STEPS[0])) == "measure was never reached: the run was cut off"


def test_what_could_not_be_judged_is_an_outage() -> None:
    """With the reason; that of another camera does not concern it."""
    assert reason([measured("A")], unjudged={"hsc": "a broken file"}) == "a broken file"
    assert reason([measured("A")], unjudged={"decam": "a broken file"}) == ""


def test_nothing_measured_is_an_outage() -> None:
    """Also where everything has its reason."""
    assert reason([]) == "nothing was measured"
    assert reason([missing("A", reason="no stars")]) == "nothing was measured"


@pytest.mark.parametrize(
    ("there", "gone", "why"),
    [
        (2, 2, ""),
        (2, 3, "3 of 5 metrics are missing at once"),
        (3, 3, ""),
        (3, 4, "4 of 7 metrics are missing at once"),
        (1, 3, ""),
    ],
)
def test_most_missing_at_once_is_an_outage(there: int, gone: int, why: str) -> None:
    """More than half of five or more; fewer are counted one by one."""
    comparisons = [*(measured(f"M{i}") for i in range(there)), *(missing(f"N{i}") for i in range(gone))]
    assert reason(comparisons) == why


def test_what_was_never_measured_is_not_owed() -> None:
    """A reason without a baseline, or an accepted absence, is no outage; a baseline makes it owed."""
    there = [measured("A"), measured("B")]
    never = [missing(f"N{i}", reason="no stars") for i in range(9)]
    assert reason([*there, *never]) == ""
    accepted = [missing(f"N{i}", reason="no stars", change=Change.STEADY, accepted=True) for i in range(9)]
    assert reason([*there, *accepted]) == ""
    lost = [missing(f"N{i}", reason="no stars", accepted=True) for i in range(9)]
    assert reason([*there, *lost]) == "9 of 11 metrics are missing at once"


@pytest.mark.parametrize(("n", "why"), [(75, ""), (74, "measured on 74% of the visits and detectors of the last time")])
def test_a_fraction_of_the_visits_is_an_outage(n: int, why: str) -> None:
    """Less than three quarters of what it rested on the last time."""
    assert reason([measured("A", n=n)], exposures={("A", SCOPE): 100}) == why


def test_the_median_of_the_exposures_counts() -> None:
    """One metric that lost its exposures is that metric's business; what was nothing before tells nothing."""
    known = {("A", SCOPE): 100, ("B", SCOPE): 100, ("C", SCOPE): 100, ("D", SCOPE): 0}
    assert reason([measured("A", n=10), measured("B"), measured("C"), measured("D", n=0)], exposures=known) == ""
    assert reason([measured("A", n=10), measured("B", n=50), measured("C")], exposures=known).startswith(
        "measured on 50%"
    )
    assert reason([missing("A", reason="no stars"), measured("B")], exposures=known) == ""


def test_data_sets_are_told_apart() -> None:
    """One data set's outage is not another's, in the order of the plan."""
    other = Step("hsc", "deep", Stage.MEASURE)
    found = gate([measured("A")], ended(*STEPS, other), planned=[other, *STEPS])
    assert found == (Validity("hsc", "deep", "nothing was measured"), Validity("hsc", "twin"))


def test_an_empty_plan_has_nothing_to_judge() -> None:
    """The exit code says that nothing ran."""
    assert gate([], [], planned=[]) == ()


def test_a_camera_has_one_outage() -> None:
    """The first of its data sets; valid ones have none; a camera whose file is broken is out as well."""
    first, second = Validity("hsc", "twin", "one"), Validity("hsc", "deep", "two")
    assert outages([Validity("decam", "twin"), first, second]) == {"hsc": first}
    assert outages([], [NotRun("curio", "registry: a fault")]) == {
        "curio": Validity("curio", "registry", "registry: a fault")
    }


def test_the_failures_of_an_outage_do_not_count() -> None:
    """They warn and say why; what passes stays as it is, and so do other data sets."""
    comparisons = [missing("A"), measured("B"), measured("C", status=Status.WARN)]
    found = discount(comparisons, [Validity("hsc", "twin", "nothing was measured"), Validity("decam", "twin")])
    assert found[0].status is Status.WARN
    assert found[0].reason == "It is missing; not counted, an outage: nothing was measured."
    assert found[1:] == tuple(comparisons[1:])
    assert discount(comparisons, [Validity("hsc", "twin"), Validity("hsc", "deep", "x")]) == tuple(comparisons)


@given(st.permutations([*(measured(f"M{i}") for i in range(3)), *(missing(f"N{i}") for i in range(4))]))
def test_the_order_of_comparisons_changes_nothing(comparisons: list[Comparison]) -> None:
    """A permutation is judged alike."""
    assert reason(comparisons) == "4 of 7 metrics are missing at once"
