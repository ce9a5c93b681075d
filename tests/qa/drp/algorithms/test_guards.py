from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("scipy")

from qa.drp.algorithms.fit import Fit, fit
from qa.drp.algorithms.guards import examine

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Make = Callable[..., Any]


def reasons(field: Any) -> dict[int, str]:
    """Fit, and examine the result."""
    found = fit(field.catalogs, field.reference, band="r")
    assert isinstance(found, Fit)
    return examine(found)


def test_a_good_fit_is_not_criticized(star_catalogs: Make) -> None:
    """Nothing wrong, nothing said."""
    assert reasons(star_catalogs(visits=4)) == {}


@pytest.mark.parametrize(("factor", "where"), [(0.1, "below"), (10.0, "above")])
def test_a_visit_of_another_level(star_catalogs: Make, factor: float, where: str) -> None:
    """Two and a half magnitudes are no cloud and no mirror washing: both detectors of the visit are rejected."""
    field = star_catalogs(visits=4)
    for catalog in field.catalogs[2:4]:
        catalog.sources["flux"] *= factor
    found = reasons(field)
    assert sorted(found) == [2, 3]
    assert f"its zero point is 2.50 mag {where} the other visits'" in found[2]


def test_exposure_times_are_no_difference_of_level(star_catalogs: Make) -> None:
    """A visit a tenth as long is as sensitive as the others."""
    field = star_catalogs(visits=4)
    for catalog in field.catalogs[2:4]:
        catalog.sources["flux"] *= 0.1
        catalog.sources.meta["EXPTIME"] *= 0.1
    assert reasons(field) == {}


def test_a_detector_of_another_level(star_catalogs: Make) -> None:
    """A gain that jumped on one detector of a visit does not pass either."""
    field = star_catalogs(visits=4)
    field.catalogs[2].sources["flux"] *= 0.05
    found = reasons(field)
    assert 2 in found
    assert set(found) <= {2, 3}


def test_scattered_magnitudes(star_catalogs: Make) -> None:
    """A visit whose magnitudes are no longer those of the stars is rejected, the others are not."""
    field = star_catalogs(visits=4)
    rng = np.random.default_rng(0)
    for catalog in field.catalogs[4:6]:
        catalog.sources["flux"] *= 10 ** (0.4 * rng.normal(0, 0.15, len(catalog.sources)))
    found = reasons(field)
    assert sorted(found) == [4, 5]
    assert "its magnitudes scatter by 0.1" in found[4]


def test_scattered_positions(star_catalogs: Make) -> None:
    """The same for positions, as of a guider that lost its star."""
    field = star_catalogs(visits=4)
    rng = np.random.default_rng(0)
    for catalog in field.catalogs[4:6]:
        for name in "xy":
            catalog.sources[name] += rng.normal(0, 0.8, len(catalog.sources))
    found = reasons(field)
    assert sorted(found) == [4, 5]
    assert "its positions (arcsec) scatter by 0.2" in found[4]


def test_bands_of_the_reference_tell_the_filter(star_catalogs: Make) -> None:
    """Magnitudes that follow another band than they should are rejected, be it the only visit."""
    field = star_catalogs(visits=1)
    field.reference["mag_i"] = field.reference["mag_r"].copy()
    field.reference["mag_r"] += np.random.default_rng(0).uniform(0.1, 1.2, len(field.reference))
    found = reasons(field)
    assert sorted(found) == [0, 1]
    assert "follow band i of the reference" in found[0]
    assert found[0].endswith("wrong filter")
