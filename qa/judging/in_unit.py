"""Bringing a result, a baseline and a requirement to the unit of the metric's definition, each with its name on errors.

Raises `qa.requirements.UnitMismatchError` where a unit is missing or does not measure what the definition says.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from qa.requirements.ladder import convert

if TYPE_CHECKING:
    from qa.model import Baseline, Ladder, Measurement


def measured(unit: str, result: Measurement) -> Measurement:
    """Return a measurement in a unit."""
    if result.unit == unit:
        return result
    scale = partial(convert, unit=result.unit, to=unit, what=f"{result.metric} of {result.scope}")
    stderr = None if result.stderr is None else scale(result.stderr)
    return replace(result, value=scale(result.value), unit=unit, stderr=stderr)


def baseline(unit: str, known: Baseline) -> Baseline:
    """Return an accepted value in a unit."""
    if known.unit == unit:
        return known
    scale = partial(convert, unit=known.unit, to=unit, what=f"baseline of {known.metric} of {known.scope}")
    stderr = None if known.stderr is None else scale(known.stderr)
    return replace(known, value=scale(known.value), unit=unit, stderr=stderr, tolerance=scale(known.tolerance))


def ladder(unit: str, known: Ladder | None) -> Ladder | None:
    """Return a requirement's targets in a unit."""
    if known is None or known.unit == unit:
        return known
    scale = partial(convert, unit=known.unit, to=unit, what=f"requirement of {known.metric}")
    minimum, design, stretch = scale(known.minimum), scale(known.design), scale(known.stretch)
    return replace(known, unit=unit, minimum=minimum, design=design, stretch=stretch)
