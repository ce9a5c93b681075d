from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("scipy")

from qa.drp.algorithms.fit import anchors_of
from qa.drp.algorithms.locate import locate
from qa.drp.algorithms.observations import DetectorCatalog, arrange, stars_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Located = Any
    Make = Callable[..., Any]


def located(catalogs: list[DetectorCatalog], reference: Any) -> tuple[Located, np.ndarray]:
    """Locate the catalogues; the second value is how far each star is then from the nearest reference star."""
    exposures = arrange(catalogs)
    anchors = anchors_of(exposures, reference, "r")
    found = locate(exposures, stars_of(exposures), anchors.position, anchors.magnitude)
    return found, np.hypot(*(found.position[:, None] - anchors.position).transpose(2, 0, 1)).min(axis=1)


@pytest.mark.parametrize("angle", range(0, 360, 45))
def test_thirty_arcsec_and_a_rotation_are_bridged(star_catalogs: Make, angle: int) -> None:
    """Whatever the direction of the pointing error, with a tenth of a degree of rotation, stars come to their place."""
    error = 30 * np.cos(np.radians(angle)), 30 * np.sin(np.radians(angle))
    field = star_catalogs(error=error, turn=np.radians(0.1))
    found, distance = located(field.catalogs, field.reference)
    assert found.reasons == {}
    assert np.median(distance) < 0.05
    assert np.percentile(distance, 95) < 0.2


def test_few_stars_follow_the_rest_of_their_visit(star_catalogs: Make) -> None:
    """Five stars agree with no offset of their own beyond chance; with that of the other detector they are found."""
    field = star_catalogs()
    few = field.catalogs[0]
    catalogs = [DetectorCatalog(few.visit, few.detector, few.sources[:5]), *field.catalogs[1:]]
    found, distance = located(catalogs, field.reference)
    assert found.reasons == {}
    assert distance[:5].max() < 0.3


def test_other_visits_stand_in_for_the_reference(star_catalogs: Make) -> None:
    """Where the reference has no stars, the visits that were found lend theirs."""
    field = star_catalogs()
    near = np.hypot(*(field.catalogs[4].sources[c] - 200 for c in "xy")) < 100
    last = DetectorCatalog(2, 0, field.catalogs[4].sources[near])
    hole = np.hypot(field.plane[:, 0] + 41, field.plane[:, 1]) > 30
    found, _ = located([*field.catalogs[:4], last], field.reference[hole])
    assert found.reasons == {}
    assert np.isfinite(found.position).all()


def test_unrelated_stars_are_not_located(star_catalogs: Make) -> None:
    """Stars of another field match nothing; the reason says how far was searched."""
    one, other = star_catalogs(stars=60), star_catalogs(stars=61)
    found, _ = located(one.catalogs, other.reference)
    assert set(found.reasons) == set(range(6))
    assert all("match neither the reference nor another visit within 45 arcsec" in r for r in found.reasons.values())
    assert np.isnan(found.position).all()


def test_a_turned_detector_is_told_from_a_lost_one(star_catalogs: Make) -> None:
    """The reason names the way in which the stars would match."""
    field = star_catalogs()
    sources = field.catalogs[3].sources
    sources["x"], sources["y"] = 399 - sources["x"], 399 - sources["y"]
    found, _ = located(field.catalogs, field.reference)
    assert list(found.reasons) == [3]
    assert "only with the detector rotated by 180 degrees" in found.reasons[3]
