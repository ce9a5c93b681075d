"""What the name of a specification says: of which requirement it is, at which level, milestone and bands.

Names are words joined by `_`: `PF1_design_gri.cfht_g_FY18` is of PF1, level design, bands g r i, restricted to g,
milestone FY18. Words that say none of this (a camera, a data set) are left as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.requirements.verify import Specification

LEVELS = ("minimum", "design", "stretch")
"""The levels from the easiest to the hardest."""

BANDS = "ugrizy"
_MILESTONE = re.compile(r"FY\d\d|ORR")
_FILTER = re.compile(r"(?:HSC-)?([ugrizyUGRIZY])")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a specification's name says; None where it says nothing."""

    requirement: str
    level: str | None
    milestone: str | None
    bands: frozenset[str] | None
    family: str
    """The name without its level: specifications that differ in nothing else are one ladder."""
    series: str
    """The name without its milestone: specifications that differ in nothing else follow each other."""


def read_name(specification: Specification) -> Reading:
    """Read the name of a specification."""
    metric, _, own = specification.short.partition(".")
    words = [*own.split("_"), *metric.split("_")]  # what the specification says itself comes first
    return Reading(
        requirement=metric.split("_")[0],
        level=next((word for word in words if word in LEVELS), None),
        milestone=next((word for word in words if is_milestone(word)), None),
        bands=next((frozenset(word) for word in words if is_bands(word)), None),
        family=without(specification.name, LEVELS.__contains__),
        series=without(specification.name, is_milestone),
    )


def is_milestone(word: str) -> bool:
    """Tell whether a word is a milestone of the project: FY17, ORR; the alphabet has them in the order of time."""
    return _MILESTONE.fullmatch(word) is not None


def is_bands(word: str) -> bool:
    """Tell whether a word lists bands, each once: g, gri, uzy."""
    return bool(word) and set(word) <= set(BANDS) and len(set(word)) == len(word)


def without(name: str, unwanted: Callable[[str], bool]) -> str:
    """Return a name without the words that are unwanted."""
    return ".".join("_".join(word for word in part.split("_") if not unwanted(word)) for part in name.split("."))


def instead(name: str, old: str, new: str) -> str:
    """Return a name with one word replaced by another."""
    return ".".join("_".join(new if word == old else word for word in part.split("_")) for part in name.split("."))


def queried_bands(specification: Specification) -> frozenset[str] | None:
    """Return the bands the metadata query asks for; None where it asks for none, or in unknown words."""
    asked = specification.metadata_query.get("filter_name")
    found = [_FILTER.fullmatch(word) for word in asked.split("^")] if isinstance(asked, str) else []
    return frozenset(match[1].lower() for match in found if match) if found and all(found) else None
