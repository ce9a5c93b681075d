"""From two states of a stack to the smallest set of commits that leads from the good one to the bad one.

First packages (`ddmin`), all others in their good state; then, in each package of the set in turn, commits, the others
of the set in the bad state or at the commit found already; last, where packages interact, each commit is taken back
alone, which must mend it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.bisect.answer import Culprit, Found
from qa.bisect.commits import Commit, History, narrow
from qa.bisect.outcome import Combination, Outcome
from qa.bisect.packages import ddmin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qa.bisect.changed import Changed

    Test = Callable[[Combination], Outcome]


@dataclass(frozen=True, slots=True)
class Lineage:
    """How the two revisions of a package are related.

    `added` are the commits only the bad one has, `lost` those only the good one has, each ending with its revision;
    `base` is the commit where they part, None if they have nothing in common.
    """

    added: History
    lost: History
    base: str | None


@dataclass(slots=True)
class _Search:
    """A search under way: `bad` is the smallest bad state known so far."""

    bad: Combination
    test: Test
    notes: list[str]

    def at(self, package: str, revision: str) -> Outcome:
        """Try the smallest bad state with another revision of one package."""
        return self.test({**self.bad, package: revision})


def search(changed: Sequence[Changed], lineages: Mapping[str, Lineage], test: Test) -> Found:
    """Find the smallest set of packages that brings the change, and the first bad commit in each.

    `changed` in the bad state must be bad, in the good state good; neither is tested. `lineages` has the packages with
    a history to search, `test` tells how a combination of revisions does; it remembers what it was asked before.
    """
    by_name = {one.package: one for one in changed}
    good = {name: one.good for name, one in by_name.items()}

    def test_packages(names: frozenset[str]) -> Outcome:
        return test(good | {name: by_name[name].bad for name in names})

    minimal = ddmin([*by_name], test_packages)
    state = _Search(good | {name: by_name[name].bad for name in minimal}, test, [])
    culprits = tuple(_locate(state, by_name[name], lineages.get(name)) for name in minimal)
    if len(culprits) > 1:
        _confirm(state, culprits)
    return Found(culprits, tuple(state.notes))


def _locate(state: _Search, changed: Changed, lineage: Lineage | None) -> Culprit:
    if lineage is None or lineage.base is None:
        state.notes.append(f"{changed.package}: no history leads from {changed.good} to {changed.bad}")
        return Culprit(changed.package, changed.good, changed.bad)
    if _is_lost(state, changed, lineage, lineage.base):
        narrowed = narrow(lineage.lost, lambda commit: state.at(changed.package, commit.sha).opposite)
        return _culprit(changed, narrowed.suspects, narrowed.skipped, removed=True)
    narrowed = narrow(lineage.added, lambda commit: state.at(changed.package, commit.sha))
    state.bad = {**state.bad, changed.package: narrowed.suspects[-1].sha}
    return _culprit(changed, narrowed.suspects, narrowed.skipped, removed=False)


def _culprit(changed: Changed, suspects: tuple[Commit, ...], skipped: tuple[Commit, ...], *, removed: bool) -> Culprit:
    return Culprit(changed.package, changed.good, changed.bad, suspects, removed, skipped)


def _is_lost(state: _Search, changed: Changed, lineage: Lineage, base: str) -> bool:
    """Tell whether the bad state is bad for want of a commit; where the two part, good and bad are tried apart."""
    if not lineage.lost.commits or not lineage.added.commits:
        return not lineage.added.commits
    outcome = state.at(changed.package, base)
    if outcome is Outcome.SKIPPED:
        state.notes.append(f"{changed.package}: {base[:12]}, where they part, cannot be tested and is taken as good")
    return outcome is Outcome.BAD


def _confirm(state: _Search, culprits: Sequence[Culprit]) -> None:
    """Take each commit back alone: if that does not mend it, the change came in several steps."""
    for culprit in culprits:
        before = _before(culprit)
        outcome = state.at(culprit.package, before)
        if outcome is not Outcome.GOOD:
            how = "is bad, too" if outcome is Outcome.BAD else "cannot be tested"
            state.notes.append(f"{culprit.package}: {before[:12]}, before the commit, with the others at theirs {how}")


def _before(culprit: Culprit) -> str:
    """Return the revision of a package at which it is known to be good, as near to its commit as there is."""
    if not culprit.suspects:
        return culprit.good
    if culprit.removed:
        return culprit.suspects[-1].sha
    return next(iter(culprit.suspects[0].parents), culprit.good)
