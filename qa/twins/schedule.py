"""Which calibration exposures a recipe asks for, when they are taken, and for which dates their masters hold.

Pure: everything follows from the recipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from qa.provenance.calibration_dates import Validity
from qa.twins.forms.base import TAI_MINUS_UTC, isot
from qa.twins.recipe import Kind, Shot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qa.twins.recipe import Epoch, Recipe

_READOUT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class CalibrationShot:
    """One calibration exposure, the number of its epoch, and between which dates (TAI, None is open) it is valid."""

    shot: Shot
    epoch: int
    begin: str | None
    end: str | None

    @property
    def group(self) -> str:
        """What is the same for exposures that are combined."""
        return f"calibration-{self.epoch}"


def calibration_shots(recipe: Recipe, *, step: int) -> Iterator[CalibrationShot]:
    """List the calibration exposures, epoch by epoch; their ids go up in steps of `step`."""
    for number, epoch in enumerate(recipe.epochs):
        begin = epoch.begin
        for index, (kind, band, exposure_time) in enumerate(_frames(recipe, epoch)):
            shot = Shot(
                exposure=epoch.exposure + index * step, band=band, begin=begin, exposure_time=exposure_time, kind=kind
            )
            yield CalibrationShot(shot, number, *_validity(recipe, kind, number))
            begin += timedelta(seconds=exposure_time) + _READOUT


def validities(recipe: Recipe) -> tuple[Validity, ...]:
    """Tell for which dates the masters of each kind and epoch hold, and when the last of their exposures was taken."""
    found: dict[tuple[str, str], Validity] = {}
    for one in calibration_shots(recipe, step=1):
        end = one.shot.begin + timedelta(seconds=one.shot.exposure_time)
        kind = one.shot.kind.value
        found[kind, one.group] = Validity(kind, one.group, one.begin, one.end, isot(end))
    return tuple(found.values())


def epoch_of(recipe: Recipe, when: datetime) -> int:
    """Tell the number of the epoch that a date (UTC) falls into."""
    return max(sum(epoch.begin <= when for epoch in recipe.epochs) - 1, 0)


def _frames(recipe: Recipe, epoch: Epoch) -> Iterator[tuple[Kind, str, float]]:
    first = next(iter(recipe.bands))
    yield from [(Kind.BIAS, first, 0.0)] * epoch.bias
    yield from [(Kind.DARK, first, epoch.dark_time)] * epoch.dark
    for band in recipe.bands:
        yield from [(Kind.FLAT, band, epoch.flat_time)] * epoch.flat


def _validity(recipe: Recipe, kind: Kind, number: int) -> tuple[str | None, str | None]:
    """Between which dates (TAI) exposures of an epoch are valid: until the next that has some of that kind."""
    having = [index for index, epoch in enumerate(recipe.epochs) if getattr(epoch, kind.value)]
    place = having.index(number)
    starts = [_tai(recipe.epochs[index].begin) for index in having]
    begin = starts[place] if place else None
    return begin, starts[place + 1] if place + 1 < len(starts) else None


def _tai(when: datetime) -> str:
    return isot(when.replace(tzinfo=UTC) + TAI_MINUS_UTC)
