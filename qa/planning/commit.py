"""Which checks a commit gets, in which order: first those that find the most failures per second. Pure.

A check is worth the probability that it fails, and costs its own time and that of the stages whose data it needs, which
are paid for once by the first check of a camera that needs them. Checks that need the same data of a camera are
weighed together. Taking the best ratio of worth to cost first finds a failure soonest (Smith's rule), and fills a
budget well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING

from qa.model import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PRIOR_FAILURES, PRIOR_RUNS = 0.2, 10.0
"""What is assumed of a check that was never run: that it fails once in fifty times, as firmly as from ten runs."""

FADING = 0.8
"""Weight of a run relative to the one after it: what failed lately is likely to fail again."""

CONCERNED = 5.0
"""Factor on the odds of failing of what a change names, or of a camera whose own package it is."""

STAGE_SECONDS: Mapping[Stage, float] = MappingProxyType(
    {Stage.DRAW: 40.0, Stage.INGEST: 5.0, Stage.CALIBRATIONS: 10.0, Stage.PROCESS: 40.0, Stage.MEASURE: 5.0}
)
"""What the stages of a small twin are taken to last (s) where no run has told."""

CHECK_SECONDS = 1.0
"""What a check is taken to last (s) where no run has told."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A check that could be made: `needs` is the last stage whose data it reads, None if it reads none.

    `seconds` is its own cost and `risk` the probability that it fails. Checks of one `bundle` fail together, so that
    many of them are worth no more than the one that is likeliest to fail.
    """

    key: str
    camera: str
    needs: Stage | None
    seconds: float
    risk: float
    bundle: str = ""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The checks to make, in order, those that do not fit the budget, and how long it should take (s)."""

    order: tuple[str, ...]
    left_out: tuple[str, ...]
    seconds: float


@dataclass(slots=True)
class _Spending:
    """What was spent so far, and the stages that are paid for."""

    stages: Mapping[str, Sequence[Stage]]
    stage_seconds: Mapping[tuple[str, Stage], float]
    budget: float | None
    spent: float = 0.0
    paid: set[tuple[str, Stage]] = field(default_factory=set)

    def due(self, camera: str, needs: Stage | None) -> list[tuple[str, Stage]]:
        """Return the stages up to `needs` that are not paid for yet."""
        order = list(Stage)
        wanted = [] if needs is None else order[: order.index(needs) + 1]
        have = self.stages.get(camera, order)
        return [(camera, stage) for stage in wanted if stage in have and (camera, stage) not in self.paid]

    def cost(self, camera: str, needs: Stage | None) -> float:
        """Return what the stages cost that are not paid for."""
        return sum(self.stage_seconds.get(one, STAGE_SECONDS[one[1]]) for one in self.due(camera, needs))

    def take(self, one: Candidate) -> bool:
        """Pay for a check and the data it needs, if the budget allows."""
        price = one.seconds + self.cost(one.camera, one.needs)
        if self.budget is not None and self.spent + price > self.budget:
            return False
        self.paid.update(self.due(one.camera, one.needs))
        self.spent += price
        return True


def risk(failed: Iterable[bool], *, concerned: bool = False) -> float:
    """Return the probability that a check fails.

    Parameters
    ----------
    failed
        Whether it did in earlier runs, the latest first.
    concerned
        Whether the change at hand names what it checks.
    """
    weighed = [(FADING**age, one) for age, one in enumerate(failed)]
    failures = PRIOR_FAILURES + sum(weight for weight, one in weighed if one)
    probability = failures / (PRIOR_RUNS + sum(weight for weight, _ in weighed))
    odds = probability / (1 - probability) * (CONCERNED if concerned else 1.0)
    return odds / (1 + odds)


def arrange(
    candidates: Iterable[Candidate],
    *,
    stages: Mapping[str, Sequence[Stage]],
    stage_seconds: Mapping[tuple[str, Stage], float] = MappingProxyType({}),
    budget: float | None = None,
) -> Arrangement:
    """Put checks in order, and leave out what does not fit.

    Parameters
    ----------
    candidates
        The checks that could be made.
    stages
        The stages that each camera goes through; all of them where nothing is said.
    stage_seconds
        How long a camera's stages lasted in earlier runs.
    budget
        How long all of it may take (s), None for as long as it does.
    """
    groups: dict[tuple[str, Stage | None], list[Candidate]] = {}
    for one in candidates:
        groups.setdefault((one.camera, one.needs), []).append(one)
    spending = _Spending(stages, stage_seconds, budget)
    order: list[str] = []
    left_out: list[str] = []
    while groups:
        best = max(groups, key=lambda key: (_ratio(key, groups[key], spending), *_named(key)))
        for one in sorted(groups.pop(best), key=lambda one: (-one.risk / max(one.seconds, 1e-3), one.key)):
            (order if spending.take(one) else left_out).append(one.key)
    return Arrangement(tuple(order), tuple(left_out), spending.spent)


def _ratio(key: tuple[str, Stage | None], group: Sequence[Candidate], spending: _Spending) -> float:
    """Return the probability that a group finds a failure over what it costs now."""
    risks: dict[str, float] = {}
    for one in group:
        name = one.bundle or one.key
        risks[name] = max(one.risk, risks.get(name, 0.0))
    worth = 1.0 - prod(1.0 - each for each in risks.values())
    return worth / max(spending.cost(*key) + sum(one.seconds for one in group), 1e-3)


def _named(key: tuple[str, Stage | None]) -> tuple[str, str]:
    """Break ties by name, so that the order is one."""
    return key[0], key[1] or ""
