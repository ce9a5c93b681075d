from __future__ import annotations

from itertools import combinations
from math import ceil, log2

from hypothesis import given
from hypothesis import strategies as st

from qa.bisect import Outcome, ddmin, most_trials

NAMES = [f"p{number:02}" for number in range(12)]
changes = st.integers(1, 12).map(lambda number: NAMES[:number])
subsets = st.sets(st.sampled_from(NAMES), min_size=1)


class Counting:
    """A test of sets that knows which it was asked for."""

    def __init__(self, bad: object) -> None:
        self.bad, self.asked = bad, []

    def __call__(self, names: frozenset[str]) -> Outcome:
        """Answer, and remember the question."""
        self.asked.append(names)
        return self.bad(names)


def needs(*culprits: set[str]) -> Counting:
    """Return a test that is bad with all of any one of the culprit sets."""
    return Counting(lambda names: Outcome.BAD if any(one <= names for one in culprits) else Outcome.GOOD)


@given(changes, st.lists(subsets, min_size=1, max_size=3))
def test_of_monotone_outcomes_a_minimal_set_is_found(names: list[str], culprits: list[set[str]]) -> None:
    """Without any one of the packages found, the change is gone; and what was found is one of the causes."""
    culprits = [one & set(names) or {names[0]} for one in culprits]
    minimal = ddmin(names, needs(*culprits))
    assert set(minimal) in culprits
    assert all(not any(one <= set(minimal) - {name} for one in culprits) for name in minimal)


@given(changes, st.dictionaries(st.frozensets(st.sampled_from(NAMES)), st.sampled_from(Outcome)))
def test_of_any_outcomes_what_is_found_is_1_minimal(names: list[str], table: dict[frozenset[str], Outcome]) -> None:
    """Whatever the outcomes, untestable ones included: the set found is bad, and no set with one package less is."""
    outcome = Counting(lambda asked: table.get(asked, Outcome.GOOD))
    minimal = frozenset(ddmin(names, outcome))
    full = frozenset(names)
    assert minimal == full or table[minimal] is Outcome.BAD
    for rest in (minimal - {name} for name in minimal):
        assert not rest or table.get(rest) is not Outcome.BAD


@given(changes, st.dictionaries(st.frozensets(st.sampled_from(NAMES)), st.sampled_from(Outcome)))
def test_trials_are_bounded_as_the_paper_says(names: list[str], table: dict[frozenset[str], Outcome]) -> None:
    """No set is tried twice, none is empty or full, and there are never more than n^2 + 3 n of them."""
    outcome = Counting(lambda asked: table.get(asked, Outcome.SKIPPED))
    ddmin(names, outcome)
    assert len(set(outcome.asked)) == len(outcome.asked) <= most_trials(len(names)) <= len(names) ** 2 + 3 * len(names)
    assert frozenset() not in outcome.asked
    assert frozenset(names) not in outcome.asked


@given(changes, st.data())
def test_a_single_culprit_takes_a_binary_search(names: list[str], data: st.DataObject) -> None:
    """One package to blame is found in at most 2 log2(n) trials, the paper's best case."""
    culprit = data.draw(st.sampled_from(names))
    outcome = needs({culprit})
    assert ddmin(names, outcome) == (culprit,)
    assert len(outcome.asked) <= 2 * ceil(log2(len(names)))


def test_every_pair_of_eight_is_found() -> None:
    """Two interacting packages are found wherever they stand."""
    for pair in combinations(NAMES[:8], 2):
        assert ddmin(NAMES[:8], needs(set(pair))) == pair


def test_pieces_are_tried_in_order() -> None:
    """Halves, then quarters, then what is left of them: the very order of the paper's algorithm."""
    outcome = needs({"p00", "p03"})
    assert ddmin(NAMES[:4], outcome) == ("p00", "p03")
    halves = [{"p00", "p01"}, {"p02", "p03"}]
    singles = [{name} for name in NAMES[:4]]
    rest = [{"p01", "p02", "p03"}, {"p00", "p02", "p03"}, {"p00", "p03"}]
    assert outcome.asked == [*halves, *singles, *rest]


def test_few_packages_have_few_sets() -> None:
    """Of one package nothing is tried, of two each alone, of six the paper's bound is below all sets."""
    assert [most_trials(number) for number in (0, 1, 2, 3, 4, 5, 6)] == [0, 0, 2, 6, 14, 30, 54]
