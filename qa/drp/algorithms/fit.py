"""One attempt to calibrate a set of catalogues together, with all that is needed to judge it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.astrometry import Reference, solve_astrometry
from qa.drp.algorithms.errors import CalibrationError
from qa.drp.algorithms.locate import Located, locate
from qa.drp.algorithms.observations import arrange, stars_of
from qa.drp.algorithms.photometry import solve_photometry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astropy.table import Table
    from numpy.typing import NDArray

    from qa.drp.algorithms.astrometry import Astrometry
    from qa.drp.algorithms.observations import DetectorCatalog, Exposures, Stars
    from qa.drp.algorithms.photometry import Photometry

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

NOMINAL_ZERO_POINT = 25.0
"""AB magnitude of one electron per second that is assumed without a reference catalogue."""

HEADER_ERR, NOMINAL_ERR = 0.1, 0.2
"""Weak ties (arcsec, mag) of a calibration without a reference: they fix its level and do not share in the rest."""

SEEDS = 3
"""Visits tried as the one that the others are tied to."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Solutions of the catalogues that could be located. `absolute` is False without a reference catalogue."""

    exposures: Exposures
    stars: Stars
    anchors: Reference
    absolute: bool
    astrometry: Astrometry
    photometry: Photometry

    @property
    def anchored(self) -> Flags:
        """Whether each star is one of the reference."""
        return np.asarray(self.astrometry.groups < len(self.anchors.position)) & self.absolute

    @property
    def tied(self) -> Flags:
        """Whether each star is tied to the anchors or to another visit."""
        groups = self.astrometry.groups
        seen = np.bincount(groups, self.astrometry.kept, minlength=1)
        return np.asarray((groups < len(self.anchors.position)) | (seen[groups] > 1))

    def count(self, chosen: Flags) -> Ints:
        """Chosen stars of each catalogue."""
        total = np.bincount(self.stars.catalog, chosen, minlength=len(self.exposures.catalogs))
        return total.astype(np.int64)


def fit(catalogs: Sequence[DetectorCatalog], reference: Table | None, *, band: str) -> Fit | dict[tuple[int, int], str]:
    """Locate the catalogues and solve for all of them; or tell which could not be located, by (visit, detector)."""
    exposures = arrange(catalogs)
    stars = stars_of(exposures)
    if reference is None:
        anchors, found = _relative(exposures, stars)
    else:
        anchors = anchors_of(exposures, reference, band)
        found = locate(exposures, stars, anchors.position, anchors.magnitude)
    if found.reasons:
        return {exposures.catalogs[index].key: reason for index, reason in found.reasons.items()}
    astrometry = solve_astrometry(exposures, stars, anchors, found.position)
    photometry = solve_photometry(exposures, stars, anchors, astrometry)
    return Fit(exposures, stars, anchors, reference is not None, astrometry, photometry)


def anchors_of(exposures: Exposures, reference: Table, band: str) -> Reference:
    """Put the reference stars with a magnitude in the band on the plane."""
    position = exposures.plane(np.asarray(reference["ra"]), np.asarray(reference["dec"]))
    magnitude = np.asarray(reference[f"mag_{band}"], dtype=np.float64)
    good = np.isfinite(position).all(axis=1) & np.isfinite(magnitude)
    scatter = np.hypot(np.asarray(reference["ra_err"]), np.asarray(reference["dec_err"])) / np.sqrt(2) / 1000
    errors = np.maximum(scatter[good], 1e-4), np.maximum(np.asarray(reference[f"mag_err_{band}"])[good], 1e-4)
    names = [n for n in reference.colnames if n.startswith("mag_") and not n.startswith("mag_err_")]
    others = {n.removeprefix("mag_"): np.asarray(reference[n], dtype=np.float64)[good] for n in names}
    return Reference(position[good], errors[0], magnitude[good], errors[1], others)


def require_reference(reference: Table, band: str) -> None:
    """Refuse a reference that cannot calibrate the band.

    Raises
    ------
    CalibrationError
        If it has no stars with a magnitude in the band.
    """
    column = f"mag_{band}"
    if column not in reference.colnames:
        known = ", ".join(name for name in reference.colnames if name.startswith("mag_")) or "no magnitudes"
        raise CalibrationError(what="reference catalogue", required=f"a column {column}", found=known)
    if not np.isfinite(np.asarray(reference[column], dtype=np.float64)).any():
        raise CalibrationError(what="reference catalogue", required=f"stars with {column}", found="none")


def _relative(exposures: Exposures, stars: Stars) -> tuple[Reference, Located]:
    """Take the visit that the most others can be tied to, as its header places it, for the reference."""
    counts = np.bincount(exposures.visit_of[stars.catalog], minlength=len(exposures.visits))
    tries: list[tuple[int, Reference, Located]] = []
    for seed in np.argsort(-counts, kind="stable")[:SEEDS]:
        anchors = _as_reference(exposures, stars, int(seed))
        found = locate(exposures, stars, anchors.position, anchors.magnitude, explain=False)
        tries.append((len(found.reasons), anchors, found))
        if not found.reasons:
            return anchors, found
    anchors = min(tries, key=lambda one: one[0])[1]
    return anchors, locate(exposures, stars, anchors.position, anchors.magnitude)


def _as_reference(exposures: Exposures, stars: Stars, visit: int) -> Reference:
    mine = exposures.visit_of[stars.catalog] == visit
    seconds = np.array([float(catalog.sources.meta["EXPTIME"]) for catalog in exposures.catalogs])
    nominal = NOMINAL_ZERO_POINT + 2.5 * np.log10(np.maximum(seconds, 1e-3))[stars.catalog[mine]]
    errors = np.full((2, int(mine.sum())), [[HEADER_ERR], [NOMINAL_ERR]])
    return Reference(stars.crude[mine], errors[0], stars.magnitude[mine] + nominal, errors[1], {})
