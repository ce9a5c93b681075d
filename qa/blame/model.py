"""What attribution rests on: runs with their facts, the window in which a series moved, trials and reruns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.model import Scope

if TYPE_CHECKING:
    from datetime import datetime

Facts = Mapping[str, str]
"""The facts of a run's provenance by name: `package numpy`, `data hsc/twin`, `host`."""

Key = tuple[str, Scope]
"""A metric's name and what it was measured on."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its id, when it was planned, and its facts."""

    id: str
    when: datetime
    facts: Facts


@dataclass(frozen=True, slots=True)
class Window:
    """Between which runs a series moved: after `good`, the last one in which it was well, and not after `bad`.

    `lead` are the runs of the series before the good one, newest first: an effect may show late. `stood` counts the
    runs in which it has been off, tonight's included, `flips` how often it went off and came back before, `same` the
    runs up to the good one that gave the very same value. `n` is the number of things the good value rested on.
    """

    bad: Run
    good: Run | None = None
    lead: tuple[Run, ...] = ()
    stood: int = 1
    flips: int = 0
    same: int = 0
    n: int | None = None


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """The packages that concern only this camera: its own one and what it watches, as short lower-case names."""

    packages: frozenset[str]


@dataclass(frozen=True, slots=True)
class Trial:
    """A camera was processed once more with some packages as they were in the good run, and that mended it or not."""

    camera: str
    swapped: frozenset[str]
    mended: bool


@dataclass(frozen=True, slots=True)
class Rerun:
    """The same data were processed again with the same software, and the series came out moved again or not."""

    metric: str
    scope: Scope
    repeated: bool
