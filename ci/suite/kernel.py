"""The calibration kernel: fixed array work, by whose time those of the algorithms are divided.

It does what they do (streams over images, sorts, gathers, sums), so that a slower machine slows both alike. It must
not change: every accepted speed is a multiple of it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.model import Measurement, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

DATASET, METRIC = "speed", "speed"
SIDE = 1024
"""Pixels along a side of the kernel's image."""

ROUNDS = 15
"""How often algorithm and kernel take turns."""

_TO_NORMAL = 1.2533
"""Standard error of a median relative to that of a mean, for normal scatter."""
_MAD_TO_SIGMA = 1.4826


@dataclass(slots=True)
class Kernel:
    """The kernel with its input; each call notes the CPU time it took (s)."""

    seconds: list[float] = field(default_factory=list)
    _image: NDArray[np.float32] = field(
        default_factory=lambda: np.random.default_rng(20261123).normal(100, 10, (SIDE, SIDE)).astype(np.float32)
    )

    def __call__(self) -> None:
        """Do the work once."""
        began = time.process_time()
        work(self._image)
        self.seconds.append(time.process_time() - began)


def work(image: NDArray[np.float32]) -> float:
    """Stream over an image, sort its rows, gather its pixels, sum along them and transform it.

    No linear algebra: that of some libraries takes as many threads as it finds.
    """
    smooth = image.copy()
    for shift in (1, 2, 3):
        smooth += np.roll(image, shift, axis=0) + np.roll(image, shift, axis=1)
    middle = np.sort(smooth, axis=1)[:, SIDE // 2]
    order = np.argsort(image.ravel()[:: SIDE // 16])
    gathered = smooth.ravel()[order * (SIDE // 16)]
    power = np.abs(np.fft.rfft2(image[: SIDE // 2, : SIDE // 2]))
    summed = np.cumsum(np.exp(-smooth / smooth.max()), axis=0)[-1]
    return float(middle.sum() + gathered.sum() + power.mean() + summed.sum())


def measure_speed(
    benchmark: Any,  # noqa: ANN401 - the fixture of pytest-benchmark, which is untyped
    algorithm: Callable[[], object],
    *,
    camera: str,
    task: str,
) -> Measurement:
    """Time an algorithm and the kernel in turns, and return the ratio of their CPU times.

    Its standard error is that of the median of the rounds' ratios, from their median absolute deviation.
    """
    kernel = Kernel()
    algorithm()  # compiled, and its memory mapped
    kernel()
    kernel.seconds.clear()
    benchmark.pedantic(algorithm, setup=kernel, rounds=ROUNDS)
    ratios = ratios_of(benchmark.stats.stats.data, kernel.seconds)
    benchmark.extra_info["ratio"] = float(np.median(ratios))
    return _measured(ratios, Scope(camera, DATASET, task=task))


def ratios_of(seconds: Sequence[float], kernel: Sequence[float]) -> NDArray[np.float64]:
    """Return the ratio of each round; the algorithm's time is over the mean of the kernel's before and after it."""
    own = np.asarray(seconds, dtype=np.float64)
    before = np.asarray(kernel, dtype=np.float64)[-len(own) :]
    after = np.append(before[1:], before[-1])
    ratios: NDArray[np.float64] = own / ((before + after) / 2)
    return ratios


def _measured(ratios: NDArray[np.float64], scope: Scope) -> Measurement:
    value = float(np.median(ratios))
    scatter = _MAD_TO_SIGMA * float(np.median(np.abs(ratios - value)))
    return Measurement(METRIC, scope, value, "", len(ratios), _TO_NORMAL * scatter / len(ratios) ** 0.5)
