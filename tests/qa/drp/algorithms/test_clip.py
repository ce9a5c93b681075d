from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("numba")

from hypothesis import given
from hypothesis import strategies as st

from qa.drp.algorithms.clip import clip, network, tolerance
from qa.drp.image import Mask

pytestmark = pytest.mark.pipeline


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_the_network_sorts(values: list[int]) -> None:
    """The comparisons sort any values of any number."""
    for low, high in network(len(values)):
        values[low], values[high] = sorted([values[low], values[high]])
    assert all(a <= b for a, b in pairwise(values))


@given(st.lists(st.floats(0.5, 2.0), min_size=1, max_size=9))
def test_visits_as_sharp_as_the_typical_one_get_no_more_leave(fwhm: list[float]) -> None:
    """The tolerance is 1 up to the typical seeing, and never falls with worse seeing."""
    found = tolerance(np.array(fwhm))
    typical = sorted(fwhm)[(len(fwhm) - 1) // 2]
    assert all(factor == 1 for factor, one in zip(found, fwhm, strict=True) if one <= typical)
    assert (np.diff(found[np.argsort(fwhm)]) >= 0).all()


def test_unknown_seeing_gets_the_least_tolerance() -> None:
    """Without a seeing, of one visit or of all, nothing is tolerated beyond the usual."""
    assert tolerance(np.zeros(3)).tolist() == [1.0, 1.0, 1.0]
    assert tolerance(np.array([0.0, 4.0, 8.0])).tolist()[:2] == [1.0, 1.0]


def stack(count: int, size: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Draw visits of noise of sigma 1, and empty masks."""
    images = np.random.default_rng(2).normal(0, 1, (count, size, size)).astype(np.float32)
    return images, np.zeros(images.shape, np.int16)


def clipped(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Clip visits of equal noise and seeing; return where."""
    clip(images, masks, sky=np.ones(len(images)), fwhm=np.full(len(images), 4.0))
    where: np.ndarray = (masks & int(Mask.CLIPPED)) != 0
    return where


@pytest.mark.parametrize("count", [2, 3, 8, 30])
def test_noise_is_left_alone(count: int) -> None:
    """Of pixels that only have noise fewer than one in a thousand are left out."""
    assert clipped(*stack(count, 100)).mean() < 1e-3


def test_a_dead_pixel_is_an_outlier() -> None:
    """What is far below the others goes as well as what is far above."""
    images, masks = stack(5)
    images[3, 20, 20] = -50.0
    where = clipped(images, masks)
    assert where[3, 20, 20]
    assert where.sum() < 5


def test_where_a_visit_has_no_data_nothing_is_clipped() -> None:
    """Infinite pixels take no part, and what one visit alone has cannot be judged."""
    images, masks = stack(3)
    images[1:, :, :20] = np.inf
    images[0, 10, 10], images[0, 10, 30] = 100.0, 100.0
    where = clipped(images, masks)
    assert not where[:, :, :19].any()
    assert where[0, 10, 30]
