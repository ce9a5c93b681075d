"""Completeness and false detections against a known truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy.table import Table, vstack

pytest.importorskip("scipy")

from qa.metrics import Tables
from qa.metrics.base import CannotMeasureError
from qa.metrics.completeness import completeness, false_detection_rate, half_complete

if TYPE_CHECKING:
    from qa.metrics import Estimate

pytestmark = pytest.mark.pipeline
HALF = 24.3


def _found(magnitudes: np.ndarray, *, width: float, seed: int = 0, bright: float = 1.0) -> np.ndarray:
    chance = bright / (1 + np.exp((magnitudes - HALF) / width))
    return np.random.default_rng(seed).uniform(size=len(magnitudes)) < chance


@pytest.mark.parametrize("width", [0.01, 0.1, 0.3])
def test_the_magnitude_put_in_comes_out(width: float) -> None:
    """Within three standard errors, for gentle and for steep curves; the width of the gap bounds a step."""
    magnitudes = np.random.default_rng(1).uniform(20, 27, 2000)
    estimate = half_complete(magnitudes, _found(magnitudes, width=width))
    assert estimate.stderr is not None
    assert abs(estimate.value - HALF) < 3 * estimate.stderr + 0.02
    assert estimate.stderr < 0.1


def test_the_standard_error_is_the_scatter_over_draws() -> None:
    """Over many draws the magnitude scatters as its standard error says."""
    magnitudes = np.random.default_rng(1).uniform(20, 27, 600)
    estimates = [half_complete(magnitudes, _found(magnitudes, width=0.25, seed=seed)) for seed in range(100)]
    errors = [estimate.stderr for estimate in estimates if estimate.stderr is not None]
    assert np.std([estimate.value for estimate in estimates]) == pytest.approx(np.mean(errors), rel=0.3)


def test_losses_at_the_bright_end_do_not_tilt_the_curve() -> None:
    """A third of the brightest lost to saturation moves nothing."""
    magnitudes = np.random.default_rng(1).uniform(18, 27, 3000)
    found = _found(magnitudes, width=0.2)
    lost = found & ~((magnitudes < 20) & (np.arange(3000) % 3 == 0))
    assert half_complete(magnitudes, lost) == half_complete(magnitudes, found)


def test_a_clean_split_has_a_finite_error() -> None:
    """When all brighter are found and all fainter are not, the error is a few hundredths, not zero and not infinite."""
    magnitudes = np.linspace(20, 27, 700)
    estimate = half_complete(magnitudes, magnitudes < HALF)
    assert estimate.value == pytest.approx(HALF, abs=0.02)
    assert estimate.stderr is not None
    assert 0.001 < estimate.stderr < 0.1


def test_a_truth_too_shallow_is_a_reason() -> None:
    """The reason says what is found in the last bin; likewise when nothing at all is found."""
    magnitudes = np.random.default_rng(1).uniform(20, 23, 500)
    with pytest.raises(CannotMeasureError, match=r"in the faintest bin, at 22\.75 mag, 100 % of \d+ sources are found"):
        half_complete(magnitudes, np.ones(500, dtype=bool))
    with pytest.raises(CannotMeasureError, match=r"in the brightest bin, at 20\.25 mag, 0 % of \d+ sources are found"):
        half_complete(magnitudes, np.zeros(500, dtype=bool))
    with pytest.raises(CannotMeasureError, match="at least 2 magnitude bins"):
        half_complete(np.full(20, 22.2), np.ones(20, dtype=bool))


def _stars(truth: Table, objects: Table) -> Estimate:
    return completeness(Tables(objects=objects, truth_coverage=truth), star=True)


def test_only_isolated_covered_stars_count(truth: Table, objects: Table) -> None:
    """Crowded stars, galaxies and stars under half the visits may be missed without a word."""
    found = _found(np.asarray(truth["mag"]), width=0.2)
    expected = _stars(truth[:1700], objects[found])
    truth["isolated"][1700:1800] = False
    truth["star"][1800:1900] = False
    truth["n_visits"][1900:] = 1
    assert _stars(truth, objects[found & (np.arange(2000) < 1700)]) == expected


def test_an_object_further_than_an_arcsecond_is_another(truth: Table, objects: Table) -> None:
    """0.9 arcsec off is found, 1.1 arcsec off is not, nor is a copy that is not primary."""
    found = _found(np.asarray(truth["mag"]), width=0.2)
    expected = _stars(truth, objects[found])
    objects["dec"] += np.where(found, 0.9, 1.1) / 3600
    assert _stars(truth, objects) == expected
    objects["primary"] = found
    objects["dec"] = truth["dec"]
    assert _stars(truth, objects) == expected


def test_galaxies_are_measured_apart(truth: Table, objects: Table) -> None:
    """A truth without galaxies has no completeness of galaxies."""
    tables = Tables(objects=objects, truth_coverage=truth)
    with pytest.raises(
        CannotMeasureError, match="at least 10 isolated galaxies on the coadd are needed, and there are 0"
    ):
        completeness(tables, star=False)


def test_a_coadd_elsewhere_is_a_reason(truth: Table, objects: Table) -> None:
    """Nothing drawn is covered."""
    truth["n_visits"] = 0
    with pytest.raises(CannotMeasureError, match="none of the 2000 sources that were drawn lies on the coadd"):
        _stars(truth, objects)


def test_what_was_never_drawn_is_false(truth: Table, objects: Table) -> None:
    """100 of 2100 good objects lie where nothing is; faint, flagged and secondary ones do not count."""
    extra = objects[:160].copy()
    extra["dec"] += 5 / 3600
    extra["snr"][100:120], extra["flag"][120:140], extra["primary"][140:] = 4.9, True, False
    estimate = false_detection_rate(Tables(objects=vstack([objects, extra]), truth_coverage=truth))
    assert estimate.value == pytest.approx(100 * 100 / 2100)
    assert estimate.n == 2100
    assert estimate.stderr == pytest.approx(100 * np.sqrt(1 / 21 * 20 / 21 / 2100), rel=0.01)


def test_no_false_detection_is_zero_with_an_error(truth: Table, objects: Table) -> None:
    """None among 2000 is not certainty; none among none is a reason."""
    estimate = false_detection_rate(Tables(objects=objects, truth_coverage=truth))
    assert estimate.value == 0
    assert estimate.stderr == pytest.approx(0.05, rel=0.01)
    with pytest.raises(CannotMeasureError, match="there are 0"):
        false_detection_rate(Tables(objects=objects[:0], truth_coverage=truth))
