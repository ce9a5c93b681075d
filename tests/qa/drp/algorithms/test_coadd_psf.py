from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.coadd import coadd_visits
from qa.drp.algorithms.coadd_psf import CoaddPsf, Contribution
from qa.drp.algorithms.moments import adaptive_moments
from qa.drp.algorithms.psf import FWHM_PER_SIGMA, PsfModel, ellipticity
from qa.drp.algorithms.skygrid import TangentGrid, plane_to_sky
from qa.drp.algorithms.solution import Solution, ZeroPoint, fit_tan_sip
from qa.drp.algorithms.warp import VisitInput
from qa.drp.image import Box, MaskedImage

pytestmark = pytest.mark.pipeline

SIZE, SCALE = 400, 0.2
GRID = TangentGrid(150.0, 2.0, SCALE, 600)
TURNED = np.array([[0.0, 1.0], [-1.0, 0.0]])


def psf(sigma: float, *, e1: float = 0.0, slope: float = 0.0) -> PsfModel:
    """Make a model that widens to the right of the detector."""
    terms = np.array([[np.log(sigma), slope, 0.0], [e1, 0.0, 0.0], [0.0, 0.0, 0.0]])
    return PsfModel(SIZE, SIZE, 1, terms, 20)


def solution(visit: int, model: PsfModel | None, *, shift: float = 0.0, turn: np.ndarray | None = None) -> Solution:
    """Put a detector `shift` px to the left of the middle of the tract, perhaps turned."""
    x, y = (plane.ravel() for plane in np.meshgrid(np.linspace(0, SIZE - 1, 9), np.linspace(0, SIZE - 1, 9)))
    middle = (SIZE - 1) / 2
    u, v = (np.eye(2) if turn is None else turn) @ np.vstack([x - middle, y - middle])
    sky = plane_to_sky(-(u - shift) * SCALE / 3600, v * SCALE / 3600, ra0=150.0, dec0=2.0)
    zero_point = ZeroPoint(SIZE, SIZE, np.array([31.4, 0, 0, 0, 0, 0.0]))
    return Solution(visit, 0, SIZE, SIZE, fit_tan_sip(x, y, *sky, shape=(SIZE, SIZE)), zero_point, model)


def moments_of(stamp: np.ndarray) -> tuple[float, float, float]:
    """FWHM in px, e1 and e2."""
    middle, image = np.array([(len(stamp) - 1) / 2]), stamp.astype(np.float32)
    found = adaptive_moments(image, np.ones_like(image), x=middle, y=middle, sigma=np.array([2.0]))
    (e1,), (e2,) = ellipticity(found)
    return float(found.size[0]) * FWHM_PER_SIGMA, float(e1), float(e2)


def test_one_visit_gives_its_own_psf() -> None:
    """The coadd of one visit has the visit's PSF there, but for half a per cent: the warp kernel sharpens it."""
    model = psf(1.8, e1=0.05, slope=0.03)
    found = CoaddPsf.of([Contribution(solution(1, model), 2.0)], GRID)
    for x in (120.0, 300.0, 480.0):
        here = np.array([x]), np.array([300.0])
        fwhm, e1, _ = (value[0] for value in found.at(*here))
        expected = model.at(here[0] - 100, here[1] - 100)[0][0]
        assert 0.985 < fwhm / expected < 1.005
        assert e1 == pytest.approx(0.05, abs=0.003)
    assert found.n_stars == 20


def test_visits_are_weighted() -> None:
    """Of a sharp and a blurred visit the one with more weight decides; the stamp is the weighted sum."""
    sharp, blurred = solution(1, psf(1.5)), solution(2, psf(3.0))
    alone = [CoaddPsf.of([Contribution(one, 1.0)], GRID).stamp(300, 300) for one in (sharp, blurred)]
    both = CoaddPsf.of([Contribution(sharp, 3.0), Contribution(blurred, 1.0)], GRID).stamp(300, 300)
    half, small = both.shape[0] // 2, alone[0].shape[0] // 2
    inner = slice(half - small, half + small + 1)
    expected = 0.75 * alone[0] + 0.25 * alone[1][inner, inner]
    assert np.allclose(both[inner, inner], expected, atol=2e-3 * both.max())


def test_a_turned_detector_turns_its_psf() -> None:
    """Turned by 90 degrees, an elongation along x lies along y."""
    found = CoaddPsf.of([Contribution(solution(1, psf(2.0, e1=0.1), turn=TURNED), 1.0)], GRID)
    assert found.at(np.array([300.0]), np.array([300.0]))[1][0] == pytest.approx(-0.1, abs=0.005)


def test_only_visits_that_cover_a_place_count() -> None:
    """Left of the edge of the second detector only the first one's PSF is seen; where there is none, all are."""
    sharp, blurred = solution(1, psf(1.5), shift=60.0), solution(2, psf(3.0), shift=-60.0)
    found = CoaddPsf.of([Contribution(sharp, 1.0), Contribution(blurred, 1.0)], GRID)
    x = np.array([100.0, 300.0, 500.0, 5.0])
    left, both, right, nowhere = found.at(x, np.full(4, 300.0))[0] / FWHM_PER_SIGMA
    assert left == pytest.approx(1.5, rel=0.02)
    assert right == pytest.approx(3.0, rel=0.02)
    assert left < both < right
    assert nowhere == pytest.approx(both, rel=0.01)


def test_stamps_for_photometry_are_the_psf_at_subpixel_places() -> None:
    """What is drawn at a place within a pixel has its centroid there and the light of a PSF of total flux 1."""
    found = CoaddPsf.of([Contribution(solution(1, psf(2.0)), 1.0)], GRID)
    stamp = found.draw(np.array([300.3]), np.array([199.6]), half=10)[0]
    image = stamp.astype(np.float32)
    place = adaptive_moments(
        image, np.ones_like(image), x=np.array([10.0]), y=np.array([10.0]), sigma=np.array([2.0])
    )  # fmt: skip
    assert [place.x[0], place.y[0]] == pytest.approx([10.3, 9.6], abs=2e-3)
    direct = psf(2.0).draw(np.array([300.3]), np.array([199.6]), half=10)[0]
    assert stamp.sum() == pytest.approx(direct.sum(), rel=2e-3)


def test_part_of_the_tract_has_its_own_pixels() -> None:
    """For an image of a box, places count from the corner of the box; what was drawn is shared."""
    whole = CoaddPsf.of([Contribution(solution(1, psf(2.0, slope=0.05)), 1.0)], GRID)
    part = whole.within(Box(200, 100, 400, 300))
    assert part.at(np.array([50.0]), np.array([60.0])) == whole.at(np.array([250.0]), np.array([160.0]))
    assert np.array_equal(part.stamp(50.0, 60.0), whole.stamp(250.0, 160.0))
    assert part.cells is whole.cells


def test_visits_without_model_or_weight_are_left_out() -> None:
    """A visit that has no PSF model cannot take part."""
    known = Contribution(solution(1, psf(2.0)), 1.0)
    others = Contribution(solution(2, None), 1.0), replace(known, weight=0.0)
    assert CoaddPsf.of([known, *others], GRID).contributions == (known,)


@pytest.mark.parametrize("turn", [None, TURNED])
def test_stars_of_a_coadd_have_the_psf(turn: np.ndarray | None) -> None:
    """Stars drawn into three visits, warped and averaged, have the size and shape foretold, to half a per cent."""
    rng = np.random.default_rng(4)
    visits, used = [], []
    places = np.stack(np.meshgrid(np.arange(-120, 130, 60.0), np.arange(-120, 130, 60.0)), -1).reshape(-1, 2)
    sky = plane_to_sky(*((places + rng.uniform(-5, 5, places.shape)).T * SCALE / 3600), ra0=150.0, dec0=2.0)
    for visit, sigma in enumerate([1.7, 2.0, 2.3]):
        model = psf(sigma, e1=0.04, slope=0.03)
        one = solution(visit, model, shift=7.3 * visit, turn=turn)
        image = np.zeros((SIZE, SIZE), dtype=np.float32)
        x, y = one.wcs.sky_to_pixel(*sky)
        for xi, yi, stamp in zip(x, y, model.draw(x, y, half=20), strict=True):
            i, j = int(np.floor(xi + 0.5)), int(np.floor(yi + 0.5))
            image[j - 20 : j + 21, i - 20 : i + 21] += 1000 * stamp
        pixels = MaskedImage(
            image, np.full_like(image, 1e4), np.zeros(image.shape, dtype=np.int16), {"SKYNOISE": 100.0}
        )
        visits.append(VisitInput.of(pixels, one))
        used.append(Contribution(one, 1.0))
    coadd = coadd_visits(visits, GRID, Box(0, 0, 600, 600))
    x, y = GRID.sky_to_pixel(*sky)
    variance = np.ones_like(coadd.image.image)
    found = adaptive_moments(coadd.image.image, variance, x=x, y=y, sigma=np.full(len(x), 2.0))
    fwhm, e1, _ = CoaddPsf.of(used, GRID).at(x, y)
    assert np.median(found.size * FWHM_PER_SIGMA / fwhm) == pytest.approx(1, abs=0.005)
    assert np.median(ellipticity(found)[0] - e1) == pytest.approx(0, abs=0.005)
