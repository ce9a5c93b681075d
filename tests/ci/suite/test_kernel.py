from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.suite.kernel import ROUNDS, Kernel, measure_speed, ratios_of, work
from qa.metrics import catalogue
from qa.model import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

TIMES = st.lists(st.floats(1e-3, 10), min_size=2, max_size=30)


class Fake:
    """Stands in for pytest-benchmark's fixture: each round takes as long as it is told."""

    def __init__(self, seconds: list[float]) -> None:
        self.seconds, self.extra_info = seconds, dict[str, float]()
        self.stats: Any = None

    def pedantic(self, target: Callable[[], object], *, setup: Callable[[], None], rounds: int) -> None:
        """Run set-up and target in turns."""
        for _ in range(rounds):
            setup()
            target()
        self.stats = SimpleNamespace(stats=SimpleNamespace(data=self.seconds))


@given(TIMES, st.floats(0.1, 10))
def test_a_machine_that_is_slower_gives_the_same_ratio(seconds: list[float], factor: float) -> None:
    """What slows algorithm and kernel alike is divided out."""
    kernel = [0.5 + 0.1 * n for n in range(len(seconds))]
    slow = ratios_of([factor * one for one in seconds], [factor * one for one in kernel])
    assert slow == pytest.approx(ratios_of(seconds, kernel))


@given(TIMES)
def test_an_algorithm_that_is_twice_as_slow_has_twice_the_ratio(seconds: list[float]) -> None:
    """The ratio is proportional to the algorithm's time."""
    kernel = [1.0] * len(seconds)
    assert ratios_of([2 * one for one in seconds], kernel) == pytest.approx(2 * ratios_of(seconds, kernel))


def test_the_kernel_does_the_same_work_each_time() -> None:
    """Two kernels agree to the last bit, and leave their input as it was."""
    image = Kernel()._image.copy()
    assert work(image) == work(image) == work(Kernel()._image)
    assert np.array_equal(image, Kernel()._image)


def test_a_speed_is_a_measurement_of_the_catalogue() -> None:
    """It has the catalogue's name and unit, the median ratio, its error and the number of rounds."""
    calls: list[int] = []
    seconds = [1.0] * (ROUNDS - 1) + [50.0]  # an outlier does not move a median
    found = measure_speed(Fake(seconds), lambda: calls.append(1), camera="hsc", task="isr")
    assert (found.metric, found.unit, found.n) == ("speed", catalogue()["speed"].unit, ROUNDS)
    assert found.scope == Scope("hsc", "speed", task="isr")
    assert 0 < found.value < 1e4
    assert found.stderr is not None
    assert len(calls) == ROUNDS + 1
