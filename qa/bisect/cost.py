"""What a bisect will cost before it is begun: trials at best, if one commit is to blame, and at worst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.bisect.packages import most_trials

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Cost:
    """Numbers of trials: those that verify the ends are among all the others.

    `best`: every guess is lucky. `single`: one commit of one package is to blame and everything can be tested; as many
    at most. `worst`: all packages interact, and hardly anything can be tested.
    """

    ends: int
    best: int
    single: int
    worst: int


def cost_of(commits: Sequence[int], *, repeats: int, parted: int = 0) -> Cost:
    """Count trials.

    Parameters
    ----------
    commits
        How many commits may have brought the change, of each package (0 for a package without history).
    repeats
        How often each end is run.
    parted
        Of how many packages neither revision follows from the other: each costs one trial more.
    """
    packages, ends = len(commits), 2 * repeats
    within = [max(number, 1) for number in commits]
    return Cost(
        ends=ends,
        best=ends + _halvings(packages) + min(map(_halvings, within)),
        single=ends + min(2 * _steps(packages), most_trials(packages)) + max(map(_steps, within)) + min(parted, 1),
        worst=ends + most_trials(packages) + sum(number - 1 for number in within) + parted + (packages > 1) * packages,
    )


def _halvings(number: int) -> int:
    """Return floor(log2 n), the fewest trials that leave one of n."""
    return number.bit_length() - 1


def _steps(number: int) -> int:
    """Return ceil(log2 n), the trials that leave one of n whatever they say."""
    return (number - 1).bit_length()
