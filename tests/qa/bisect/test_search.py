from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from qa.bisect import Changed, Commit, History, Outcome, search
from qa.bisect.search import Lineage

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING = History(())


def a_history(name: str, length: int, start: str) -> History:
    """Build commits name1, name2... after a start."""
    shas = [start, *(f"{name}{number}" for number in range(1, length + 1))]
    return History(tuple(Commit(sha, (parent,)) for parent, sha in pairwise(shas)))


def a_package(name: str, length: int) -> tuple[Changed, Lineage]:
    """Build a package whose bad state is some commits after its good one."""
    return Changed(name, f"{name}0", f"{name}{length}"), Lineage(
        a_history(name, length, f"{name}0"), NOTHING, f"{name}0"
    )


def number(combination: dict[str, str], name: str) -> int:
    """Return which commit of a package is in a combination."""
    return int(combination[name].removeprefix(name))


class Counting:
    """A test of combinations that knows which it was asked for."""

    def __init__(self, outcome: Callable[[dict[str, str]], Outcome]) -> None:
        self.outcome, self.asked = outcome, []

    def __call__(self, combination: dict[str, str]) -> Outcome:
        """Answer, and remember the question."""
        self.asked.append(dict(combination))
        return self.outcome(combination)


def judged(*, bad: bool) -> Outcome:
    """Name an outcome."""
    return Outcome.BAD if bad else Outcome.GOOD


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.data())
def test_the_commits_of_all_interacting_packages_are_found(lengths: list[int], data: st.DataObject) -> None:
    """Whichever packages interact: each one's commit is found, and taking any of them back mends it."""
    packages = [a_package("abcde"[index], length) for index, length in enumerate(lengths)]
    chosen = data.draw(st.lists(st.sampled_from(packages), min_size=1, unique_by=lambda pair: pair[0].package))
    first = {one.package: data.draw(st.integers(1, number({one.package: one.bad}, one.package))) for one, _ in chosen}
    test = Counting(lambda asked: judged(bad=all(number(asked, name) >= place for name, place in first.items())))
    found = search([one for one, _ in packages], {one.package: lineage for one, lineage in packages}, test)
    named = {culprit.package: [commit.sha for commit in culprit.suspects] for culprit in found.culprits}
    assert named == {name: [f"{name}{place}"] for name, place in first.items()}
    assert found.notes == ()


def test_other_packages_stay_in_their_good_state() -> None:
    """Commits are searched in the smallest bad state, not with everything else that changed."""
    packages = [a_package("a", 4), a_package("b", 4)]
    test = Counting(lambda asked: judged(bad=number(asked, "a") >= 3))
    search([one for one, _ in packages], {one.package: lineage for one, lineage in packages}, test)
    assert test.asked == [{"a": "a4", "b": "b0"}, {"a": "a2", "b": "b0"}, {"a": "a3", "b": "b0"}]


def test_a_package_without_history_is_named_as_a_whole() -> None:
    """A version is not searched further; a history with nothing in common is said not to be one."""
    changed = [Changed("a", "1.0", "2.0")]
    found = search(changed, {}, Counting(lambda _: Outcome.BAD))
    assert [(one.package, one.suspects, one.found) for one in found.culprits] == [("a", (), True)]
    assert found.notes == ("a: no history leads from 1.0 to 2.0",)
    unrelated = Lineage(a_history("a", 2, "x"), a_history("b", 2, "y"), None)
    assert search(changed, {"a": unrelated}, Counting(lambda _: Outcome.BAD)).culprits[0].suspects == ()


def test_a_commit_that_was_taken_away_is_found() -> None:
    """Where the bad state is older than the good one, the commit it lacks is named."""
    changed = Changed("a", "a5", "a0")
    lineage = Lineage(NOTHING, a_history("a", 5, "a0"), "a0")
    found = search([changed], {"a": lineage}, Counting(lambda asked: judged(bad=number(asked, "a") < 3)))
    (culprit,) = found.culprits
    assert culprit.removed
    assert [commit.sha for commit in culprit.suspects] == ["a3"]


def parted() -> tuple[Changed, Lineage]:
    """Build a package whose good state is g1, g2 and whose bad state b1, b2, b3 after the same base."""
    lineage = Lineage(a_history("b", 3, "base"), a_history("g", 2, "base"), "base")
    return Changed("p", "g2", "b3"), lineage


def test_where_branches_part_the_base_says_which_to_search() -> None:
    """If the base is good the bad branch brought it, if it is bad the good branch mended it."""
    changed, lineage = parted()
    test = Counting(lambda asked: judged(bad=asked["p"] in {"b2", "b3"}))
    (culprit,) = search([changed], {"p": lineage}, test).culprits
    assert test.asked[0] == {"p": "base"}
    assert (culprit.suspects[0].sha, culprit.removed) == ("b2", False)
    test = Counting(lambda asked: judged(bad=asked["p"] != "g2"))
    (culprit,) = search([changed], {"p": lineage}, test).culprits
    assert (culprit.suspects[0].sha, culprit.removed) == ("g2", True)


def test_a_base_that_cannot_be_tested_is_taken_as_good_and_told() -> None:
    """As `git bisect` does, with a note."""
    changed, lineage = parted()
    outcomes = {"base": Outcome.SKIPPED, "b1": Outcome.GOOD}
    found = search([changed], {"p": lineage}, Counting(lambda asked: outcomes.get(asked["p"], Outcome.BAD)))
    assert found.culprits[0].suspects[0].sha == "b2"
    assert found.notes == ("p: base, where they part, cannot be tested and is taken as good",)


def test_a_change_in_several_steps_is_told() -> None:
    """Where a commit taken back alone does not mend it, or cannot be tested, a note says so."""
    packages = [a_package("a", 4), a_package("b", 4)]
    lineages = {one.package: lineage for one, lineage in packages}

    def outcome(asked: dict[str, str], before: Outcome) -> Outcome:
        a, b = number(asked, "a"), number(asked, "b")
        if (a, b) == (2, 2):
            return before
        return judged(bad=(a >= 3 and b >= 2) or (b == 4 and a == 4))

    for before, how in ((Outcome.BAD, "is bad, too"), (Outcome.SKIPPED, "cannot be tested")):
        found = search(
            [one for one, _ in packages], lineages, Counting(lambda asked, before=before: outcome(asked, before))
        )
        assert [culprit.suspects[0].sha for culprit in found.culprits] == ["a3", "b2"]
        assert found.notes == (f"a: a2, before the commit, with the others at theirs {how}",)


def test_each_kind_of_culprit_is_taken_back_in_its_way() -> None:
    """A commit goes back to its parent, a lost one comes back, a version and a root commit become the good state."""
    lost = Lineage(NOTHING, a_history("l", 3, "l0"), "l0")
    root = Lineage(History((Commit("r1"), Commit("r2", ("r1",)))), NOTHING, "r0")
    changed = [Changed("l", "l3", "l0"), Changed("r", "r0", "r2"), Changed("v", "1.0", "2.0")]

    def outcome(asked: dict[str, str]) -> Outcome:
        return judged(bad=asked["l"] in {"l0", "l1"} and asked["r"] != "r0" and asked["v"] == "2.0")

    test = Counting(outcome)
    found = search(changed, {"l": lost, "r": root}, test)
    assert [culprit.package for culprit in found.culprits] == ["l", "r", "v"]
    assert test.asked[-3:] == [
        {"l": "l2", "r": "r1", "v": "2.0"},
        {"l": "l0", "r": "r0", "v": "2.0"},
        {"l": "l0", "r": "r1", "v": "1.0"},
    ]
    assert found.notes == ("v: no history leads from 1.0 to 2.0",)
