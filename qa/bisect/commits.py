"""The first bad commit in the history of one package, merges and untestable commits included.

What is assumed, as by `git bisect`: once a commit has brought the change, every later commit built on it has it, too.
Then a bad commit clears all that are not its ancestors, and a good one all that are. Where a change came, went and came
again, one of its comings is found.

Untestable commits mostly stand in a row, so the next trial is made in the middle of what is before or after all of
them, whichever is longer: a stretch that does not build costs some logarithms of trials and not its length. Only when
nothing else is left, the commits between them are tried: at a half, a quarter, three quarters, an eighth... of what is
left (van der Corput's sequence).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from qa.bisect.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: its SHA, those of its parents, when it was written (ISO 8601) and its first line."""

    sha: str
    parents: tuple[str, ...] = ()
    date: str = ""
    subject: str = ""


@dataclass(frozen=True)
class History:
    """The commits that are in a package's bad state and not in its good one, parents before children.

    The last one is the bad state itself. Parents that are not among the commits belong to the good state.
    """

    commits: tuple[Commit, ...]

    def __post_init__(self) -> None:
        """Refuse an order in which a child comes before its parent: the search rests on it."""
        place = {commit.sha: index for index, commit in enumerate(self.commits)}
        for index, commit in enumerate(self.commits):
            if late := [parent for parent in commit.parents if place.get(parent, -1) >= index]:
                msg = f"commits must come parents first, found {commit.sha} before {late[0]}"
                raise ValueError(msg)

    @cached_property
    def ancestors(self) -> tuple[int, ...]:
        """Of each commit those it rests on and itself, as bits: the first commit is bit 0."""
        place = {commit.sha: index for index, commit in enumerate(self.commits)}
        sets: list[int] = []
        for index, commit in enumerate(self.commits):
            mine = 1 << index
            for parent in commit.parents:
                if parent in place:
                    mine |= sets[place[parent]]
            sets.append(mine)
        return tuple(sets)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a search came to: the commits that may have brought the change, oldest first; the last one is bad.

    More than one only where those before it could not be tested; `skipped` are all that could not.
    """

    suspects: tuple[Commit, ...]
    skipped: tuple[Commit, ...] = ()


def narrow(history: History, test: Callable[[Commit], Outcome]) -> Narrowed:
    """Find the first bad commit of a history whose end is bad and whose beginning is good, neither of which is tested.

    Each commit is tested once at most. On a line of n testable commits ceil(log2 n) are.
    """
    end = len(history.commits) - 1
    left = history.ancestors[end]
    skipped = misses = 0
    while untried := _bits(left & ~skipped & ~(1 << end)):
        index = _next(untried, _positions(history, left), skipped & left, misses)
        outcome = test(history.commits[index])
        if outcome is Outcome.SKIPPED:
            skipped, misses = skipped | 1 << index, misses + 1
        elif outcome is Outcome.BAD:
            end, left, misses = index, left & history.ancestors[index], 0
        else:
            left, misses = left & ~history.ancestors[index], 0
    named = [history.commits[index] for index in _bits(left)]
    return Narrowed(tuple(named), tuple(history.commits[index] for index in _bits(skipped)))


def _positions(history: History, left: int) -> dict[int, int]:
    """Return how many of the commits left each of them rests on, itself included: its place, on a line."""
    return {index: (history.ancestors[index] & left).bit_count() for index in _bits(left)}


def _next(untried: Sequence[int], positions: Mapping[int, int], skipped: int, misses: int) -> int:
    """Choose the commit to try: beside those that were skipped, as long as there are such."""
    broken = [positions[index] for index in _bits(skipped)]
    beside: Sequence[int] = []
    if broken:
        before = [index for index in untried if positions[index] < min(broken)]
        after = [index for index in untried if positions[index] > max(broken)]
        beside = max(before, after, key=len)
    if beside:
        return sorted(beside, key=positions.__getitem__)[len(beside) // 2]
    wanted = _share(misses + 1) * len(positions)
    return min(untried, key=lambda index: abs(positions[index] - wanted))


def _share(number: int) -> float:
    """Return a term of van der Corput's sequence: 1/2, 1/4, 3/4, 1/8, 5/8... for 1, 2, 3, 4, 5..."""
    return sum(0.5 ** (place + 1) for place in _bits(number))


def _bits(mask: int) -> list[int]:
    return [index for index in range(mask.bit_length()) if mask >> index & 1]
