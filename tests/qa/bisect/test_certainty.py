from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.bisect import Ends, NotReproducedError, Outcome, verify
from qa.bisect.certainty import certainty

values = st.floats(-1e6, 1e6)


def verified(good: list[float], bad: list[float], **more: float) -> Ends:
    """Verify ends of PA1."""
    return verify(good, bad, what="PA1 of testcam", **more)


def test_repeated_ends_give_levels_and_scatter() -> None:
    """The levels are means, the spread is that of both ends pooled, with two degrees of freedom for four runs."""
    ends = verified([4.9, 5.1], [7.0, 7.0])
    assert (ends.good, ends.bad, ends.middle) == (5.0, 7.0, 6.0)
    assert ends.spread == pytest.approx(math.sqrt(0.02 / 2))
    assert ends.freedom == 2


def test_a_learned_spread_counts_where_it_is_larger() -> None:
    """What was learned from repeated runs is better known than from four runs, and never shrinks their scatter."""
    assert verified([5.0, 5.0], [7.0, 7.0], learned=0.1) == Ends(5.0, 7.0, 0.1, None)
    assert verified([4.9, 5.1], [7.0, 7.0], learned=0.01).spread == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("good", "bad"),
    [([5.0, 5.0], [5.0, 5.0]), ([5.0, 7.0], [7.0, 5.0]), ([4.5, 5.5], [6.5, 7.5]), ([5.0], [5.00002]), ([0.0], [0.0])],
)
def test_ends_that_cannot_be_told_apart_are_refused(good: list[float], bad: list[float]) -> None:
    """A change that does not come again, or drowns in scatter, is not searched for."""
    with pytest.raises(
        NotReproducedError, match="PA1 of testcam: must differ between the good and the bad end by more"
    ):
        verified(good, bad)


def test_the_message_has_the_numbers() -> None:
    """It says what was required, what was found and what to do; the exit code is that of an incomplete run."""
    with pytest.raises(NotReproducedError) as error:
        verified([5.0, 5.0], [7.0, 7.0], learned=0.5)
    assert str(error.value) == (
        "PA1 of testcam: must differ between the good and the bad end by more than 6 run-to-run spreads (3), found 5 "
        "and 7; look at what else differs between the runs, or choose another metric or data set"
    )
    assert error.value.exit_code == 4


def test_ends_six_spreads_apart_are_still_refused() -> None:
    """The boundary itself does not suffice."""
    with pytest.raises(NotReproducedError):
        verified([0.0, 0.0], [6.0, 6.0], learned=1.0)
    assert verified([0.0, 0.0], [6.001, 6.001], learned=1.0).bad == 6.001


def test_what_repeats_bit_for_bit_may_differ_by_little() -> None:
    """Repeated runs that agree bit for bit make small changes visible; of single runs rounding is not a change."""
    assert verified([5.0, 5.0], [5.00001, 5.00001]).spread == 0.0
    with pytest.raises(NotReproducedError):
        verified([5.0], [5.00001])
    assert verified([5.0], [5.0001]).freedom == 0


def test_the_change_must_be_that_between_the_runs() -> None:
    """Half of it must come again, in the same direction: else something other than the packages brought it."""
    assert verified([5.0, 5.0], [6.0, 6.0], expected=2.0).bad == 6.0
    for expected in (2.01, -1.0):
        with pytest.raises(NotReproducedError, match="what else differs between the runs brought it") as error:
            verified([5.0, 5.0], [6.0, 6.0], expected=expected)
    assert "must move by -1 as between the two runs when both are run again, found 5 and 6, +1;" in str(error.value)


@given(values, values, values)
def test_a_value_belongs_to_the_nearer_end(good: float, bad: float, value: float) -> None:
    """Nearer to bad is bad, in whichever direction bad lies."""
    if abs(good - bad) < 1e-3 or abs(value - (good + bad) / 2) < 1e-6 * max(abs(good), abs(bad), abs(value)):
        return
    nearer = Outcome.BAD if abs(value - bad) < abs(value - good) else Outcome.GOOD
    assert Ends(good, bad, 0.0, 2).outcome(value) is nearer


def test_exactly_half_is_good() -> None:
    """Of two equal contributions neither alone is the change."""
    assert Ends(0.0, 2.0, 0.0, 2).outcome(1.0) is Outcome.GOOD
    assert Ends(0.0, 2.0, 0.0, 2).outcome(1.0000001) is Outcome.BAD
    assert Ends(2.0, 0.0, 0.0, 2).outcome(0.99) is Outcome.BAD


@pytest.mark.parametrize(
    ("freedom", "deviation", "tail"),
    [
        (2, 4.303, 0.025),
        (2, 9.925, 0.005),
        (4, 2.776, 0.025),
        (8, 2.306, 0.025),
        (10, 3.169, 0.005),
        (None, 1.96, 0.025),
    ],
)
def test_tails_are_those_of_the_tables(freedom: int | None, deviation: float, tail: float) -> None:
    """Student's and the normal distribution, as tabulated in every textbook."""
    ends = Ends(-100.0, 100.0, 2.0, freedom)
    assert ends.mistake(2.0 * deviation) == pytest.approx(tail, rel=2e-3)
    assert ends.mistake(-2.0 * deviation) == pytest.approx(tail, rel=2e-3)
    assert ends.mistake(0.0) == 0.5


def test_without_scatter_nothing_is_misjudged() -> None:
    """Ends that repeat bit for bit leave no doubt, single runs leave it unknown."""
    sure = certainty(Ends(5.0, 7.0, 0.0, 2), [5.0, 7.0])
    assert (sure.chance, sure.reason) == (1.0, "repeated runs of both ends agree bit for bit")
    unknown = certainty(Ends(5.0, 7.0, 0.0, 0), [5.0])
    assert unknown.chance is None
    assert unknown.reason == "each end was run once, so that nothing is known of the scatter; repeat them"


def test_no_value_is_misjudged_without_scatter() -> None:
    """Not even in the middle."""
    assert Ends(5.0, 7.0, 0.0, 2).mistake(6.0) == 0.0


def test_the_chances_of_all_trials_multiply() -> None:
    """Each trial may have been misjudged; the sentence says what the scatter was taken from."""
    ends = Ends(0.0, 8.0, 1.0, None)
    one = certainty(ends, [2.0])
    assert one.chance == pytest.approx(1 - 0.02275, rel=1e-4)
    assert certainty(ends, [2.0, 6.0]).chance == pytest.approx((one.chance or 0) ** 2)
    assert one.reason == "the ends are 8 run-to-run spreads apart (1, learned from repeated runs)"
    assert (
        certainty(Ends(8.0, 0.0, 0.5, 2), []).reason
        == "the ends are 16 run-to-run spreads apart (0.5, from 4 runs of the ends)"
    )
