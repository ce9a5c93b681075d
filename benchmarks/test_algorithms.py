"""Speed of the embedded pipeline's steps on one 1024 x 1024 detector; ms per megapixel of input in `extra_info`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from astropy.io.fits import Header
from astropy.table import Table

from qa.drp.algorithms.background import subtract_background
from qa.drp.algorithms.calibrate import calibrate
from qa.drp.algorithms.characterize import characterize
from qa.drp.algorithms.coadd import coadd_visits
from qa.drp.algorithms.cosmics import cosmic_rays
from qa.drp.algorithms.isr import Calibrations, remove_signature
from qa.drp.algorithms.masters import Frame, master_bias
from qa.drp.algorithms.moments import Moments, adaptive_moments
from qa.drp.algorithms.objects import measure_coadd
from qa.drp.algorithms.observations import DetectorCatalog
from qa.drp.algorithms.psf import fit_psf
from qa.drp.algorithms.psf_fit import cut_stars, fit_pixels, pixel_half
from qa.drp.algorithms.psf_photometry import psf_flux
from qa.drp.algorithms.psf_quality import psf_residuals
from qa.drp.algorithms.skygrid import TangentGrid, plane_to_sky
from qa.drp.algorithms.solution import Solution, solutions_from_table
from qa.drp.algorithms.sources import Detections, detect
from qa.drp.algorithms.warp import VisitInput
from qa.drp.image import Box, MaskedImage, Raw, Segment

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Measured = tuple[MaskedImage, Moments, NDArray[np.bool_], Detections]

pytestmark = pytest.mark.pipeline

SIZE, SCALE, SKY, STARS, VISITS = 1024, 0.2, 1000.0, 250, 4
GRID = TangentGrid(150.0, 2.0, SCALE, SIZE)
BOX = Box(0, 0, SIZE, SIZE)


def _raw(seed: int) -> tuple[Raw, Table]:
    sky_rng, rng = np.random.default_rng(0), np.random.default_rng(seed)
    x, y = sky_rng.uniform(20, SIZE - 20, (2, STARS))
    mag = sky_rng.uniform(17, 23, STARS)
    image = rng.poisson(SKY, (SIZE, SIZE)).astype(np.float32)
    v, u = np.mgrid[-15:16, -15:16]
    for xi, yi, flux in zip(x, y, 10 ** (0.4 * (31.0 - mag)), strict=True):
        i, j = round(xi), round(yi)
        stamp = np.exp(-((u + i - xi) ** 2 + (v + j - yi) ** 2) / 8) * flux / (8 * np.pi)
        image[j - 15 : j + 16, i - 15 : i + 16] += stamp[: SIZE - j + 15, : SIZE - i + 15]
    half, step, middle = SIZE // 2, SCALE / 3600, (SIZE + 1) / 2
    boxes = (Box(0, 0, half, SIZE), Box(half, 0, SIZE, SIZE))
    overscan = np.full((SIZE, 32), 1000, dtype=np.float32)
    segments = tuple(Segment(str(b.x0), image[b.slices] + 1000, overscan, b, 1.0, 5.0, 6e4) for b in boxes)
    cards = {"CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": middle, "CRPIX2": middle, "CD1_1": -step, "CD2_2": step}
    ra, dec = plane_to_sky((middle - 1 - x) * step, (y - middle + 1) * step, ra0=150.0, dec0=2.0)
    reference = Table({"ra": ra, "dec": dec, "mag_r": mag})
    reference["ra_err"], reference["dec_err"], reference["mag_err_r"] = 10.0, 10.0, 0.01
    return Raw(Header({"EXPTIME": 30.0, "CD1_2": 0.0, "CD2_1": 0.0} | cards), (SIZE, SIZE), segments), reference


def _catalogs(visits: int) -> tuple[list[DetectorCatalog], Table]:
    """Make catalogues of one field, without drawing it."""
    rng, side = np.random.default_rng(0), 600.0
    xi, eta = rng.uniform(-side / 2, side / 2, (2, 5000))
    mag, noise = rng.uniform(15, 21, len(xi)), rng.normal(0, 0.01, (3, len(xi)))
    ra, dec = plane_to_sky((xi + noise[0]) / 3600, (eta + noise[1]) / 3600, ra0=150.0, dec0=2.0)
    reference = Table({"ra": ra, "dec": dec, "mag_r": mag + noise[2]})
    reference["ra_err"], reference["dec_err"], reference["mag_err_r"] = 10.0, 10.0, 0.01
    places = [(i, j) for i in (-0.25, 0.25) for j in (-0.25, 0.25)]
    found = []
    for visit in range(visits):
        dither, error = rng.uniform(-15, 15, 2), rng.uniform(-2, 2, 2)
        for detector, place in enumerate(np.array(places) * side):
            x, y = (np.column_stack([-(xi - dither[0] - place[0]), eta - dither[1] - place[1]]) / SCALE).T
            inside = np.maximum(np.abs(x), np.abs(y)) < side / SCALE / 4
            sources = _measured(x[inside], y[inside], mag[inside], rng)
            centre = plane_to_sky(*((dither + place + error) / 3600), ra0=150.0, dec0=2.0)
            sources.meta.update(_header(*map(float, centre), size=int(side / SCALE / 2)))
            found.append(DetectorCatalog(visit, detector, sources))
    return found, reference[reference["mag_r"] < 19]


def _measured(x: np.ndarray, y: np.ndarray, mag: np.ndarray, rng: np.random.Generator) -> Table:
    """Measure stars at pixels counted from the middle of the detector."""
    flux, half = 10 ** (0.4 * (31.0 - mag)), 150.0 / SCALE - 0.5
    error = np.sqrt(flux + 1e4)
    scatter, noise = error / flux, rng.normal(size=(3, len(x)))
    table = Table(
        {"x": x + half + noise[0] * scatter, "y": y + half + noise[1] * scatter, "flux": flux + noise[2] * error}
    )
    table["x_err"], table["y_err"], table["flux_err"], table["snr"] = scatter, scatter, error, flux / error
    for name in ("extendedness", "e1", "e2", "psf_e1", "psf_e2"):
        table[name] = 0.0
    table["psf_star"], table["flag"] = True, False
    return table


def _header(ra: float, dec: float, *, size: int) -> dict[str, float]:
    middle, step = (size + 1) / 2, SCALE / 3600
    return {
        "NX": size, "NY": size,
        "EXPTIME": 30.0, "SKY": 1.0, "SKYNOISE": 100.0, "PSFFWHM": 3.0, "NPSF": 5, "CRVAL1": ra, "CRVAL2": dec,
        "CRPIX1": middle, "CRPIX2": middle, "CD1_1": -step, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": step,
    }  # fmt: skip


@pytest.fixture(scope="module")
def raw() -> Raw:
    """Draw a raw exposure."""
    return _raw(1)[0]


@pytest.fixture(scope="module")
def exposure(raw: Raw) -> MaskedImage:
    """Remove its signature."""
    return _reduce(raw)


@pytest.fixture(scope="module")
def measured(exposure: MaskedImage) -> Measured:
    """Find the sources of an exposure, with their moments, and which are stars."""
    image, sky = subtract_background(exposure)
    found = detect(image, noise=sky.noise, threshold=1.5, fwhm=2.5)
    sigma = np.full(len(found), 2.0)
    moments = adaptive_moments(image.image, image.variance, x=found.x, y=found.y, sigma=sigma)
    return image, moments, fit_psf(moments, moments.converged, shape=image.shape)[1], found


@pytest.fixture(scope="module")
def visits() -> tuple[list[DetectorCatalog], list[MaskedImage], Table]:
    """Characterize several visits."""
    drawn = [_raw(seed) for seed in range(VISITS)]
    done = [characterize(_reduce(raw)) for raw, _ in drawn]
    catalogs = [DetectorCatalog(visit, 0, one.sources) for visit, one in enumerate(done)]
    return catalogs, [one.image for one in done], drawn[0][1]


@pytest.fixture(scope="module")
def inputs(visits: tuple[list[DetectorCatalog], list[MaskedImage], Table]) -> list[VisitInput]:
    """Calibrate them."""
    solutions = _solutions(visits)
    return [VisitInput.of(image, solutions[i, 0]) for i, image in enumerate(visits[1])]


def _solutions(visits: tuple[list[DetectorCatalog], list[MaskedImage], Table]) -> dict[tuple[int, int], Solution]:
    return solutions_from_table(calibrate(visits[0], visits[2], band="r").solutions)


def _reduce(raw: Raw) -> MaskedImage:
    ones = np.ones(raw.shape, dtype=np.float32)
    return remove_signature(
        raw, Calibrations(bias=ones, dark=ones, flat=ones, defects=np.zeros(raw.shape, dtype=np.uint8)), dark_time=1.0
    )


def _time(benchmark: Any, step: Callable[[], object], *, detectors: int = 1) -> None:  # noqa: ANN401 - the plugin's fixture
    benchmark.pedantic(step, rounds=5, warmup_rounds=1)
    if benchmark.stats:
        benchmark.extra_info["ms_per_megapixel"] = 1e3 * benchmark.stats["min"] / (detectors * SIZE**2 / 1e6)


def test_signature_removal(benchmark: Any, raw: Raw) -> None:  # noqa: ANN401 - the plugin's fixture
    """Overscan, bias, dark, flat, variance, mask with cosmic rays."""
    _time(benchmark, lambda: _reduce(raw))


def test_cosmic_rays(benchmark: Any, exposure: MaskedImage) -> None:  # noqa: ANN401 - the plugin's fixture
    """The mask alone, which is part of the signature removal."""
    _time(benchmark, lambda: cosmic_rays(exposure))


def test_master_bias(benchmark: Any, raw: Raw) -> None:  # noqa: ANN401 - the plugin's fixture
    """Four frames."""
    frames = [Frame(f"bias {number}", raw) for number in range(4)]
    _time(benchmark, lambda: master_bias(frames), detectors=len(frames))


def test_characterization(benchmark: Any, exposure: MaskedImage) -> None:  # noqa: ANN401 - the plugin's fixture
    """Sky, detection, PSF, measurement."""
    _time(benchmark, lambda: characterize(exposure))


def test_psf_model(benchmark: Any, measured: Measured) -> None:  # noqa: ANN401 - the plugin's fixture
    """Profile and residual pixels, from stars that are known, and what they miss."""
    image, moments, stars, found = measured
    own = np.flatnonzero(stars).astype(np.int32) + np.int32(1)

    def model() -> None:
        psf, _ = fit_psf(moments, stars, shape=image.shape)
        places, half = (moments.x[stars], moments.y[stars]), pixel_half(psf.fwhm)
        psf = fit_pixels(psf, cut_stars(image, *places, half=half, segments=found.segments, own=own))
        psf_residuals(psf, moments, stars)

    _time(benchmark, model)


def test_psf_photometry(benchmark: Any, measured: Measured) -> None:  # noqa: ANN401 - the plugin's fixture
    """Fluxes as point sources."""
    image, moments, stars, found = measured
    psf, _ = fit_psf(moments, stars, shape=image.shape)
    own = np.arange(1, len(found) + 1, dtype=np.int32)
    _time(benchmark, lambda: psf_flux(image, psf, x=moments.x, y=moments.y, segments=found.segments, own=own))


def test_calibration(benchmark: Any, visits: Any) -> None:  # noqa: ANN401 - the plugin's fixture
    """Global astrometry and photometry."""
    _time(benchmark, lambda: calibrate(visits[0], visits[2], band="r"), detectors=VISITS)


@pytest.mark.parametrize("count", [8, 16, 32, 64])
def test_calibration_of_many_visits(benchmark: Any, count: int) -> None:  # noqa: ANN401 - the plugin's fixture
    """Four detectors of a thousand stars: the cost of a star in a visit must not grow with the number of visits."""
    catalogs, reference = _catalogs(count)
    benchmark.pedantic(lambda: calibrate(catalogs, reference, band="r"), rounds=1)
    if benchmark.stats:
        stars = sum(len(catalog.sources) for catalog in catalogs)
        benchmark.extra_info["microseconds_per_star"] = 1e6 * benchmark.stats["min"] / stars


def test_coadd(benchmark: Any, inputs: list[VisitInput]) -> None:  # noqa: ANN401 - the plugin's fixture
    """Lanczos-3 onto the tract and clipped mean, tile by tile."""
    _time(benchmark, lambda: coadd_visits(inputs, GRID, BOX), detectors=VISITS)


def test_coadd_of_many_visits(benchmark: Any, inputs: list[VisitInput]) -> None:  # noqa: ANN401 - the plugin's fixture
    """The same for eight times as many visits: the cost of a pixel stays."""
    many = [
        replace(one, solution=replace(one.solution, visit=k * VISITS + i))
        for k in range(8)
        for i, one in enumerate(inputs)
    ]
    _time(benchmark, lambda: coadd_visits(many, GRID, BOX), detectors=8 * VISITS)


def test_coadd_measurement(benchmark: Any, inputs: list[VisitInput]) -> None:  # noqa: ANN401 - the plugin's fixture
    """Detection and measurement on the coadd, per megapixel of the visits that went in."""
    coadd = coadd_visits(inputs, GRID, BOX)
    _time(benchmark, lambda: measure_coadd(coadd, GRID, patch=0, outer=BOX, inner=BOX), detectors=VISITS)
