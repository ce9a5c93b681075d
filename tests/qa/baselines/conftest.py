"""What the tests of the baselines share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from qa import baselines
from qa.baselines.acceptance import Rules, Selection
from qa.baselines.ledger import Decision
from qa.metrics import catalogue
from qa.model import Measurement, Scope, Unmeasured
from qa.requirements import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from qa.baselines.ledger import Entry
    from qa.model import Result

DECISION = Decision(who="A. Person <a@example.org>", when=datetime(2026, 3, 1, tzinfo=UTC), why="x")
RULES = Rules(definitions=catalogue(), requirements={"hsc": load(), "decam": load()})


def results_of(values: Mapping[str, float | None], camera: str) -> list[Result]:
    """Measure metrics in the r band; None for what was not measured."""
    scope = Scope(camera, "twin", "r", 0)
    return [
        Unmeasured(metric, scope, "too few stars")
        if value is None
        else Measurement(metric, scope, value, catalogue()[metric].unit, 100, 0.1)
        for metric, value in values.items()
    ]


@pytest.fixture(scope="session")
def decision() -> Decision:
    """Return a decision of a day in spring."""
    return DECISION


@pytest.fixture(scope="session")
def accept_values() -> Callable[..., tuple[Entry, ...]]:
    """Return a function that accepts values by metric."""

    def accept(
        root: Path, values: Mapping[str, float | None], *, camera: str = "hsc", tell: Any = None, **said: Any
    ) -> tuple[Entry, ...]:
        return baselines.accept(
            root,
            results_of(values, camera),
            run="20260301T000000Z",
            decision=DECISION.model_copy(update=said),
            rules=RULES,
            selection=Selection(tuple(values)),
            **({} if tell is None else {"tell": tell}),
        )

    return accept
