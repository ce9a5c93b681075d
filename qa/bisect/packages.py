"""Delta debugging: the smallest set of changed packages that brings a change, alone or by interacting.

The algorithm is `ddmin` of A. Zeller and R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE
Transactions on Software Engineering 28 (2002) 183, applied to changes as in A. Zeller, "Yesterday, my program worked.
Today, it does not. Why?", ESEC/FSE 1999.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from qa.bisect.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Test = Callable[[frozenset[str]], Outcome]


def ddmin(changes: Sequence[str], test: Test) -> tuple[str, ...]:
    """Return a 1-minimal set of changes that is bad: without any one of them it is bad no more (good, or untestable).

    `test` says how the good state does with some of the changes applied; all of them must be bad and none of them good,
    which is not tested here. No set is tested twice. A trial that says nothing counts as not bad.
    """
    known: dict[frozenset[str], Outcome] = {frozenset(): Outcome.GOOD, frozenset(changes): Outcome.BAD}

    def is_bad(parts: Sequence[str]) -> bool:
        key = frozenset(parts)
        if key not in known:
            known[key] = test(key)
        return known[key] is Outcome.BAD

    left, pieces = list(changes), 2
    while len(left) > 1:
        parts = _split(left, pieces)
        if (part := next((part for part in parts if is_bad(part)), None)) is not None:
            left, pieces = part, 2
        elif (rest := next((rest for rest in _complements(left, parts) if is_bad(rest)), None)) is not None:
            left, pieces = rest, max(pieces - 1, 2)
        elif pieces < len(left):
            pieces = min(len(left), 2 * pieces)
        else:
            break
    return tuple(left)


def most_trials(changes: int) -> int:
    """Return how many trials `ddmin` makes at worst: n^2 + 3 n (Proposition 12 of the paper), or all sets there are.

    None of them is the empty or the full set, whose outcomes are known.
    """
    return min(changes**2 + 3 * changes, 2**changes - 2) if changes else 0


def _split(changes: list[str], pieces: int) -> list[list[str]]:
    """Cut into pieces that differ in length by one at most."""
    bounds = [len(changes) * piece // pieces for piece in range(pieces + 1)]
    return [changes[start:stop] for start, stop in pairwise(bounds)]


def _complements(changes: list[str], parts: list[list[str]]) -> list[list[str]]:
    return [[change for change in changes if change not in part] for part in parts]
