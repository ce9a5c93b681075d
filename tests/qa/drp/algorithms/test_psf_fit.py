from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.moments import adaptive_moments
from qa.drp.algorithms.psf import PsfModel, fit_psf
from qa.drp.algorithms.psf_fit import cut_stars, fit_pixels, pixel_half
from qa.drp.image import Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Profile = Callable[[Floats, Floats, float], Floats]

pytestmark = pytest.mark.pipeline

SIZE, SKY = 500, 400.0


def gaussian(u: Floats, v: Floats, sigma: float) -> Floats:
    """Round Gaussian of unit flux."""
    return np.exp(-0.5 * (u**2 + v**2) / sigma**2) / (2 * np.pi * sigma**2)


def double(u: Floats, v: Floats, place: float) -> Floats:
    """Two Gaussians, the wider three times as wide, together wider to the right of the detector."""
    sigma = 1.7 * (1 + 0.04 * place)
    return 0.8 * gaussian(u, v, sigma) + 0.2 * gaussian(u, v, 2.2 * sigma)


def comatic(u: Floats, v: Floats, place: float) -> Floats:
    """Coma: a tail that grows to the right of the detector."""
    tail = 1.5 * place
    return 0.7 * gaussian(u + 0.3 * tail, v, 1.8) + 0.3 * gaussian(u - 0.7 * tail, v, 2.3)


def moffat(u: Floats, v: Floats, place: float) -> Floats:
    """Moffat profile with the exponent 2.5."""
    core = (3.6 * (1 + 0.04 * place)) ** 2
    return 1.5 / (np.pi * core) * (1 + (u**2 + v**2) / core) ** -2.5


def place_of(x: float) -> float:
    """Horizontal place on the detector, in [-1, 1]."""
    return 2 * x / (SIZE - 1) - 1


def field(profile: Profile, *, count: int, seed: int = 3) -> tuple[MaskedImage, Floats]:
    """Draw stars on a jittered grid, with noise; returns their places, too."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(count)))
    steps = np.linspace(30, SIZE - 30, side)
    places = np.array([(x, y) for y in steps for x in steps])[:count] + rng.uniform(-4, 4, (count, 2))
    image = np.full((SIZE, SIZE), SKY)
    for x, y in places:
        i, j = round(x), round(y)
        rows, columns = slice(max(0, j - 28), j + 29), slice(max(0, i - 28), i + 29)
        v, u = np.mgrid[rows.start : min(rows.stop, SIZE), columns.start : min(columns.stop, SIZE)]
        image[rows, columns] += rng.uniform(3e4, 2e5) * profile(u - x, v - y, place_of(x))
    noisy = rng.poisson(image).astype(np.float32)
    mask = np.zeros(image.shape, dtype=np.int16)
    return MaskedImage(noisy - np.float32(SKY), noisy, mask), places


def model_of(image: MaskedImage, places: Floats) -> PsfModel:
    """Fit a model to stars whose places are known."""
    x, y = np.ascontiguousarray(places.T)
    moments = adaptive_moments(image.image, image.variance, x=x, y=y, sigma=np.full(len(x), 2.0))
    model, stars = fit_psf(moments, np.ones(len(x), dtype=bool), shape=image.shape)
    segments, own = np.zeros(image.shape, dtype=np.int32), np.zeros(int(stars.sum()), dtype=np.int32)
    half = pixel_half(model.fwhm)
    return fit_pixels(
        model, cut_stars(image, moments.x[stars], moments.y[stars], half=half, segments=segments, own=own)
    )


def centred(profile: Profile, x: float, half: int) -> Floats:
    """Draw the true PSF of sum 1 about its adaptive centroid."""
    shift = 0.0
    for _ in range(2):
        v, u = np.mgrid[-half : half + 1, -half : half + 1]
        stamp = profile(u + shift, v + 0.0, place_of(x))
        found = adaptive_moments(
            stamp.astype(np.float32), np.ones(stamp.shape, dtype=np.float32),
            x=np.array([float(half)]), y=np.array([float(half)]), sigma=np.array([2.0]),
        )  # fmt: skip
        shift += found.x[0] - half
    return np.asarray(stamp / stamp.sum())


@pytest.mark.parametrize(("profile", "allowed"), [(moffat, 0.01), (double, 0.02), (comatic, 0.02)])
def test_model_follows_any_profile(profile: Profile, allowed: float) -> None:
    """Moffat or not, the model has the pixels of the drawn PSF over the whole detector, to 1 or 2% of its power."""
    image, places = field(profile, count=81)
    model = model_of(image, places)
    for x in (60.0, 250.0, 440.0):
        truth = centred(profile, x, model.size // 2)
        assert np.sqrt(np.sum((model.stamp(x, 250.0) - truth) ** 2) / np.sum(truth**2)) < allowed


def test_a_moffat_profile_is_recognised() -> None:
    """The exponent comes out, and no residual pixels are kept of nothing but noise."""
    model = model_of(*field(moffat, count=81))
    assert model.beta == pytest.approx(2.5, abs=0.1)
    assert model.planes.shape == (1, 1, 1)


def test_residual_pixels_bear_no_flux() -> None:
    """The sums of the residual pixels vanish: flux is the profile's."""
    model = model_of(*field(comatic, count=81))
    assert model.planes.shape[0] == 6
    assert np.allclose(model.planes.sum(axis=(1, 2)), 0, atol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_stars_give_a_profile_only(count: int) -> None:
    """With fewer than five stars there are no residual pixels, and the exponent stays near what is usual."""
    model = model_of(*field(moffat, count=count))
    assert model.planes.shape == (1, 1, 1)
    assert 2.2 < model.beta < 4.5
    assert np.isfinite(model.stamp(10.0, 490.0)).all()


def test_a_star_with_a_neighbour_does_not_spoil_the_rest() -> None:
    """Pixels that disagree with those of the other stars are left out: a neighbour beside one star leaves no trace."""
    image, places = field(double, count=36)
    clean = model_of(image, places)
    x, y = (round(value) for value in places[14])
    image.image[y + 6 : y + 9, x + 6 : x + 9] += 3000
    spoilt = model_of(image, places)
    assert np.abs(spoilt.stamp(250.0, 250.0) - clean.stamp(250.0, 250.0)).max() < 0.01 * clean.stamp(250.0, 250.0).max()


def test_unusable_saturated_and_foreign_pixels_are_not_cut_out() -> None:
    """A star comes without bad and saturated pixels, those of other sources and what lies beyond the image."""
    image = MaskedImage(
        np.ones((40, 40), dtype=np.float32), np.ones((40, 40), dtype=np.float32), np.zeros((40, 40), dtype=np.int16)
    )
    image.mask[5, 5], image.mask[6, 6] = int(Mask.BAD), int(Mask.SATURATED)
    segments = np.zeros((40, 40), dtype=np.int32)
    segments[4:8, 4:8], segments[7, 4] = 1, 2
    cut = cut_stars(
        image, np.array([5.2]), np.array([4.8]), half=6, segments=segments, own=np.array([1], dtype=np.int32)
    )
    unused = ~np.isfinite(cut.variance[0])
    assert unused[6, 6]
    assert unused[7, 7]
    assert unused[8, 5]
    assert unused[0].all()
    assert unused[:, 0].all()
    assert unused.sum() == 3 + 13 + 13 - 1
    assert [cut.dx[0], cut.dy[0]] == pytest.approx([0.2, -0.2])
