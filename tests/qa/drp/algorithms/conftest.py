"""Synthetic images and a small synthetic survey with known truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from astropy.table import Table

    from qa.drp.algorithms.observations import DetectorCatalog
    from qa.drp.image import MaskedImage

SKY, READ_NOISE, FWHM, SCALE = 400.0, 4.0, 4.0, 0.2
SIZE = 400


def add_stars(image: np.ndarray, x: np.ndarray, y: np.ndarray, flux: np.ndarray, *, fwhm: float = FWHM) -> None:
    """Add Moffat stars (beta = 3) to an image."""
    radius = fwhm / 2 / np.sqrt(2 ** (1 / 3) - 1)
    ny, nx = image.shape
    for xi, yi, total in zip(x, y, flux, strict=True):
        half = 60 if total > 3e4 else 25
        x0, x1 = max(0, int(xi) - half), min(nx, int(xi) + half + 1)
        y0, y1 = max(0, int(yi) - half), min(ny, int(yi) + half + 1)
        if x0 < x1 and y0 < y1:
            v, u = np.mgrid[y0:y1, x0:x1]
            square = ((u - xi) ** 2 + (v - yi) ** 2) / radius**2
            image[y0:y1, x0:x1] += total * 2 / (np.pi * radius**2) * (1 + square) ** -3


def make_exposure(electrons: np.ndarray, rng: np.random.Generator, header: dict[str, Any]) -> MaskedImage:
    """Add sky and noise."""
    from qa.drp.image import MaskedImage

    noisy = rng.poisson(electrons + SKY) + rng.normal(0, READ_NOISE, electrons.shape)
    variance = np.maximum(noisy, 0) + READ_NOISE**2
    mask = np.zeros(electrons.shape, dtype=np.int16)
    return MaskedImage(noisy.astype(np.float32), variance.astype(np.float32), mask, header)


def crude_header(ra: float, dec: float) -> dict[str, Any]:
    """Linear TAN WCS with its tangent point in the middle of the detector."""
    step, middle = SCALE / 3600, (SIZE + 1) / 2
    return {
        "EXPTIME": 30.0, "CRVAL1": ra, "CRVAL2": dec, "CRPIX1": middle, "CRPIX2": middle,
        "CD1_1": -step, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": step,
    }  # fmt: skip


@dataclass
class Survey:
    """Three visits of two detectors, truth and reference."""

    exposures: dict[tuple[int, int], MaskedImage]
    catalogs: list[DetectorCatalog]
    images: dict[tuple[int, int], MaskedImage]
    truth: Table
    reference: Table
    ra: float = 150.0
    dec: float = 2.0


def _sky(rng: np.random.Generator) -> tuple[Table, Table]:
    from astropy.table import Table

    from qa.drp.algorithms.skygrid import plane_to_sky

    # A jittered grid keeps the stars apart: crowding is not what is tested.
    grid = np.stack(np.meshgrid(np.linspace(-92, 92, 15), np.linspace(-52, 52, 9)), -1).reshape(-1, 2)
    xi, eta = (grid + rng.uniform(-4, 4, grid.shape)).T / 3600
    ra, dec = plane_to_sky(xi, eta, ra0=150.0, dec0=2.0)
    count = len(ra)
    mag = rng.uniform(17.0, 22.0, count)
    star = np.ones(count, dtype=bool)
    truth = Table({"id": np.arange(count), "ra": ra, "dec": dec, "mag_r": mag, "star": star})
    known = truth[mag < 21]
    noise = rng.normal(0, 0.01, (3, len(known)))
    reference = Table({"id": known["id"], "ra": known["ra"] + noise[0] / 3600, "dec": known["dec"] + noise[1] / 3600})
    reference["ra_err"] = reference["dec_err"] = 10.0
    reference["mag_r"], reference["mag_err_r"] = known["mag_r"] + noise[2], 0.01
    return truth, reference


@pytest.fixture(scope="session")
def survey() -> Survey:
    """Draw and characterize the survey."""
    from qa.drp.algorithms.characterize import characterize
    from qa.drp.algorithms.observations import DetectorCatalog
    from qa.drp.algorithms.skygrid import plane_to_sky, sky_to_plane

    rng = np.random.default_rng(5)
    truth, reference = _sky(rng)
    result = Survey({}, [], {}, truth, reference)
    for visit, (dither, error, zero_point) in enumerate(
        [((0, 0), (2.0, -1.0), 31.0), ((6, -4), (-1.5, 2.5), 30.9), ((-5, 7), (0.5, 1.5), 31.05)], start=100
    ):
        ra, dec = plane_to_sky(dither[0] / 3600, dither[1] / 3600, ra0=150.0, dec0=2.0)
        xi, eta = sky_to_plane(truth["ra"], truth["dec"], ra0=float(ra), dec0=float(dec))
        u, v = -xi * 3600 / SCALE, eta * 3600 / SCALE
        distortion = 1 + 4e-8 * (u**2 + v**2)
        for detector, left in enumerate((-SIZE - 10, 10)):
            x, y = u * distortion - left - 0.5, v * distortion + SIZE / 2 - 0.5
            electrons = np.zeros((SIZE, SIZE))
            add_stars(electrons, x, y, 10 ** (0.4 * (zero_point - truth["mag_r"])))
            centre = plane_to_sky(
                (-(left + SIZE / 2) * SCALE + error[0]) / 3600, error[1] / 3600, ra0=float(ra), dec0=float(dec)
            )
            exposure = make_exposure(electrons, rng, crude_header(float(centre[0]), float(centre[1])))
            done = characterize(exposure)
            result.exposures[visit, detector] = exposure
            result.images[visit, detector] = done.image
            result.catalogs.append(DetectorCatalog(visit, detector, done.sources))
    return result


@pytest.fixture(scope="session")
def star_field() -> Callable[..., tuple[MaskedImage, np.ndarray]]:
    """Return a function that draws stars on a grid and gives the exposure and rows (x, y, flux)."""

    def draw(*, fwhm: float = FWHM, flux: float = 3e4, seed: int = 1) -> tuple[MaskedImage, np.ndarray]:
        rng = np.random.default_rng(seed)
        x, y = (plane.ravel() for plane in np.meshgrid(np.arange(40, 380, 60.0), np.arange(40, 380, 60.0)))
        x, y = x + rng.uniform(-0.5, 0.5, len(x)), y + rng.uniform(-0.5, 0.5, len(y))
        flux_of = np.full(len(x), flux)
        electrons = np.zeros((SIZE, SIZE))
        add_stars(electrons, x, y, flux_of, fwhm=fwhm)
        return make_exposure(electrons, rng, crude_header(150.0, 2.0)), np.column_stack([x, y, flux_of])

    return draw


@dataclass
class Field:
    """Catalogues of a field that was never drawn, their reference and the true positions of its stars."""

    catalogs: list[DetectorCatalog]
    reference: Table
    plane: np.ndarray


def _observe(plane: np.ndarray, mag: np.ndarray, rng: np.random.Generator) -> Table:
    """Make the catalogue of stars at positions on the detector (arcsec from its middle, x to the east)."""
    from astropy.table import Table

    x, y = (plane * (-1, 1) / SCALE + (SIZE - 1) / 2).T
    flux = 10 ** (0.4 * (31.0 - mag))
    error = np.sqrt(flux + 1e4)
    noise = rng.normal(size=(3, len(x)))
    table = Table({"x": x + noise[0] * error / flux, "y": y + noise[1] * error / flux, "flux": flux + noise[2] * error})
    table["x_err"] = table["y_err"] = error / flux
    table["flux_err"], table["snr"] = error, table["flux"] / error
    for name in ("extendedness", "e1", "e2", "psf_e1", "psf_e2"):
        table[name] = 0.0
    table["psf_star"], table["flag"] = True, False
    return table


@pytest.fixture
def star_catalogs() -> Callable[..., Field]:
    """Return a function that makes catalogues of some visits of two detectors, pointing with an error (arcsec)."""

    def make(*, visits: int = 3, stars: int = 60, error: tuple[float, float] = (1.0, -2.0), turn: float = 0.0) -> Field:
        from astropy.table import Table

        from qa.drp.algorithms.observations import DetectorCatalog
        from qa.drp.algorithms.skygrid import plane_to_sky

        rng = np.random.default_rng(stars)
        plane, mag = rng.uniform(-90, 90, (4 * stars, 2)) * (1.0, 0.5), rng.uniform(16, 20, 4 * stars)
        ra, dec = plane_to_sky(*(plane / 3600).T, ra0=150.0, dec0=2.0)
        noise = rng.normal(0, 0.01, (3, len(mag)))
        reference = Table({"ra": ra + noise[0] / 3600, "dec": dec + noise[1] / 3600, "mag_r": mag + noise[2]})
        reference["ra_err"], reference["dec_err"], reference["mag_err_r"] = 10.0, 10.0, 0.01
        catalogs = []
        for visit in range(visits):
            dither = rng.uniform(-4, 4, 2)
            for detector, place in enumerate(((-41.0, 0.0), (41.0, 0.0))):
                local = plane - dither - place
                inside = np.abs(local).max(axis=1) < SIZE * SCALE / 2
                sources = _observe(local[inside], mag[inside], rng)
                cos, sin = np.cos(turn), np.sin(turn)
                centre = dither + np.array([[cos, -sin], [sin, cos]]) @ place + error
                header = crude_header(*map(float, plane_to_sky(*(centre / 3600), ra0=150.0, dec0=2.0)))
                step = SCALE / 3600
                header |= {"CD1_1": -step * cos, "CD1_2": -step * sin, "CD2_1": -step * sin, "CD2_2": step * cos}
                header |= {"NX": SIZE, "NY": SIZE, "SKY": 1.0, "SKYNOISE": 100.0, "PSFFWHM": 4.0, "NPSF": 5}
                sources.meta.update(header)
                catalogs.append(DetectorCatalog(visit, detector, sources))
        return Field(catalogs, reference, plane)

    return make
