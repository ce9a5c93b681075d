"""Positions in another band against those in r, of fields with known scatter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy.table import Table

pytest.importorskip("scipy")

from qa.metrics import METRICS, Tables, measure_all
from qa.metrics.base import CannotMeasureError
from qa.metrics.crossband import MOST_VISITS, ab1, ab2, abf1, across_bands, visit_separations
from qa.model import Scope, Unmeasured

if TYPE_CHECKING:
    from conftest import Field

pytestmark = pytest.mark.pipeline
MAS = 1 / 3.6e6


def pair_of_bands(field: Field, *, scatter: float = 0.0, shift: float = 0.0, visits: int = 4) -> dict[str, Tables]:
    """Return r and i of one field; i scatters by so many mas per axis, is shifted north and numbers its stars anew."""
    recipe = field.but(visits=visits)
    r, i = recipe.draw(), recipe.but(scatter_mas=scatter).draw()
    i["dec"] = i["dec"] + shift * MAS
    i["object"] = 7000 - np.asarray(i["object"])
    i["visit"] = np.asarray(i["visit"]) + 100
    return {"i": Tables(matched=i), "r": Tables(matched=r)}


def in_i(bands: dict[str, Tables]) -> Tables:
    """Return what a metric of band i reads."""
    own = across_bands(bands)["i"]
    return Tables(matched=own.matched, bands=own.bands, band="i")


def test_stars_have_the_same_number_in_all_bands(field: Field) -> None:
    """That of r; what r does not have keeps to itself, and the tables given are left alone."""
    bands = pair_of_bands(field)
    r, i = bands["r"].matched, bands["i"].matched
    assert r is not None
    assert i is not None
    bands["r"] = Tables(matched=r[np.asarray(r["object"]) > 10])
    before = np.array(i["object"])
    shared = across_bands(bands)["i"].matched
    assert shared is not None
    assert np.array_equal(i["object"], before)
    star = 7000 - before
    assert np.array_equal(np.asarray(shared["object"])[star > 10], star[star > 10])
    assert (np.asarray(shared["object"])[star == 10] < 0).all()


def test_without_r_the_first_band_numbers_the_stars(field: Field) -> None:
    """Any band will do to compare colours."""
    bands = pair_of_bands(field)
    shared = across_bands({"g": bands["r"], "i": bands["i"]})
    assert shared["i"].matched is not None
    assert shared["g"].matched is not None
    assert set(shared["i"].matched["object"]) == set(shared["g"].matched["object"])


def test_scatter_between_bands_is_that_of_their_distance(field: Field) -> None:
    """Of a scatter s per axis against exact positions: Rayleigh's, of standard deviation 0.655 s."""
    estimate = ab1(in_i(pair_of_bands(field, scatter=10.0)))
    assert estimate.value == pytest.approx(10 * np.sqrt(2 - np.pi / 2), rel=0.1)
    assert estimate.n == 16
    assert estimate.stderr is not None
    assert 0 < estimate.stderr < 1


def test_a_tenth_of_the_separations_is_beyond_ab2(field: Field) -> None:
    """For Rayleigh's distribution of s = 10: 21.5 mas; and exp(-2) are beyond 20 mas."""
    tables = in_i(pair_of_bands(field, scatter=10.0))
    assert ab2(tables).value == pytest.approx(10 * np.sqrt(2 * np.log(10)), rel=0.05)
    assert abf1(tables).value == pytest.approx(100 * np.exp(-2), rel=0.15)


def test_a_common_shift_scatters_nothing_and_is_seen(field: Field) -> None:
    """AB1 is blind to it, as it is in the stack; AB2 and ABF1 are not."""
    tables = in_i(pair_of_bands(field, shift=30.0))
    assert ab1(tables).value == pytest.approx(0, abs=1e-3)
    assert ab2(tables).value == pytest.approx(30, abs=0.01)
    assert abf1(tables).value == 100


def test_many_visits_are_thinned(field: Field) -> None:
    """The number of pairs of visits is bounded."""
    tables = in_i(pair_of_bands(field.but(stars=30), visits=MOST_VISITS + 5))
    assert len(visit_separations(tables).values) == MOST_VISITS**2


def test_a_visit_is_not_compared_with_itself(field: Field) -> None:
    """Within r: the pairs of different visits, both ways."""
    own = across_bands(pair_of_bands(field))["r"]
    assert len(visit_separations(Tables(matched=own.matched, bands=own.bands, band="r")).values) == 12


def test_fields_apart_have_nothing_in_common(field: Field) -> None:
    """The reason counts stars and visits."""
    bands = pair_of_bands(field) | {"i": Tables(matched=field.but(ra=30.0).draw())}
    with pytest.raises(CannotMeasureError, match=r"two visits with two stars in common .* 5 in i"):
        ab1(in_i(bands))


def test_metrics_across_bands_are_measured_only_across_bands(field: Field) -> None:
    """And only where the bands they compare are there."""
    shared = across_bands(pair_of_bands(field))
    scope = Scope("hsc", "twin", "i", 0)
    names = {result.metric for result in measure_all(shared["i"], scope, cross_band=True)}
    assert names == {"PA5", "AB1", "AB2", "ABF1"}
    assert not names & {result.metric for result in measure_all(shared["i"], scope)}
    assert measure_all(Tables(), scope, cross_band=True) == ()
    result = METRICS["AB1"](Tables(bands={"g": Tables()}), scope)
    assert isinstance(result, Unmeasured)
    assert result.reason == "the band r is needed, and there are tables of g"


def test_a_band_without_detections_is_a_reason() -> None:
    """A table that is absent is said, not stumbled over."""
    shared = across_bands({"r": Tables(), "i": Tables(matched=Table())})
    result = METRICS["AB1"](shared["i"], Scope("hsc", "twin", "i", 0))
    assert isinstance(result, Unmeasured)
    assert "the column object is needed" in result.reason
