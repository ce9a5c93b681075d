from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from qa.bisect import Commit, Cost, History, Outcome, cost_of, search
from qa.bisect.changed import Changed
from qa.bisect.search import Lineage


def test_one_package_with_one_commit_costs_its_ends() -> None:
    """Where there is nothing to choose from, only the ends are run."""
    assert cost_of([1], repeats=2) == Cost(4, 4, 4, 4)
    assert cost_of([0], repeats=1) == Cost(2, 2, 2, 2)


def test_costs_are_counted() -> None:
    """Packages, then commits within one: logarithms if one is to blame, everything if all interact."""
    assert cost_of([9, 29, 29], repeats=2) == Cost(ends=4, best=4 + 1 + 3, single=4 + 4 + 5, worst=4 + 6 + 64 + 3)
    assert cost_of([8, 8], repeats=1, parted=2) == Cost(
        ends=2, best=2 + 1 + 3, single=2 + 2 + 3 + 1, worst=2 + 2 + 14 + 2 + 2
    )
    assert cost_of([7], repeats=1, parted=1) == Cost(ends=2, best=2 + 2, single=2 + 3 + 1, worst=2 + 6 + 1)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=5), st.data())
def test_no_search_costs_more_than_was_said(lengths: list[int], data: st.DataObject) -> None:
    """One commit to blame stays within `single`, and anything within `worst`."""
    lines = {f"p{number}": [f"{number}.{step}" for step in range(length + 1)] for number, length in enumerate(lengths)}
    culprits = data.draw(st.lists(st.sampled_from(sorted(lines)), min_size=1, max_size=3, unique=True))
    first = {name: data.draw(st.integers(1, len(lines[name]) - 1)) for name in culprits}
    broken = data.draw(st.sets(st.sampled_from([one for line in lines.values() for one in line[1:-1]] or [""])))
    asked: list[tuple[str, ...]] = []

    def test(combination: dict[str, str]) -> Outcome:
        if (key := tuple(combination.values())) not in asked:
            asked.append(key)
        if broken & set(key):
            return Outcome.SKIPPED
        bad = all(lines[name].index(combination[name]) >= place for name, place in first.items())
        return Outcome.BAD if bad else Outcome.GOOD

    changed = [Changed(name, line[0], line[-1]) for name, line in lines.items()]
    search(changed, {name: a_lineage(line) for name, line in lines.items()}, test)
    cost = cost_of(lengths, repeats=0)
    limit = cost.single if len(culprits) == 1 and not broken - {""} else cost.worst
    assert len(asked) <= limit


def a_lineage(line: list[str]) -> Lineage:
    """Build the lineage of commits in a row, the first of which is the good state."""
    commits = tuple(Commit(sha, (parent,)) for parent, sha in pairwise(line))
    return Lineage(History(commits), History(()), line[0])
