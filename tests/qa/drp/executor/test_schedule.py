from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.drp.executor.schedule import Schedule

pytestmark = pytest.mark.pipeline

Graph = dict[int, list[int]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Draw quanta that need some of those before them."""
    size = draw(st.integers(1, 12))
    return {key: draw(st.lists(st.sampled_from(range(key)), unique=True)) if key else [] for key in range(size)}


def carry_out(needs: Graph, workers: int, broken: set[int], killed: set[int]) -> tuple[Schedule[int], list[int]]:
    """Run a schedule with workers that end their work first come, first served; return what began, in order."""
    schedule, began, running = Schedule(list(needs), needs), list[int](), list[int]()
    while schedule.open:
        while len(running) < workers and (key := schedule.take()) is not None:
            running.append(key)
            began.append(key)
        key = running.pop(0)
        if key in killed and began.count(key) == 1:
            schedule.again(key)
        elif key in broken:
            schedule.fail(key)
        else:
            schedule.finish(key)
    return schedule, began


@given(graphs(), st.integers(1, 4))
def test_each_quantum_begins_once_and_after_what_it_needs(needs: Graph, workers: int) -> None:
    """Whatever the graph and the number of workers, all is done, in an order that respects the needs."""
    schedule, began = carry_out(needs, workers, set(), set())
    assert sorted(began) == sorted(schedule.done) == list(needs)
    assert all(began.index(need) < began.index(key) for key in needs for need in needs[key])


@given(graphs(), st.integers(1, 4), st.sets(st.integers(0, 11)))
def test_a_failure_blocks_what_needs_it_and_nothing_else(needs: Graph, workers: int, broken: set[int]) -> None:
    """What neither fails nor needs a failure, directly or not, is done."""
    lost: set[int] = set()
    for key in needs:
        if key in broken or lost.intersection(needs[key]):
            lost.add(key)
    schedule, began = carry_out(needs, workers, broken, set())
    assert schedule.failed == lost
    assert schedule.done == set(needs) - lost
    assert schedule.remaining == 0
    assert len(began) == len(set(began))


@given(graphs(), st.integers(1, 4), st.sets(st.integers(0, 11)))
def test_second_attempts_complete_the_graph(needs: Graph, workers: int, killed: set[int]) -> None:
    """What is begun again is done in the end, with all that waited for it."""
    schedule, began = carry_out(needs, workers, set(), killed)
    assert schedule.done == set(needs)
    assert {key for key in needs if began.count(key) == 2} == killed.intersection(needs)


def test_a_second_attempt_has_the_machine_to_itself() -> None:
    """It waits until nothing else runs, and nothing begins beside it."""
    schedule = Schedule([1, 2, 3, 4], {3: [1]})
    assert (schedule.take(), schedule.take()) == (1, 2)
    schedule.again(1)
    assert schedule.take() == 4
    assert schedule.take() is None
    schedule.finish(2)
    schedule.finish(4)
    assert (schedule.take(), schedule.take()) == (1, None)
    schedule.finish(1)
    assert schedule.take() == 3


def test_quanta_begin_in_the_order_given() -> None:
    """Of those that could begin, the first one does."""
    schedule = Schedule([3, 1, 2], {3: [1, 2]})
    assert (schedule.take(), schedule.take(), schedule.take()) == (1, 2, None)
    assert schedule.fail(1) == [3]
    schedule.finish(2)
    assert not schedule.open
