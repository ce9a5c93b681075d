"""Waivers: what they cover, and until when."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from qa.requirements import Waiver, waiver_of

DAY = date(2027, 3, 1)


@pytest.mark.parametrize(
    ("bands", "metric", "band", "covered"),
    [
        (None, "PA1", "r", True),
        (None, "PA1", None, True),
        (("g", "r"), "PA1", "r", True),
        (("g", "r"), "PA1", "z", False),
        (("g", "r"), "PA1", None, False),
        (None, "PA2", "r", False),
    ],
)
def test_a_waiver_covers_one_metric_in_its_bands(
    bands: tuple[str, ...] | None, metric: str, band: str | None, *, covered: bool
) -> None:
    """Without bands it covers all; with bands nothing that has none."""
    waiver = Waiver("PA1", "a reason", DAY, bands=bands)
    assert waiver.covers(metric, band) is covered
    assert (waiver_of([waiver], metric, band) is waiver) is covered


@pytest.mark.parametrize(("days", "holds"), [(-1, True), (0, True), (1, False)])
def test_a_waiver_holds_until_the_end_of_its_day(days: int, *, holds: bool) -> None:
    """On the day it expires it still does."""
    assert Waiver("PA1", "a reason", DAY).holds(DAY + timedelta(days=days)) is holds


def test_of_several_waivers_the_longest_counts() -> None:
    """An expired one says nothing while another holds."""
    short, long = Waiver("PA1", "a", DAY), Waiver("PA1", "b", DAY + timedelta(days=1), bands=("r",))
    assert waiver_of([short, long], "PA1", "r") is long
    assert waiver_of([long, short], "PA1", "g") is short
    assert waiver_of([], "PA1", "r") is None
