"""Selection of groups and sums over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.metrics.base import CannotMeasureError
from qa.metrics.groups import Selection, select

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
