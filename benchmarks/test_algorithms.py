"""Speed of the embedded pipeline's steps on one 1024 x 1024 detector; ms per megapixel of input in `extra_info`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from astropy.io.fits import Header
from astropy.table import Table

from qa.drp.algorithms.calibrate import calibrate
from qa.drp.algorithms.characterize import characterize
from qa.drp.algorithms.coadd import coadd_warps
from qa.drp.algorithms.isr import remove_signature
from qa.drp.algorithms.objects import measure_coadd
from qa.drp.algorithms.observations import DetectorCatalog
from qa.drp.algorithms.skygrid import TangentGrid, plane_to_sky
from qa.drp.algorithms.solution import Solution, solutions_from_table
from qa.drp.algorithms.warp import warp_visit
from qa.drp.image import Box, MaskedImage, Raw, Segment

if TYPE_CHECKING:
    from collections.abc import Callable

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


@pytest.fixture(scope="module")
def raw() -> Raw:
    """Draw a raw exposure."""
    return _raw(1)[0]


@pytest.fixture(scope="module")
def exposure(raw: Raw) -> MaskedImage:
    """Remove its signature."""
    return _reduce(raw)


@pytest.fixture(scope="module")
def visits() -> tuple[list[DetectorCatalog], list[MaskedImage], Table]:
    """Characterize several visits."""
    drawn = [_raw(seed) for seed in range(VISITS)]
    done = [characterize(_reduce(raw)) for raw, _ in drawn]
    catalogs = [DetectorCatalog(visit, 0, one.sources) for visit, one in enumerate(done)]
    return catalogs, [one.image for one in done], drawn[0][1]


@pytest.fixture(scope="module")
def warps(visits: tuple[list[DetectorCatalog], list[MaskedImage], Table]) -> list[MaskedImage]:
    """Warp them."""
    solutions = _solutions(visits)
    found = [warp_visit([(image, solutions[i, 0])], GRID, BOX) for i, image in enumerate(visits[1])]
    return [warp for warp in found if warp is not None]


def _solutions(visits: tuple[list[DetectorCatalog], list[MaskedImage], Table]) -> dict[tuple[int, int], Solution]:
    return solutions_from_table(calibrate(visits[0], visits[2], band="r").solutions)


def _reduce(raw: Raw) -> MaskedImage:
    ones = np.ones(raw.shape, dtype=np.float32)
    return remove_signature(raw, bias=ones, flat=ones, defects=np.zeros(raw.shape, dtype=np.uint8))


def _time(benchmark: Any, step: Callable[[], object], *, detectors: int = 1) -> None:  # noqa: ANN401 - the plugin's fixture
    benchmark.pedantic(step, rounds=5, warmup_rounds=1)
    if benchmark.stats:
        benchmark.extra_info["ms_per_megapixel"] = 1e3 * benchmark.stats["min"] / (detectors * SIZE**2 / 1e6)


def test_signature_removal(benchmark: Any, raw: Raw) -> None:  # noqa: ANN401 - the plugin's fixture
    """Overscan, bias, flat, variance, mask."""
    _time(benchmark, lambda: _reduce(raw))


def test_characterization(benchmark: Any, exposure: MaskedImage) -> None:  # noqa: ANN401 - the plugin's fixture
    """Sky, detection, PSF, measurement."""
    _time(benchmark, lambda: characterize(exposure))


def test_calibration(benchmark: Any, visits: Any) -> None:  # noqa: ANN401 - the plugin's fixture
    """Global astrometry and photometry."""
    _time(benchmark, lambda: calibrate(visits[0], visits[2], band="r"), detectors=VISITS)


def test_warp(benchmark: Any, visits: Any) -> None:  # noqa: ANN401 - the plugin's fixture
    """Lanczos-3 onto the tract."""
    solution = _solutions(visits)[0, 0]
    _time(benchmark, lambda: warp_visit([(visits[1][0], solution)], GRID, BOX))


def test_coadd(benchmark: Any, warps: list[MaskedImage]) -> None:  # noqa: ANN401 - the plugin's fixture
    """Clipped mean."""
    _time(benchmark, lambda: coadd_warps(warps), detectors=VISITS)


def test_coadd_measurement(benchmark: Any, warps: list[MaskedImage]) -> None:  # noqa: ANN401 - the plugin's fixture
    """Detection and measurement on the coadd, per megapixel of the visits that went in."""
    coadd = coadd_warps(warps)
    _time(benchmark, lambda: measure_coadd(coadd, GRID, patch=0, outer=BOX, inner=BOX), detectors=VISITS)
