"""What is true of a drawn set, and how lists of sources compare with it. Pure functions of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import Table
from scipy.spatial import cKDTree

from benchmarks.peer.data import recipe_of
from benchmarks.peer.night import TRUTH
from qa.twins.optics import deproject, detector_origin, project, view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.peer.night import Night
    from qa.twins.recipe import Recipe

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MARGIN = 10.0
"""Pixels at the edges of detectors where a source counts as not seen."""

ISOLATION, COMPARABLE = 3.0, 2.0
"""A source without another within so many arcsec, of so much less than its brightness (mag), is isolated."""

REACH = 1.0
"""Arcsec within which a detection belongs to a true source."""

BRIGHT = (16.0, 18.5)
"""Magnitudes of the stars that tell the errors other than noise."""


@dataclass(frozen=True, slots=True)
class Truth:
    """True sources: position in arcsec from the field centre, magnitude, kind, how many visits see it.

    `area` is the part, in arcmin^2, that all visits but one see.
    """

    plane: Floats
    mag: Floats
    star: Flags
    seen: NDArray[np.int64]
    isolated: Flags
    visits: int
    recipe: Recipe
    area: float

    @property
    def bright(self) -> Flags:
        """Isolated stars in the range of magnitudes `BRIGHT`."""
        return self.star & self.isolated & (self.mag > BRIGHT[0]) & (self.mag < BRIGHT[1])

    @property
    def covered(self) -> Flags:
        """Sources that all visits but one see."""
        return self.seen >= self.visits - 1


def plane_of(recipe: Recipe, ra: Floats, dec: Floats) -> Floats:
    """Positions in arcsec to the east and north of the field centre, shape (n, 2)."""
    return np.column_stack(project(np.asarray(ra), np.asarray(dec), centre=recipe.centre))


def seen_by(recipe: Recipe, ra: Floats, dec: Floats) -> NDArray[np.int64]:
    """How many visits have positions of the sky on a detector."""
    ny, nx = recipe.detector_shape
    count = np.zeros(len(ra), dtype=np.int64)
    for visit in recipe.visits:
        inside = np.zeros(len(ra), dtype=bool)
        for detector in recipe.detectors:
            x, y = view(recipe, visit).pixels(ra, dec, origin=detector_origin(recipe, detector))
            inside |= (x > MARGIN) & (x < nx - MARGIN) & (y > MARGIN) & (y < ny - MARGIN)
        count += inside
    return count


def read_truth(night: Night, *, band: str) -> Truth:
    """Read the truth of a set."""
    table, recipe = Table.read(night.folder / TRUTH), recipe_of(night)
    ra, dec, mag = (np.asarray(table[name], dtype=np.float64) for name in ("ra", "dec", f"mag_{band}"))
    plane = plane_of(recipe, ra, dec)
    star = np.asarray(table["star"], dtype=bool)
    area = area_seen(recipe, float(np.abs(plane).max()))
    return Truth(plane, mag, star, seen_by(recipe, ra, dec), isolated(plane, mag), len(recipe.visits), recipe, area)


def isolated(plane: Floats, mag: Floats) -> Flags:
    """Tell which sources have no neighbour of comparable or greater brightness."""
    alone = np.ones(len(mag), dtype=bool)
    one, other = cKDTree(plane).query_pairs(ISOLATION, output_type="ndarray").T
    alone[one[mag[other] < mag[one] + COMPARABLE]] = False
    alone[other[mag[one] < mag[other] + COMPARABLE]] = False
    return alone


def found(truth: Truth, plane: Floats) -> Flags:
    """Tell which true sources have a detection nearby."""
    distance, _ = cKDTree(plane).query(truth.plane, distance_upper_bound=REACH)
    return np.isfinite(distance)


def false_rate(truth: Truth, ra: Floats, dec: Floats) -> float:
    """Count false detections per arcmin^2 of the part that all visits but one see: those far from any true source."""
    good = seen_by(truth.recipe, ra, dec) >= truth.visits - 1
    distance, _ = cKDTree(truth.plane).query(plane_of(truth.recipe, ra[good], dec[good]))
    return float(np.count_nonzero(distance > REACH) / truth.area)


def area_seen(recipe: Recipe, half: float) -> float:
    """Arcmin^2 that all visits but one see, within `half` arcsec of the centre, from points thrown at random."""
    points = np.random.default_rng(0).uniform(-half, half, (100_000, 2))
    ra, dec = deproject(points[:, 0], points[:, 1], centre=recipe.centre)
    return float((seen_by(recipe, ra, dec) >= len(recipe.visits) - 1).mean() * (2 * half / 60) ** 2)


def half_magnitude(mag: Floats, found: Flags) -> float:
    """Magnitude at which a logistic function, fitted to who was found (maximum likelihood), is one half."""
    middle = float(np.median(mag))
    terms = np.array([0.0, -2.0])
    for _ in range(25):
        basis = np.column_stack([np.ones(len(mag)), mag - middle])
        expected = 1 / (1 + np.exp(-np.clip(basis @ terms, -30, 30)))
        weight = np.maximum(expected * (1 - expected), 1e-9)
        step = np.linalg.solve(basis.T @ (basis * weight[:, None]), basis.T @ (found - expected))
        terms += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-6:
            break
    return float(middle - terms[0] / terms[1])


def scatter(values: Floats) -> float:
    """Robust standard deviation: 1.4826 times the median distance from the median."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))
