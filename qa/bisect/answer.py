"""What a bisect found: the commits, the trials it rests on, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.bisect.certainty import Certainty, Ends  # noqa: TC001 - pydantic resolves the annotations at run time
from qa.bisect.commits import Commit  # noqa: TC001
from qa.bisect.outcome import Combination, Outcome
from qa.blame.model import Trial as Swap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Culprit:
    """A package that brought the change, and the commits of it that may have, oldest first.

    One commit where it was found, several where those between could not be tested, none where the package has no
    history to search. `removed`: the bad state lacks these commits, which mend it. `skipped` could not be tested.
    """

    package: str
    good: str
    bad: str
    suspects: tuple[Commit, ...] = ()
    removed: bool = False
    skipped: tuple[Commit, ...] = ()

    @property
    def found(self) -> bool:
        """Tell whether it is one commit, or all there is to know of a package without history."""
        return len(self.suspects) <= 1


@dataclass(frozen=True, slots=True)
class Trial:
    """One combination that was run: its value in the metric's unit or why it has none, CPU and wall time in seconds."""

    combination: Combination
    outcome: Outcome
    value: float | None
    cpu_seconds: float
    wall_seconds: float
    reason: str = ""
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What the search itself came to: the smallest set of packages with their commits, and what to know about it."""

    culprits: tuple[Culprit, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished bisect. The trials are in the order of their first use."""

    found: Found
    ends: Ends
    trials: tuple[Trial, ...]
    certainty: Certainty

    @property
    def exact(self) -> bool:
        """Tell whether every package of the set was narrowed down to one commit."""
        return all(culprit.found for culprit in self.found.culprits)


def swaps(camera: str, bad: Mapping[str, str], good: Mapping[str, str], trials: Iterable[Trial]) -> tuple[Swap, ...]:
    """Read a bisect's trials as evidence for blame.

    Only trials count in which every package is in its good or its bad state, and that said something.
    """
    made: dict[frozenset[str], Swap] = {}
    for trial in trials:
        back = frozenset(name for name, revision in trial.combination.items() if revision == good[name])
        whole = all(revision in {good[name], bad[name]} for name, revision in trial.combination.items())
        if back and whole and trial.outcome is not Outcome.SKIPPED:
            made.setdefault(back, Swap(camera, back, mended=trial.outcome is Outcome.GOOD))
    return tuple(made.values())
