"""Which accepted baselines somebody means, by names and patterns. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.baselines.acceptance import matches

if TYPE_CHECKING:
    from qa.judging.compare import Key


@dataclass(frozen=True, slots=True)
class Choice:
    """Which baselines to let go: names or patterns; an empty part leaves it open."""

    cameras: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()

    def covers(self, key: Key) -> bool:
        """Tell whether a baseline is meant."""
        scope = key[1]
        return (
            _fits(key[0], self.metrics)
            and _fits(scope.camera, self.cameras)
            and _fits(scope.dataset, self.datasets)
            and _fits(scope.band, self.bands)
            and _fits(scope.task, self.tasks)
        )

    def __str__(self) -> str:
        """Render as the names and patterns that were given."""
        return " ".join((*self.cameras, *self.datasets, *self.metrics, *self.bands, *self.tasks))


def _fits(name: str | None, patterns: tuple[str, ...]) -> bool:
    return not patterns or (name is not None and any(matches(name, pattern) for pattern in patterns))
