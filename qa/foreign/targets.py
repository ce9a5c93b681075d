"""From the specifications that a Job quotes, or a metrics package holds, to the ladder of each metric.

A Job tests a metric against every specification whose `metadata_query` fits. Those tagged minimum, design and stretch
make a ladder; of several at one level all have to be met, so the hardest counts. Without such tags a specification is
a minimum. Release milestones are no requirements and are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qa.model import Ladder, Level
from qa.requirements.ladder import UnitMismatchError, convert, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from qa.requirements.verify import Specification

LEVELS = (Level.MINIMUM, Level.DESIGN, Level.STRETCH)
RELEASE = "release"
DIRECTIONS = {"<": "<=", "<=": "<=", ">": ">=", ">=": ">="}
"""The operators that ask for more or less of something, and what a ladder makes of them."""

_GROUPS = ("_gri", "_uzy", "_ugrizy")


def applicable(
    specifications: Iterable[Specification], meta: Mapping[str, Any], band: str | None
) -> tuple[Specification, ...]:
    """Return the specifications that test a job with this metadata, milestones left out."""
    return tuple(
        one for one in specifications if RELEASE not in one.tags and one.applies_to(meta) and _of_band(one.name, band)
    )


def _of_band(name: str, band: str | None) -> bool:
    """Tell whether a specification named for a group of bands (`design_gri`) is for a band."""
    group = next((group for group in _GROUPS if name.endswith(group)), None)
    return group is None or band is None or band not in set("ugrizy") or band in group


def ladder_of(
    metric: str, specifications: Sequence[Specification], *, unit: str
) -> tuple[Ladder | None, tuple[str, ...]]:
    """Make the ladder of one metric, in `unit`, and say in whole sentences what could not be made part of it."""
    caveats: list[str] = []
    usable = []
    for one in specifications:
        trouble = _trouble(one, unit)
        if trouble:
            caveats.append(f"{one.name} is not judged: {trouble}.")
        else:
            usable.append(one)
    directions = {DIRECTIONS[one.operator] for one in usable}
    if len(directions) > 1:
        return None, (*caveats, f"{metric} is not judged: its specifications ask for more of it and for less of it.")
    if not usable:
        return None, tuple(caveats)
    ladder = _ladder(metric, usable, unit, directions.pop())
    if not in_order(ladder.operator, ladder.minimum, ladder.design, ladder.stretch):
        caveats.append(f"{metric} is not judged: its targets do not get harder from minimum to stretch.")
        return None, tuple(caveats)
    return ladder, tuple(caveats)


def _trouble(one: Specification, unit: str) -> str:
    if one.operator not in DIRECTIONS:
        return f"it must ask for at most or at least something, and it asks for {one.operator} {one.value:g}"
    try:
        convert(1.0, unit=one.unit, to=unit, what=one.name)
    except UnitMismatchError:
        return f"its unit must be convertible to {unit!r}, and it is {one.unit!r}"
    return ""


def _ladder(metric: str, specifications: Sequence[Specification], unit: str, operator: str) -> Ladder:
    hardest = min if operator == "<=" else max
    limits: dict[Level, float] = {}
    for one in specifications:
        level = next((level for level in LEVELS if level.value in (*one.tags, *_words(one))), Level.MINIMUM)
        value = convert(one.value, unit=one.unit, to=unit, what=one.name)
        limits[level] = hardest(value, limits.get(level, value))
    citation = ", ".join(sorted(one.name for one in specifications)[:3])
    if len(specifications) > 3:  # noqa: PLR2004 - as many as a sentence bears
        citation += f" and {len(specifications) - 3} more"
    if len(limits) == len(LEVELS):
        minimum, design, stretch = (limits[level] for level in LEVELS)
        return Ladder(metric, None, unit, operator, minimum, design, stretch, citation)
    lowest = next(level for level in LEVELS if level in limits)
    limit = limits[lowest]
    return Ladder(metric, None, unit, operator, limit, limit, limit, citation, lowest)


def _words(one: Specification) -> list[str]:
    """Split a name: the level of `AM1.cfht_design` is in it even where it has no tags."""
    return one.name.replace(".", "_").split("_")
