"""Objects of the coadd against what was drawn: who is whose counterpart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import CannotMeasureError, column, radians, require
from qa.metrics.sphere import ARCSEC, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

TOLERANCE_ARCSEC = 1.0
BIAS_SNR = 50.0
FEWEST = 10
EXTENDED = 0.5


@dataclass(frozen=True, slots=True)
class Positions:
    """Positions in radian (n,)."""

    ra: Floats
    dec: Floats

    def __getitem__(self, which: Flags | Ints) -> Positions:
        return Positions(self.ra[which], self.dec[which])


@dataclass(frozen=True, slots=True)
class Stars:
    """Measured stars with their true counterparts, all (n,); magnitudes AB. `place` are the truth's rows."""

    measured: Positions
    true: Positions
    magnitudes: Floats
    true_magnitudes: Floats
    place: Ints


def primary(tables: Tables) -> Flags:
    """Tell which objects are primary, i.e. not the copy of another patch."""
    return column(tables.objects, "primary").astype(bool)


def object_positions(tables: Tables) -> Positions:
    """Return the positions of all objects."""
    return Positions(radians(tables.objects, "ra"), radians(tables.objects, "dec"))


def truth_positions(tables: Tables) -> Positions:
    """Return the positions of everything drawn."""
    return Positions(radians(tables.truth_coverage, "ra"), radians(tables.truth_coverage, "dec"))


def well_covered(tables: Tables) -> Flags:
    """Tell what was drawn where the coadd holds at least half as many visits as at its deepest.

    Raises
    ------
    CannotMeasureError
        If nothing that was drawn is covered.
    """
    visits = column(tables.truth_coverage, "n_visits")
    if not len(visits) or visits.max() <= 0:
        msg = f"none of the {len(visits)} sources that were drawn lies on the coadd"
        raise CannotMeasureError(msg)
    covered: Flags = 2 * visits >= visits.max()
    return covered


def counterparts(positions: Positions, others: Positions) -> Ints:
    """Return for each position the place of the nearest of the others within 1 arcsec, -1 for none."""
    return nearest(positions.ra, positions.dec, others.ra, others.dec, tolerance=TOLERANCE_ARCSEC * ARCSEC)


def matched_stars(tables: Tables) -> Stars:
    """Return the good primary point-like objects of S/N >= 50 whose counterpart is an isolated, well-covered star.

    Raises
    ------
    CannotMeasureError
        If there are fewer than ten.
    """
    usable = primary(tables) & ~column(tables.objects, "flag").astype(bool)
    usable &= column(tables.objects, "snr") >= BIAS_SNR
    usable &= column(tables.objects, "extendedness") < EXTENDED
    magnitudes = column(tables.objects, "mag").astype(np.float64)
    usable &= np.isfinite(magnitudes)
    true = truth_positions(tables)
    place = counterparts(object_positions(tables), true)
    good = well_covered(tables) & column(tables.truth_coverage, "star").astype(bool)
    good &= column(tables.truth_coverage, "isolated").astype(bool)
    usable &= (place >= 0) & good[place]
    require(int(usable.sum()), FEWEST, f"isolated stars of S/N {BIAS_SNR:g} or more with a counterpart in the truth")
    place = place[usable]
    true_magnitudes = column(tables.truth_coverage, "mag").astype(np.float64)[place]
    return Stars(object_positions(tables)[usable], true[place], magnitudes[usable], true_magnitudes, place)
