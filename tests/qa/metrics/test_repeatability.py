"""PA1 as validate_drp defined it, of fields with known scatter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from qa.metrics import METRICS, Tables
from qa.metrics.base import CannotMeasureError
from qa.metrics.groups import Selection, select
from qa.metrics.photometry import pa1
from qa.metrics.repeatability import pa1_validate_drp, pair_differences

if TYPE_CHECKING:
    from conftest import Field


def test_it_estimates_the_scatter_of_a_magnitude(field: Field) -> None:
    """Within its standard error; of few visits PA1, divided by n, is smaller."""
    tables = Tables(matched=field.but(scatter_mmag=6.0, stars=500, visits=3).draw())
    estimate = pa1_validate_drp(tables)
    assert estimate.stderr is not None
    assert estimate.value == pytest.approx(6, abs=4 * estimate.stderr)
    assert 0.02 < estimate.stderr / estimate.value < 0.1
    assert pa1(tables).value < 0.85 * estimate.value


def test_it_is_blind_to_a_minority_of_outliers(field: Field) -> None:
    """The interquartile range does not see a tenth of the stars, which the requirement's rms would."""
    matched = field.but(scatter_mmag=6.0).draw()
    matched["mag"][: len(matched) // 10] += 0.2 * np.random.default_rng(1).normal(size=len(matched) // 10)
    assert pa1_validate_drp(Tables(matched=matched)).value == pytest.approx(6, rel=0.25)


def test_two_measurements_agree_to_the_last_bit(field: Field) -> None:
    """The seed is fixed, and the order of the rows does not matter."""
    matched = field.but(scatter_mmag=6.0).draw()
    mixed = matched[np.random.default_rng(2).permutation(len(matched))]
    assert pa1_validate_drp(Tables(matched=matched)) == pa1_validate_drp(Tables(matched=mixed))


def test_a_pair_is_two_detections_of_one_star(field: Field) -> None:
    """Never one with itself, and all pairs come up."""
    matched = field.but(stars=40, visits=4).draw()
    matched["mag"] = np.asarray(matched["mag"]).round() * 100.0 + np.array([1, 2, 4, 8] * 40)
    groups = select(matched, Selection(snr=0))
    magnitudes = np.asarray(matched["mag"])[groups.rows]
    found = np.abs(pair_differences(groups, magnitudes)) * np.sqrt(2)
    assert set(found.round().astype(int).ravel().tolist()) == {1, 2, 3, 4, 6, 7}


def test_few_stars_are_a_reason(field: Field) -> None:
    """Ten are the least."""
    with pytest.raises(CannotMeasureError, match=r"at least 10 unflagged stars .* and there are 5"):
        pa1_validate_drp(Tables(matched=field.but(stars=5).draw()))


def test_both_definitions_say_which_they_are() -> None:
    """Two metrics, with titles that differ."""
    assert "validate_drp" in METRICS["PA1_validate_drp"].definition.title
    assert METRICS["PA1"].definition.title != METRICS["PA1_validate_drp"].definition.title
