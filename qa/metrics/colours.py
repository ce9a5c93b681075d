"""Colours: their zero points against the truth (LPM-17, Table 16) and the width of the stellar locus."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import Direction, Estimate, Metric, MetricDefinition, column, require
from qa.metrics.sphere import ARCSEC, nearest
from qa.metrics.statistics import mean_error, quantile_error
from qa.metrics.truth import BIAS_SNR, EXTENDED, Positions, matched_stars, object_positions, primary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

REFERENCE = "r"
MMAG = 1000.0
FEWEST = 10
MATCH_ARCSEC = 0.5
LOCUS_SNR = 300.0
CLIPS = (3.5, 5.0)
MAD_TO_SIGMA = 1.4826
IQR_TO_SIGMA = 0.74
# The median absolute deviation has 37 % of the efficiency of the standard deviation (Huber 1981, sect. 5.1).
MAD_EFFICIENCY = 0.37


def pa5(tables: Tables) -> Estimate:
    """Size of the median error of the colour band - r over isolated stars of the coadd bright in both, in mmag.

    An error is the measured less the true colour. The standard error is analytic: stars are independent.
    """
    ids, errors = _errors(tables)
    other, reference = _errors(tables.of(REFERENCE))
    _, here, there = np.intersect1d(ids, other, return_indices=True)
    require(len(here), FEWEST, f"isolated stars of S/N {BIAS_SNR:g} or more in both bands")
    differences = errors[here] - reference[there]
    stderr = quantile_error(differences, 0.5, mean_error)
    return Estimate(abs(float(np.median(differences))), len(differences), stderr)


def _errors(tables: Tables) -> tuple[NDArray[np.int64], Floats]:
    stars = matched_stars(tables)
    ids = column(tables.truth_coverage, "id").astype(np.int64)[stars.place]
    return ids, MMAG * (stars.magnitudes - stars.true_magnitudes)


@dataclass(frozen=True, slots=True)
class Locus:
    """A straight part of the stellar locus: bands of colours x = first - second and y = second - third, and its box."""

    name: str
    bands: tuple[str, str, str]
    x: tuple[float, float]
    y: tuple[float, float]
    steep: bool = False


LOCI = (
    Locus("w", ("g", "r", "i"), (0.28, 1.0), (0.02, 0.48)),
    Locus("x", ("g", "r", "i"), (1.05, 1.55), (0.78, 1.62), steep=True),
    Locus("y", ("r", "i", "z"), (0.82, 2.01), (0.37, 0.90)),
)


def locus_width(tables: Tables, *, locus: Locus) -> Estimate:
    """Width of a straight part of the stellar locus: 1.4826 times the median absolute deviation from its line, in mmag.

    Follows `lsst.analysis.tools.actions.keyedData.StellarLocusFitAction` with the boxes of `WPerpPSF`, `XPerpPSF` and
    `YPerpPSF`: an orthogonal fit to the stars in the box, then twice one to those between the perpendiculars through
    the ends of the line and within 3.5, then 5 sigma of it. Stars are point-like in all three bands, with a S/N of
    300 or more in the second; no extinction is taken out. The standard error is that of normal scatter.
    """
    x, y = _colours(tables, locus)
    inside = (locus.x[0] < x) & (x < locus.x[1]) & (locus.y[0] < y) & (y < locus.y[1])
    require(int(inside.sum()), FEWEST, f"bright stars with colours in the box of the locus {locus.name}")
    line = _fit(x[inside], y[inside])
    for clip in CLIPS:
        apart, along = line.coordinates(x, y)
        chosen = (along > min(ends := line.ends(locus))) & (along < max(ends))
        require(int(chosen.sum()), FEWEST, f"bright stars along the locus {locus.name}")
        low, high = np.percentile(apart[chosen], (25, 75))
        chosen &= np.abs(apart) <= clip * IQR_TO_SIGMA * (high - low)
        require(int(chosen.sum()), FEWEST, f"bright stars within {clip:g} sigma of the locus {locus.name}")
        line = _fit(x[chosen], y[chosen])
    apart = MMAG * line.coordinates(x[chosen], y[chosen])[0]
    width = MAD_TO_SIGMA * float(np.median(np.abs(apart - np.median(apart))))
    return Estimate(width, len(apart), width / float(np.sqrt(2 * MAD_EFFICIENCY * len(apart))))


def _colours(tables: Tables, locus: Locus) -> tuple[Floats, Floats]:
    """Colours of the stars that are point-like in all three bands of a locus, matched by position."""
    first, second, third = (tables.of(band) for band in locus.bands)
    chosen = _point_like(second) & (column(second.objects, "snr") >= LOCUS_SNR)
    positions = object_positions(second)[chosen]
    magnitudes = [column(second.objects, "mag").astype(np.float64)[chosen]]
    good = np.ones(len(magnitudes[0]), dtype=bool)
    for other in (first, third):
        found, there = _counterpart_magnitudes(other, positions)
        magnitudes.append(found)
        good &= there
    middle, blue, red = (part[good] for part in magnitudes)
    return blue - middle, middle - red


def _point_like(tables: Tables) -> Flags:
    magnitudes = column(tables.objects, "mag").astype(np.float64)
    chosen: Flags = primary(tables) & ~column(tables.objects, "flag").astype(bool) & np.isfinite(magnitudes)
    return chosen & (column(tables.objects, "extendedness") < EXTENDED)


def _counterpart_magnitudes(tables: Tables, positions: Positions) -> tuple[Floats, Flags]:
    others, usable = object_positions(tables), _point_like(tables)
    kept = others[usable]
    place = nearest(positions.ra, positions.dec, kept.ra, kept.dec, tolerance=MATCH_ARCSEC * ARCSEC)
    magnitudes = np.append(column(tables.objects, "mag").astype(np.float64)[usable], np.nan)
    return magnitudes[place], place >= 0


@dataclass(frozen=True, slots=True)
class _Line:
    """A line through `centre` (2,) along the unit vector `direction` (2,)."""

    centre: Floats
    direction: Floats

    def coordinates(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Distances from the line, and along it, of points."""
        east, north = x - self.centre[0], y - self.centre[1]
        apart: Floats = self.direction[0] * north - self.direction[1] * east
        along: Floats = self.direction[0] * east + self.direction[1] * north
        return apart, along

    def ends(self, locus: Locus) -> tuple[float, float]:
        """Where along the line the sides of the box are: those in y where the locus is steep, else those in x."""
        axis, limits = (1, locus.y) if locus.steep else (0, locus.x)
        low, high = ((limit - self.centre[axis]) / self.direction[axis] for limit in limits)
        return float(low), float(high)


def _fit(x: Floats, y: Floats) -> _Line:
    """Orthogonal regression: the principal axis of the points."""
    points = np.stack([x, y], axis=1)
    centre = points.mean(axis=0)
    vectors = np.linalg.svd(points - centre, full_matrices=False)[2]
    return _Line(centre, vectors[0])


_define = partial(
    MetricDefinition,
    family="photometry",
    unit="mmag",
    direction=Direction.LOWER,
    reads=("bands",),
)


def _locus_metric(locus: Locus) -> Metric:
    blue, middle, red = locus.bands
    definition = _define(
        name=f"stellar_locus_width_{locus.name}",
        title=f"Width of the stellar locus, {locus.name} in {blue}{middle}{red}",
        definition=f"Width, 1.4826 times the median absolute deviation, perpendicular to the straight part of the "
        f"stellar locus fitted at {blue} - {middle} of {locus.x[0]:g} to {locus.x[1]:g} and {middle} - {red} of "
        f"{locus.y[0]:g} to {locus.y[1]:g}, of point-like objects with S/N of {LOCUS_SNR:g} or more in {middle}.",
        citation="obsqa; lsst/analysis_tools stellarLocusFit.py; Ivezic et al. 2004 (AN 325, 583)",
        bands=(blue,),
        partners=(middle, red),
    )
    return Metric(definition, partial(locus_width, locus=locus))


METRICS = (
    Metric(
        _define(
            name="PA5",
            title="Accuracy of colours against r",
            definition="Size of the median of measured less true colour, band less r, over isolated stars of the coadd "
            f"with S/N of {BIAS_SNR:g} or more in both bands.",
            citation="LPM-17, Table 16 (colour zero points); against the truth of the simulated exposures",
            bands=("u", "g", "i", "z", "y"),
            partners=(REFERENCE,),
        ),
        pa5,
    ),
    *(_locus_metric(locus) for locus in LOCI),
)
