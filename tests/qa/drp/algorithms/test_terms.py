from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("scipy")

from qa.drp.algorithms.observations import arrange, stars_of
from qa.drp.algorithms.terms import ASTROMETRY, VANISHING, Terms

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Make = Callable[..., Any]


def test_a_detectors_terms_are_shared_by_all_visits(star_catalogs: Make) -> None:
    """Two catalogues of one detector share its terms, two of one visit share that visit's, nothing else is shared."""
    exposures = arrange(star_catalogs().catalogs)
    stars = stars_of(exposures)
    design = ASTROMETRY.design(exposures, stars.catalog, np.column_stack([stars.x, stars.y]), stars.crude)
    shared = [[len(np.intersect1d(one, other)) for other in design.columns] for one in design.columns]
    assert shared[0] == [10 + 6 + 3, 6, 10, 0, 10, 0]
    assert design.size == 2 * 10 + 3 * 6 + 6 * 3


def test_terms_at_a_point_are_those_of_the_design(star_catalogs: Make) -> None:
    """What is fitted to the stars is what is applied to the pixels."""
    exposures = arrange(star_catalogs().catalogs)
    stars = stars_of(exposures)
    pixels = np.column_stack([stars.x, stars.y])
    design = ASTROMETRY.design(exposures, stars.catalog, pixels, stars.crude)
    terms = np.random.default_rng(0).normal(size=(design.size, 2))
    for catalog in range(len(exposures.catalogs)):
        mine = stars.catalog == catalog
        assert np.allclose(ASTROMETRY.at(exposures, terms, catalog, pixels[mine]), (design @ terms)[mine])


def test_few_stars_have_no_high_orders(star_catalogs: Make) -> None:
    """Twelve stars afford a plane, eleven a level: terms beyond are expected to vanish, not to follow the noise."""
    exposures = arrange(star_catalogs(visits=1).catalogs)
    terms = Terms(detector=(1.0,), visit=(50.0, 5.0), exposure=(0.1,), stars=4)
    enough = terms.prior(exposures, np.repeat([0, 1], 6))
    few = terms.prior(exposures, np.repeat([0, 1], [6, 5]))
    assert enough.tolist() == [1.0, 1.0, 50.0, 5.0, 5.0, 0.1, 0.1]
    assert few.tolist() == [1.0, 1.0, 50.0, VANISHING, VANISHING, 0.1, 0.1]
