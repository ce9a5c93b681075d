"""Which exposures the metrics of some bands rest on: the visits, and the calibrations that these are reduced with.

Pure. That no other exposure matters is a guess, to be proven by processing.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from qa.twins.forms.base import TAI_MINUS_UTC, isot
from qa.twins.recipe import Kind
from qa.twins.schedule import calibration_shots, validities

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from qa.provenance.calibration_dates import Validity
    from qa.twins.recipe import Recipe, Visit


def exposures_of(recipe: Recipe, bands: Collection[str], *, step: int, day: date | None = None) -> tuple[int, ...]:
    """Return the exposures that visits in some bands need.

    Parameters
    ----------
    recipe
        The whole.
    bands
        Those that are wanted.
    step
        By how much the ids of calibration exposures go up, see `calibration_shots`.
    day
        The day whose calibrations are used, None for those of today. Which masters hold on then follows from all there
        are: all epochs are taken.

    Returns
    -------
    exposures
        Ids in increasing order; empty where no visit is in these bands.
    """
    visits = [visit for visit in recipe.visits if visit.band in bands]
    known = validities(recipe)
    used = {(one.kind, one.group) for one in known if day is not None or any(_holds(one, visit) for visit in visits)}
    frames = [
        one.shot.exposure
        for one in calibration_shots(recipe, step=step)
        if (one.shot.kind.value, one.group) in used and (one.shot.kind is not Kind.FLAT or one.shot.band in bands)
    ]
    return tuple(sorted([*(visit.exposure for visit in visits), *frames])) if visits else ()


def _holds(one: Validity, visit: Visit) -> bool:
    when = isot(visit.begin.replace(tzinfo=UTC) + TAI_MINUS_UTC)
    return (one.begin is None or one.begin <= when) and (one.end is None or when < one.end)
