"""Which of a user's calibration exposures are combined, and for which dates. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.twins.manifest import TwinCalibration

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP_DAYS = 2.0
"""Biases farther apart than this belong to different groups."""


@dataclass(frozen=True, slots=True)
class Calibrating:
    """One file of a calibration exposure; `mjd` and the ISO date `begin` are in TAI."""

    path: str
    kind: str
    exposure: int
    detectors: tuple[int, ...]
    mjd: float
    begin: str


@dataclass(frozen=True, slots=True)
class _Group:
    """Biases that follow each other, between two dates (MJD); `begin` is when the first was taken."""

    name: str
    first: float
    last: float
    begin: str

    def distance(self, mjd: float) -> float:
        """Days from a date to the group."""
        return max(self.first - mjd, mjd - self.last, 0.0)


def in_groups(files: Sequence[Calibrating]) -> tuple[tuple[TwinCalibration, ...], list[str]]:
    """Put darks and flats to the biases nearest in time, and tell for which dates each kind is valid.

    What a group has of a kind is valid from the group's first bias until that of the next group that has some of that
    kind; the first and the last are open.

    Returns
    -------
    calibrations
        The exposures with their groups.
    caveats
        Why there are none, if there are darks or flats but no bias.
    """
    groups = _groups(sorted((one for one in files if one.kind == "bias"), key=lambda one: one.mjd))
    if not groups:
        number = len(files)
        return (), [f"{number} darks and flats left out: must have biases with them, found none"] if number else []
    members = {one: min(groups, key=lambda group: group.distance(one.mjd)) for one in files}
    having = {
        kind: [group for group in groups if any(members[one] is group for one in files if one.kind == kind)]
        for kind in {one.kind for one in files}
    }
    return tuple(_with_validity(one, members[one], having[one.kind]) for one in files), []


def _groups(biases: Sequence[Calibrating]) -> list[_Group]:
    groups: list[_Group] = []
    for one in biases:
        if groups and one.mjd - groups[-1].last <= GAP_DAYS:
            last = groups[-1]
            groups[-1] = _Group(last.name, last.first, one.mjd, last.begin)
        else:
            groups.append(_Group(f"calibration-{one.exposure}", one.mjd, one.mjd, one.begin))
    return groups


def _with_validity(one: Calibrating, group: _Group, having: Sequence[_Group]) -> TwinCalibration:
    place = having.index(group)
    begin = having[place].begin if place else None
    end = having[place + 1].begin if place + 1 < len(having) else None
    return TwinCalibration(one.kind, one.path, one.exposure, one.detectors, group.name, begin, end)
