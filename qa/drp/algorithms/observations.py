"""The stars of all exposures of a tract in one set of arrays, and where the exposures lie before calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.skygrid import ARCSEC, mean_direction, plane_to_sky, sky_to_plane
from qa.drp.algorithms.solution import TanSip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astropy.table import Table
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

CALIBRATION_SNR = 20.0
"""Stars fainter than this do not take part in the calibration."""

POSITION_FLOOR = 0.003
"""Arcsec added to the error of a position, for what the noise of its pixels does not say."""

MAGNITUDE_FLOOR = 0.003


@dataclass(frozen=True, slots=True)
class DetectorCatalog:
    """The sources of one detector in one visit, as `characterize` returns them, with their meta."""

    visit: int
    detector: int
    sources: Table

    @property
    def key(self) -> tuple[int, int]:
        """(visit, detector)."""
        return self.visit, self.detector

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)."""
        return int(self.sources.meta["NY"]), int(self.sources.meta["NX"])


@dataclass(frozen=True, slots=True)
class Exposures:
    """Where exposures lie by their crude headers, on one plane touching the sky at (ra, dec) degrees.

    `visits` and `detectors` are the ids, `visit_of` and `detector_of` their indices for each catalogue. `centres`
    (arcsec, one per visit) and `radius` (arcsec) define field coordinates within [-1, 1].
    """

    catalogs: tuple[DetectorCatalog, ...]
    ra: float
    dec: float
    visits: Ints
    detectors: Ints
    visit_of: Ints
    detector_of: Ints
    centres: Floats
    radius: float

    def plane(self, ra: Floats, dec: Floats) -> Floats:
        """Positions on the common plane in arcsec, shape (n, 2)."""
        return np.column_stack(sky_to_plane(ra, dec, ra0=self.ra, dec0=self.dec)) * ARCSEC

    def sky(self, positions: Floats) -> tuple[Floats, Floats]:
        """Undo `plane`."""
        return plane_to_sky(positions[:, 0] / ARCSEC, positions[:, 1] / ARCSEC, ra0=self.ra, dec0=self.dec)

    def crude(self, catalog: int, x: Floats, y: Floats) -> Floats:
        """Positions of pixels by the crude header, on the plane in arcsec."""
        return self.plane(*crude_wcs(self.catalogs[catalog]).pixel_to_sky(x, y))

    def field(self, positions: Floats, catalog: Ints) -> Floats:
        """Field coordinates of positions on the plane."""
        return (positions - self.centres[self.visit_of[catalog]]) / self.radius


@dataclass(frozen=True, slots=True)
class Stars:
    """Observations of stars: catalogue index, pixels, crude position (arcsec, shape (n, 2)) with its error, magnitude.

    `magnitude` is -2.5 log10 of the electrons.
    """

    catalog: Ints
    x: Floats
    y: Floats
    crude: Floats
    position_err: Floats
    magnitude: Floats
    magnitude_err: Floats


def crude_wcs(catalog: DetectorCatalog) -> TanSip:
    """Return the linear WCS of the raw header."""
    return TanSip.from_header(catalog.sources.meta)


def arrange(catalogs: Sequence[DetectorCatalog]) -> Exposures:
    """Lay out the exposures on one plane, in the order of (visit, detector)."""
    ordered = tuple(sorted(catalogs, key=lambda catalog: catalog.key))
    middles = [
        crude_wcs(catalog).pixel_to_sky((catalog.shape[1] - 1) / 2, (catalog.shape[0] - 1) / 2) for catalog in ordered
    ]
    ra, dec = np.array(middles, dtype=np.float64).T
    ra0, dec0 = mean_direction(ra, dec)
    visits, visit_of = np.unique([catalog.visit for catalog in ordered], return_inverse=True)
    detectors, detector_of = np.unique([catalog.detector for catalog in ordered], return_inverse=True)
    positions = np.column_stack(sky_to_plane(ra, dec, ra0=ra0, dec0=dec0)) * ARCSEC
    centres = np.array([positions[visit_of == v].mean(axis=0) for v in range(len(visits))])
    largest = max(np.hypot(*catalog.shape) * _scale(catalog) / 2 for catalog in ordered)
    radius = float(np.hypot(*(positions - centres[visit_of]).T).max() + largest)
    return Exposures(ordered, ra0, dec0, visits, detectors, visit_of, detector_of, centres, radius)


def stars_of(exposures: Exposures) -> Stars:
    """Select the stars that calibrate: clean, point-like, bright enough."""
    chosen = [_select(catalog.sources) for catalog in exposures.catalogs]
    index = np.repeat(np.arange(len(chosen)), [len(table) for table in chosen])
    crude = [exposures.crude(i, np.asarray(table["x"]), np.asarray(table["y"])) for i, table in enumerate(chosen)]
    scale = np.array([_scale(catalog) for catalog in exposures.catalogs])[index]

    def column(name: str) -> Floats:
        return np.concatenate([np.asarray(table[name], dtype=np.float64) for table in chosen])

    flux = column("flux")
    position_err = np.hypot(scale * np.hypot(column("x_err"), column("y_err")) / np.sqrt(2), POSITION_FLOOR)
    magnitude_err = np.hypot(2.5 / np.log(10) * column("flux_err") / flux, MAGNITUDE_FLOOR)
    return Stars(
        index, column("x"), column("y"), np.concatenate(crude), position_err, -2.5 * np.log10(flux), magnitude_err
    )


def _select(sources: Table) -> Table:
    good = ~np.asarray(sources["flag"], dtype=bool) & (np.asarray(sources["extendedness"]) < 0.5)  # noqa: PLR2004 - 0 or 1
    return sources[good & (np.asarray(sources["snr"]) > CALIBRATION_SNR)]


def _scale(catalog: DetectorCatalog) -> float:
    return float(np.sqrt(abs(np.linalg.det(crude_wcs(catalog).cd)))) * ARCSEC
