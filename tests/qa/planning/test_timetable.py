from __future__ import annotations

from itertools import product

from hypothesis import example, given
from hypothesis import strategies as st

from qa.planning.timetable import Item, crowded, timetable

ITEMS = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 3)), max_size=5).map(
    lambda found: [Item(f"c{number}", float(hours), last) for number, (hours, last) in enumerate(found)]
)
NIGHTS = st.lists(st.integers(0, 9).map(float), min_size=1, max_size=4)


def _exists(items: list[Item], capacity: list[float]) -> bool:
    """Try every timetable there is."""
    choices = [range(min(one.last + 1, len(capacity))) for one in items]
    return any(
        all(
            sum(one.hours for one, night in zip(items, chosen, strict=True) if night == number) <= capacity[number]
            for number in range(len(capacity))
        )
        for chosen in product(*choices)
    )


@given(ITEMS, NIGHTS)
@example([Item("a", 4.0, 1), Item("b", 4.0, 1), Item("c", 3.0, 1), Item("d", 3.0, 1)], [7.0, 7.0])
def test_a_timetable_is_found_exactly_when_there_is_one(items: list[Item], capacity: list[float]) -> None:
    """Also where taking the most urgent first, as much as fits, would go astray."""
    found = timetable(items, capacity)
    assert (not found.unplaced) == _exists(items, capacity)
    assert found.proven == bool(found.unplaced)


@given(ITEMS, NIGHTS)
def test_no_night_is_overfilled_and_nothing_comes_late(items: list[Item], capacity: list[float]) -> None:
    """What was placed keeps its last night and the hours of the night, also where not all could be placed."""
    found = timetable(items, capacity)
    assert set(found.nights) | set(found.unplaced) == {one.name for one in items}
    assert not set(found.nights) & set(found.unplaced)
    for number, hours in enumerate(capacity):
        assert sum(one.hours for one in items if found.nights.get(one.name) == number) <= hours
    assert all(found.nights[one.name] <= one.last for one in items if one.name in found.nights)


@given(ITEMS, NIGHTS)
def test_where_the_nights_are_crowded_there_is_no_timetable(items: list[Item], capacity: list[float]) -> None:
    """More hours due than there are is a proof."""
    if crowded(items, capacity) is not None:
        assert not _exists(items, capacity)


def test_a_long_search_is_given_up_and_says_that_it_proves_nothing() -> None:
    """Forty cameras that almost fit would take longer than the night."""
    items = [Item(f"c{number}", 1.0 + number / 97, 6) for number in range(40)]
    total = sum(one.hours for one in items)
    found = timetable(items, [total / 7 + 1e-4] * 7)
    assert found.unplaced
    assert not found.proven
