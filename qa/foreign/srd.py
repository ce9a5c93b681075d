"""The names that validate_drp gives to the metrics of LPM-17, and what a requirements document asks of them.

A metric with a second limit is measured once for each level: `AD1_design` is AD1 with the fraction AF1 that the design
allows. Photometric ones say for which bands the limits are: `PA2_design_gri`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qa.model import Level
from qa.requirements.ladder import target

if TYPE_CHECKING:
    from qa.judging.policy import Targets
    from qa.model import Ladder
    from qa.requirements import Requirements

PACKAGE = "validate_drp"
_NAME = re.compile(
    rf"{PACKAGE}\.(?P<base>PA1|PA2|PF1|A[MDF]\d|TE\d)(?:_(?P<level>minimum|design|stretch))?(?:_(?P<bands>gri|uzy))?"
)


@dataclass(frozen=True, slots=True)
class SrdName:
    """A metric of validate_drp taken apart: that of LPM-17, and the level and bands of its limits, if it says so."""

    base: str
    level: Level | None = None
    bands: str | None = None


def parse(metric: str) -> SrdName | None:
    """Take the name of a metric (`validate_drp.PA2_design_gri`) apart; None if it is none of LPM-17's."""
    found = _NAME.fullmatch(metric)
    if found is None:
        return None
    return SrdName(found["base"], Level(found["level"]) if found["level"] else None, found["bands"])


def ladder(requirements: Targets, metric: str, band: str | None) -> Ladder | None:
    """Return what is asked of a metric in a band; of one that is measured for one level, the target of that level.

    None where nothing is asked, or the metric's limits are those of other bands.
    """
    name = parse(metric)
    if name is None or (name.bands is not None and (band is None or band not in name.bands)):
        return None
    whole = requirements.ladder(name.base, band)
    if whole is None or name.level is None:
        return whole and replace(whole, metric=metric)
    limit = target(whole, name.level)
    return replace(whole, metric=metric, minimum=limit, design=limit, stretch=limit, only=name.level)


def unit(requirements: Requirements, metric: str) -> str | None:
    """Return the unit in which a metric of LPM-17 is required, None for other metrics."""
    name = parse(metric)
    found = requirements.requirement(name.base) if name else None
    return found.unit if found else None
