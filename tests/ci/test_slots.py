from __future__ import annotations

from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from ci.slots import Slots


def test_each_camera_has_one_slot_while_another_waits() -> None:
    """A free slot is for the camera that waits for it."""
    slots = Slots(4, cameras=2)
    with slots.camera(), slots.all_free() as have:
        assert have == 1


def test_the_last_camera_has_what_is_free() -> None:
    """Once no camera waits, a stage takes the slots that nobody holds, and gives them back."""
    slots = Slots(4, cameras=2)
    with slots.camera(), slots.camera():
        with slots.all_free() as first, slots.all_free() as second:
            assert (first, second) == (3, 1)
        with slots.all_free() as again:
            assert again == 3


@given(total=st.integers(1, 8), cameras=st.integers(0, 8))
def test_slots_are_held_back_for_the_camera_that_waits(total: int, cameras: int) -> None:
    """Whatever the numbers, one camera waiting leaves one slot each to the others, and has all when it is the last."""
    running = min(total, cameras)
    slots = Slots(total, cameras=running + 1)
    with ExitStack() as stack:
        for _ in range(running):
            stack.enter_context(slots.camera())
        held = [stack.enter_context(slots.all_free()) for _ in range(running)]
        assert held == [1] * running
    with slots.camera(), slots.all_free() as have:
        assert have == total
