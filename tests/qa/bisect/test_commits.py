from __future__ import annotations

from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.bisect import Commit, History, Outcome, narrow


def a_line(length: int) -> History:
    """Build commits 0, 1, 2... each on the one before."""
    return History(tuple(Commit(str(number), (str(number - 1),)) for number in range(length)))


class Counting:
    """A test of commits that knows which it was asked for."""

    def __init__(self, outcome: object) -> None:
        self.outcome, self.asked = outcome, []

    def __call__(self, commit: Commit) -> Outcome:
        """Answer, and remember the question."""
        self.asked.append(commit.sha)
        return self.outcome(int(commit.sha))


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw a history with merges, in which everything leads to the last commit."""
    length = draw(st.integers(1, 24))
    childless: list[int] = []
    commits = []
    for number in range(length):
        last = number == length - 1
        parents = set(childless) if last else draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        childless = [one for one in childless if one not in parents] + [number]
        commits.append(Commit(str(number), tuple(map(str, sorted(parents)))))
    return History(tuple(commits))


@given(st.integers(1, 200), st.data())
def test_on_a_line_the_first_bad_commit_takes_log2_trials(length: int, data: st.DataObject) -> None:
    """Of n commits in a row, one is found in at most ceil(log2 n) trials, and its end is never tried."""
    first = data.draw(st.integers(0, length - 1))
    test = Counting(lambda number: Outcome.BAD if number >= first else Outcome.GOOD)
    assert [commit.sha for commit in narrow(a_line(length), test).suspects] == [str(first)]
    assert len(test.asked) <= ceil(log2(length))
    assert str(length - 1) not in test.asked


@given(histories(), st.data())
def test_in_any_history_the_commit_that_brought_it_is_found(history: History, data: st.DataObject) -> None:
    """Merges included: where the change stays once it has come, the one commit is found, none tried twice."""
    first = data.draw(st.integers(0, len(history.commits) - 1))
    if not history.ancestors[-1] >> first & 1:
        return
    test = Counting(lambda number: Outcome.BAD if history.ancestors[number] >> first & 1 else Outcome.GOOD)
    narrowed = narrow(history, test)
    assert [commit.sha for commit in narrowed.suspects] == [str(first)]
    assert narrowed.skipped == ()
    assert len(set(test.asked)) == len(test.asked)


@given(histories(), st.data())
def test_untestable_commits_never_acquit_the_culprit(history: History, data: st.DataObject) -> None:
    """Whatever cannot be tested, the culprit is a suspect; others are so only if they cannot be tested."""
    end = len(history.commits) - 1
    first = data.draw(st.integers(0, end))
    broken = data.draw(st.sets(st.integers(0, end)))
    if not history.ancestors[end] >> first & 1:
        return

    def outcome(number: int) -> Outcome:
        if number in broken:
            return Outcome.SKIPPED
        return Outcome.BAD if history.ancestors[number] >> first & 1 else Outcome.GOOD

    test = Counting(outcome)
    narrowed = narrow(history, test)
    suspects = [int(commit.sha) for commit in narrowed.suspects]
    assert first in suspects
    assert set(suspects[:-1]) <= broken
    assert suspects[-1] == end or outcome(suspects[-1]) is Outcome.BAD
    assert {int(commit.sha) for commit in narrowed.skipped} == {int(sha) for sha in test.asked} & broken
    assert len(set(test.asked)) == len(test.asked)


def test_a_broken_stretch_costs_a_few_trials() -> None:
    """Of 100 commits the 50 in the middle do not build: after each miss the search goes elsewhere."""

    def outcome(number: int) -> Outcome:
        if 25 <= number < 75:
            return Outcome.SKIPPED
        return Outcome.BAD if number >= 80 else Outcome.GOOD

    test = Counting(outcome)
    narrowed = narrow(a_line(100), test)
    assert [commit.sha for commit in narrowed.suspects] == ["80"]
    assert len(narrowed.skipped) <= 5
    assert len(test.asked) <= 12


def test_misses_lead_to_both_sides() -> None:
    """Where nothing can be tested, everything is tried once, each time in the middle of the longer side."""
    test = Counting(lambda _: Outcome.SKIPPED)
    narrowed = narrow(a_line(8), test)
    assert test.asked == ["3", "1", "5", "0", "6", "2", "4"]
    assert len(narrowed.suspects) == 8
    assert len(narrowed.skipped) == 7


def test_between_the_broken_ones_is_tried_last() -> None:
    """Commits between two that cannot be tested are tried when those outside them have been."""
    test = Counting(lambda number: Outcome.SKIPPED if number in {4, 7} else Outcome.BAD if number > 5 else Outcome.GOOD)
    narrowed = narrow(a_line(10), test)
    assert [commit.sha for commit in narrowed.suspects] == ["6"]
    assert test.asked == ["4", "2", "7", "3", "8", "5", "6"]


def test_both_sides_of_a_merge_are_searched() -> None:
    """A change that came with a merged branch is found on the branch."""
    line = {"0": (), "1": ("0",), "2": ("0",), "3": ("2",), "4": ("1", "3"), "5": ("4",)}
    history = History(tuple(Commit(sha, parents) for sha, parents in line.items()))
    test = Counting(lambda number: Outcome.BAD if number in {3, 4, 5} else Outcome.GOOD)
    assert narrow(history, test).suspects == (Commit("3", ("2",)),)


def test_one_commit_needs_no_trial() -> None:
    """A single new commit is the culprit."""
    test = Counting(lambda _: Outcome.GOOD)
    assert narrow(a_line(1), test).suspects == (Commit("0", ("-1",)),)
    assert test.asked == []


@pytest.mark.parametrize("commits", [(Commit("b", ("a",)), Commit("a")), (Commit("a", ("a",)),)])
def test_children_before_parents_are_refused(commits: tuple[Commit, ...]) -> None:
    """The search rests on the order, so a wrong one is told."""
    with pytest.raises(ValueError, match=f"parents first, found {commits[0].sha} before a"):
        History(commits)
