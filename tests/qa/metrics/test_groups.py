"""Selection of groups and sums over them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.metrics.base import CannotMeasureError
from qa.metrics.groups import Catalog, Selection, select

if TYPE_CHECKING:
    from conftest import Field

GOOD = Selection(snr=50.0)


def test_every_good_star_is_taken(field: Field) -> None:
    """A star seen twice or more, bright, point-like and unflagged passes; its detections come in order of visit."""
    table = field.draw()
    groups = select(table, GOOD)
    assert len(groups) == 300
    assert set(groups.counts) == {5}
    assert list(table["visit"][groups.rows][:5]) == [900, 901, 902, 903, 904]


@pytest.mark.parametrize(
    ("name", "value"), [("mag", np.nan), ("extendedness", 1.0), ("extendedness", np.nan), ("flag", True)]
)
def test_one_bad_detection_spoils_its_group(field: Field, name: str, value: float) -> None:
    """A group is dropped whole."""
    table = field.draw()
    table[name][7] = value
    assert len(select(table, GOOD)) == 299


def test_the_median_signal_to_noise_counts(field: Field) -> None:
    """Two faint detections of five are no harm, three are; unknown ones do not count."""
    table = field.draw()
    table["snr"][:2] = 1.0
    assert len(select(table, GOOD)) == 300
    table["snr"][2] = 1.0
    assert len(select(table, GOOD)) == 299
    table["snr"][:3] = np.nan
    assert len(select(table, GOOD)) == 300


def test_the_magnitude_range_includes_its_bright_end_only(field: Field) -> None:
    """17 <= median magnitude < 21.5."""
    table = field.but(stars=3).draw()
    table["mag"] = np.repeat([17.0, 21.5, 16.999], 5)
    assert list(select(table, Selection(snr=50.0, magnitudes=(17.0, 21.5))).rows) == [0, 1, 2, 3, 4]


def test_flagged_stars_may_be_allowed(field: Field) -> None:
    """`flagged` lets them in."""
    table = field.draw()
    table["flag"] = True
    assert len(select(table, Selection(snr=50.0, flagged=True))) == 300


def test_nothing_selected_is_a_reason(field: Field) -> None:
    """The reason says how many groups there were and what was asked for."""
    table = field.draw()
    table["snr"] = 10.0
    with pytest.raises(
        CannotMeasureError, match="none of the 300 groups is of unflagged stars with a median S/N of 50"
    ):
        select(table, GOOD)
    with pytest.raises(CannotMeasureError, match="none of the 0 groups"):
        select(table[:0], GOOD)


def test_a_missing_column_is_a_reason(field: Field) -> None:
    """It says which column is needed."""
    table = field.draw()
    table.remove_column("snr")
    with pytest.raises(CannotMeasureError, match="the column snr is needed"):
        select(table, GOOD)


@given(st.data())
def test_sums_over_groups_are_those_of_numpy(data: st.DataObject) -> None:
    """Means, medians and spreads agree with a loop over the groups, whatever the order of the rows."""
    from astropy.table import Table

    sizes = data.draw(st.lists(st.integers(2, 6), min_size=1, max_size=8))
    objects = np.repeat(np.arange(len(sizes)), sizes)
    visits = np.concatenate([np.arange(size) for size in sizes])
    seed = data.draw(st.integers(0, 1000))
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(objects))
    table = Table({"object": objects[order], "visit": visits[order], "mag": rng.uniform(18, 20, len(order))})
    table["snr"], table["extendedness"], table["flag"] = 100.0, 0.0, False
    groups = select(table, GOOD)
    magnitudes = np.asarray(table["mag"])[groups.rows]
    each = [np.asarray(table["mag"])[table["object"] == one] for one in range(len(sizes))]
    assert groups.mean(magnitudes) == pytest.approx([one.mean() for one in each])
    assert groups.median(magnitudes) == pytest.approx([np.median(one) for one in each])
    assert groups.spread(magnitudes) == pytest.approx([one.std() for one in each], abs=1e-12)


@given(st.data())
def test_selection_by_counting_is_selection_by_medians(data: st.DataObject) -> None:
    """Also where exactly half of the values reach a limit, and where some are unknown."""
    sizes = data.draw(st.lists(st.integers(2, 6), min_size=1, max_size=8))
    objects = np.repeat(np.arange(len(sizes)), sizes)
    numbers = st.sampled_from([49.0, 49.9, 50.0, 50.1, 51.0, np.nan, np.inf])
    snr = np.array(data.draw(st.lists(numbers, min_size=len(objects), max_size=len(objects))))
    magnitude = np.array(data.draw(st.lists(st.sampled_from([16.0, 17.0, 18.0]), min_size=len(snr), max_size=len(snr))))
    columns = {"object": objects, "visit": np.arange(len(objects)), "mag": magnitude, "snr": snr}
    columns |= {"extendedness": np.zeros(len(objects)), "flag": np.zeros(len(objects), bool)}
    expected = []
    for one in range(len(sizes)):
        known = snr[(objects == one) & np.isfinite(snr)]
        if len(known) and np.median(known) >= 50.0 and 17.0 <= np.median(magnitude[objects == one]) < 17.5:
            expected.append(one)
    selection = Selection(snr=50.0, magnitudes=(17.0, 17.5))
    if expected:
        groups = select(Catalog(columns), selection)
        assert list(objects[groups.rows[groups.starts]]) == expected
    else:
        with pytest.raises(CannotMeasureError):
            select(Catalog(columns), selection)


def test_arrays_do_as_well_as_a_table(field: Field) -> None:
    """A mapping of plain arrays is a catalogue, and reads like the table."""
    table = field.draw()
    catalog = Catalog({name: np.asarray(table[name]) for name in table.colnames})
    assert catalog.colnames == table.colnames
    assert len(catalog) == len(table)
    assert np.array_equal(select(catalog, GOOD).rows, select(table, GOOD).rows)
    assert Catalog.of(catalog) is catalog


def test_a_catalogue_selects_once(field: Field) -> None:
    """What metrics share is worked out for the first of them; a plain table is looked at anew each time."""
    table = field.draw()
    catalog = Catalog(table)
    assert select(catalog, GOOD) is select(catalog, GOOD)
    assert select(table, GOOD) is not select(table, GOOD)


@pytest.mark.pipeline
def test_large_catalogues_are_put_in_the_same_order(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled loops give the rows that sorting gives, and without numba sorting does."""
    pytest.importorskip("numba")
    table = field.draw()[np.random.default_rng(2).permutation(1500)]
    sorted_ = select(table, GOOD)
    monkeypatch.setattr("qa.metrics.groups.LARGE", 0)
    compiled = select(table, GOOD)
    monkeypatch.setitem(sys.modules, "qa.metrics.kernels", None)
    without = select(table, GOOD)
    for name in ("rows", "group", "starts", "counts"):
        assert np.array_equal(getattr(compiled, name), getattr(sorted_, name))
        assert np.array_equal(getattr(without, name), getattr(sorted_, name))
