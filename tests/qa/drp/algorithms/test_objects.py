from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.calibrate import calibrate
from qa.drp.algorithms.coadd import Coadd, coadd_visits
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.objects import at_peaks, measure_coadd, parents, sky_noise, truth_coverage
from qa.drp.algorithms.skygrid import TangentGrid
from qa.drp.algorithms.solution import solutions_from_table
from qa.drp.algorithms.sources import Detections
from qa.drp.algorithms.warp import VisitInput, empty_patch
from qa.drp.image import Box, Mask, MaskedImage

if TYPE_CHECKING:
    from typing import Any

    Survey = Any

pytestmark = pytest.mark.pipeline

GRID = TangentGrid(150.0, 2.0, 0.2, 1000)
OUTER, INNER = Box(0, 200, 1000, 800), Box(100, 300, 900, 700)
COLUMNS = [
    "id", "ra", "dec", "x", "y", "mag", "mag_err", "flux", "flux_err",
    "psf_flux", "psf_flux_err", "kron_flux", "kron_flux_err", "aperture_flux", "aperture_flux_err", "psf_chi2",
    "snr", "extendedness", "flag", "fwhm", "parent", "deblended", "patch", "primary",
]  # fmt: skip


@pytest.fixture(scope="module")
def coadd(survey: Survey) -> Coadd:
    """Coadd the survey."""
    solutions = solutions_from_table(calibrate(survey.catalogs, survey.reference, band="r").solutions)
    return coadd_visits([VisitInput.of(survey.images[key], solutions[key]) for key in solutions], GRID, OUTER)


def test_objects_are_where_and_as_bright_as_the_truth(survey: Survey, coadd: Coadd) -> None:
    """Bright stars on the coadd are within 5 mas and 10 mmag of the truth; all are found and none invented."""
    found = measure_coadd(coadd, GRID, patch=3, outer=OUTER, inner=INNER)
    objects = found.objects
    assert objects.colnames == COLUMNS
    truth = truth_coverage(survey.truth, coadd, GRID, band="r", outer=OUTER, inner=INNER)
    covered = truth[truth["n_visits"] == 3]
    x, y = GRID.sky_to_pixel(covered["ra"], covered["dec"])
    distance = np.hypot(x[:, None] - np.asarray(objects["x"]), y[:, None] - np.asarray(objects["y"]))
    nearest = np.argmin(distance, axis=1)
    assert distance.min(axis=1).max() < 1
    bright = np.asarray(covered["mag"]) < 20
    assert bright.sum() > 20
    assert abs(np.median((objects["mag"][nearest] - covered["mag"])[bright])) < 0.01
    assert abs(np.median((objects["dec"][nearest] - covered["dec"])[bright])) * 3.6e6 < 5
    good = objects[~objects["flag"]]
    x, y = GRID.sky_to_pixel(survey.truth["ra"], survey.truth["dec"])
    distance = np.hypot(np.asarray(good["x"])[:, None] - x, np.asarray(good["y"])[:, None] - y)
    assert (distance.min(axis=1) > 3).mean() < 0.03


def test_depth_is_that_of_the_noise(coadd: Coadd) -> None:
    """The depth agrees with the noise of the visits and the seeing put in, to 0.12 mag."""
    depth = measure_coadd(coadd, GRID, patch=3, outer=OUTER, inner=INNER).depth
    zero_points = np.array([31.0, 30.9, 31.05])
    sky = 416.0 * 10 ** (0.8 * (31.4 - zero_points))
    noise = np.sqrt(np.pi * 4.53**2 / (2 * np.log(2)) / np.sum(1 / sky))
    assert depth["depth5"][0] == pytest.approx(31.4 - 2.5 * np.log10(5 * noise), abs=0.12)
    assert depth["n_visits_median"][0] == 3
    assert abs(depth["psf_size_residual"][0]) < 0.02
    assert 0 < depth["psf_e_residual"][0] < 0.05
    assert depth["psf_fwhm"][0] == pytest.approx(0.2 * 4.53, rel=0.02)
    assert depth["area_arcmin2"][0] == pytest.approx((coadd.n_visits > 0).sum() * (0.2 / 60) ** 2)


def test_ids_primaries_and_mask(coadd: Coadd) -> None:
    """Ids tell the patch, primaries lie in the inner region, detections are marked on an image of the patch's shape."""
    found = measure_coadd(coadd, GRID, patch=3, outer=OUTER, inner=INNER)
    objects = found.objects
    assert (objects["id"] // 1_000_000 == 3).all()
    inside = (objects["x"] >= 99.5) & (objects["x"] < 899.5) & (objects["y"] >= 299.5) & (objects["y"] < 699.5)
    assert np.array_equal(objects["primary"], inside)
    assert found.image.shape == coadd.image.shape
    assert (found.image.mask & int(Mask.DETECTED)).any()
    assert all(np.isfinite(np.asarray(objects[name], dtype=float)).all() for name in COLUMNS)


def test_measuring_twice_gives_the_same_bits(coadd: Coadd) -> None:
    """The same coadd gives the same table, and is left alone."""
    before = coadd.image.image.copy()
    one, two = (measure_coadd(coadd, GRID, patch=3, outer=OUTER, inner=INNER).objects for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in COLUMNS)
    assert np.array_equal(before, coadd.image.image)


def test_coverage_counts_visits_and_neighbours(survey: Survey, coadd: Coadd) -> None:
    """Each true source of the inner region is listed with its visits; close pairs are not isolated."""
    truth = survey.truth[:3].copy()
    ra, dec = GRID.pixel_to_sky([500.0, 503.0, 850.0], [500.0, 500.0, 310.0])
    truth["ra"], truth["dec"], truth["mag_r"] = ra, dec, [20.0, 21.0, 20.0]
    rows = truth_coverage(truth, coadd, GRID, band="r", outer=OUTER, inner=INNER)
    assert rows["isolated"].tolist() == [False, False, True]
    assert rows["n_visits"][2] == coadd.n_visits[110, 850]
    truth["mag_r"][1] = 25.0
    assert truth_coverage(truth, coadd, GRID, band="r", outer=OUTER, inner=INNER)["isolated"].tolist()[:2] == [
        True,
        False,
    ]


def test_a_coadd_without_data_is_refused() -> None:
    """An empty coadd raises; there is nothing to say about it."""
    empty = Coadd(empty_patch(GRID, OUTER), np.zeros((600, 1000), dtype=np.int16))
    with pytest.raises(UnusableImageError, match="pixels with data, found none"):
        measure_coadd(empty, GRID, patch=0, outer=OUTER, inner=INNER)


def test_a_bright_source_does_not_hide_its_faint_neighbour(coadd: Coadd) -> None:
    """The threshold is that of the sky's noise: the light of a source itself does not raise it."""
    variance = coadd.image.variance.copy()
    bright = np.unravel_index(np.argmax(np.where(np.isfinite(variance), coadd.image.image, 0)), variance.shape)
    sky = float(np.median(variance[np.isfinite(variance) & (coadd.n_visits == 3)]))
    variance[bright] = 100 * sky
    raised = MaskedImage(coadd.image.image, variance, coadd.image.mask, coadd.image.header)
    noise = sky_noise(raised, coadd.n_visits)
    assert noise[bright] == pytest.approx(np.sqrt(sky), rel=0.1)
    assert np.isinf(noise[coadd.n_visits == 0]).all()


@pytest.mark.parametrize("fewer", [1, 2])
def test_fewer_visits_are_noisier(fewer: int) -> None:
    """Where fewer visits see the sky its noise is larger, in the middle of a cell too."""
    visits = np.full((64, 64), 4, np.int16)
    visits[40:, :] = fewer
    variance = (8.0 / visits).astype(np.float32)
    image = MaskedImage(np.zeros((64, 64), np.float32), variance, np.zeros((64, 64), np.int16), {})
    assert sky_noise(image, visits) == pytest.approx(np.sqrt(variance))


def test_two_detections_do_not_come_to_rest_on_one_source() -> None:
    """The nearer one takes the peak; the other stays where it was found."""
    y, x = np.mgrid[:60, :60].astype(float)
    star = (1000 * np.exp(-((x - 30) ** 2 + (y - 30) ** 2) / (2 * 1.7**2))).astype(np.float32)
    image = MaskedImage(star, np.ones_like(star), np.zeros(star.shape, np.int16), {"PSFFWHM": 4.0})
    start, one = np.array([30.8, 27.9]), np.ones(2)
    moved = at_peaks(image, Detections(start, np.array([30.0, 30.0]), one, one, one, one, np.zeros((60, 60), np.int32)))
    assert moved.x[0] == pytest.approx(30, abs=0.01)
    assert moved.x[1] == start[1]


def test_an_empty_sky_has_depth_and_no_objects() -> None:
    """Noise alone gives an empty table with all columns, and a depth."""
    noise = np.random.default_rng(0).normal(0, 10, (600, 1000)).astype(np.float32)
    header = GRID.wcs_cards(OUTER) | {"SKYVAR": 100.0, "PSFFWHM": 4.0}
    image = MaskedImage(noise, np.full_like(noise, 100.0), np.zeros(noise.shape, np.int16), header)
    found = measure_coadd(Coadd(image, np.ones((600, 1000), np.int16)), GRID, patch=0, outer=OUTER, inner=INNER)
    assert len(found.objects) <= 1
    assert found.objects.colnames == COLUMNS
    assert np.isfinite(found.depth["depth5"][0])
    assert np.isnan(found.depth["psf_size_residual"][0])


def test_detections_of_one_isophote_are_deblended() -> None:
    """Detections whose pixels touch, diagonally even, have one parent; one by itself was not deblended."""
    segments = np.zeros((20, 20), np.int32)
    segments[2:5, 2:5], segments[5:8, 5:8], segments[12:15, 12:15] = 1, 2, 3
    one = np.ones(3)
    found = Detections(one, one, one, one, one, one, segments)
    parent, deblended = parents(found)
    assert parent[0] == parent[1] != parent[2]
    assert deblended.tolist() == [True, True, False]
