from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("scipy")

from astropy.table import Table

from qa.drp.algorithms.errors import CalibrationError
from qa.drp.algorithms.fit import NOMINAL_ZERO_POINT, Fit, fit, require_reference
from qa.drp.algorithms.photometry import zero_points

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Make = Callable[..., Any]


def test_a_fit_with_a_reference_is_absolute(star_catalogs: Make) -> None:
    """Stars are anchored where the reference has them."""
    field = star_catalogs()
    found = fit(field.catalogs, field.reference[::2], band="r")
    assert isinstance(found, Fit)
    assert found.absolute
    assert 0.3 < found.anchored.mean() < 0.7
    assert found.tied.mean() > 0.95
    assert found.count(found.anchored).sum() == found.anchored.sum()


def test_what_is_not_located_is_told_at_once(star_catalogs: Make) -> None:
    """The reasons come by visit and detector, before anything is solved."""
    one, other = star_catalogs(stars=60), star_catalogs(stars=61)
    found = fit([*one.catalogs[:4], *other.catalogs[4:]], one.reference, band="r")
    assert isinstance(found, dict)
    assert sorted(found) == [(2, 0), (2, 1)]


def test_without_a_reference_a_lost_visit_is_not_the_one_to_follow(star_catalogs: Make) -> None:
    """The visit the others are tied to is one that they match, not the one with the most stars."""
    one, other = star_catalogs(stars=60), star_catalogs(stars=90)
    found = fit([*other.catalogs[:2], *one.catalogs[2:]], None, band="r")
    assert isinstance(found, dict)
    assert sorted(found) == [(0, 0), (0, 1)]


def test_the_level_without_a_reference_is_nominal(star_catalogs: Make) -> None:
    """One electron per second has the nominal magnitude."""
    field = star_catalogs()
    found = fit(field.catalogs, None, band="r")
    assert isinstance(found, Fit)
    assert not found.absolute
    assert not found.anchored.any()
    middle = np.array([199.5]), np.array([199.5])
    level = zero_points(found.exposures, found.photometry.terms, 0, *middle)[0]
    assert level == pytest.approx(NOMINAL_ZERO_POINT + 2.5 * np.log10(30.0), abs=0.02)


def test_a_reference_of_another_band_is_refused() -> None:
    """It says which bands there are."""
    with pytest.raises(CalibrationError, match="a column mag_z, found mag_g, mag_r"):
        require_reference(Table({"mag_g": [1.0], "mag_r": [1.0]}), "z")
    with pytest.raises(CalibrationError, match="no magnitudes"):
        require_reference(Table({"ra": [1.0]}), "z")
