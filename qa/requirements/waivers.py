"""Waivers: a metric may stay below a camera's gate for a stated reason until a stated day.

Nothing here knows the date or reads a file; `obsqa camera check` and the verdict pass both in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date


@dataclass(frozen=True, slots=True)
class Waiver:
    """Leave to be below the gate: which metric, in which bands (None: all), why, and until which day (included)."""

    metric: str
    reason: str
    expires: date
    bands: tuple[str, ...] | None = None
    ticket: str | None = None

    def covers(self, metric: str, band: str | None) -> bool:
        """Tell whether the waiver is of a metric in a band; one of certain bands is not of a scope without a band."""
        return metric == self.metric and (self.bands is None or band in self.bands)

    def holds(self, today: date) -> bool:
        """Tell whether the waiver still holds on a day; on the day it expires it does."""
        return today <= self.expires


def waiver_of(waivers: Iterable[Waiver], metric: str, band: str | None) -> Waiver | None:
    """Return the waiver of a metric in a band that lasts longest, expired or not; None if there is none."""
    covering = [one for one in waivers if one.covers(metric, band)]
    return max(covering, key=lambda one: one.expires, default=None)
