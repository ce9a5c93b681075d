"""Whether the last values of a series look more like a step or like a ramp, and when it began."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RAMP = 12
"""Least number of nights that are called a drift."""

FAVOUR = 0.95
"""How much of what a step takes from the sum of squares a ramp must take: a step found late looks much like one."""

LOOK_BACK = 48
"""Nights over which a beginning is sought."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the last `nights` differ from the level before: a step, or a ramp that rose by `rise` in all."""

    nights: int
    rise: float | None = None


def describe(away: Floats, *, age: int, reach: float) -> Shape:
    """Return the shape of the last deviations from a level, oldest first, that rose of late.

    Both shapes are least-squares fits of one size to the last j deviations, to 1 each and to 1, 2 .. j; the one that
    takes more from the sum of squares describes better, with some favour to the ramp. Deviations beyond `reach` count
    as that far out. Where none rose, as in a series that comes back faster than it should, it is a step of the last
    `age` nights.
    """
    late = np.clip(away[::-1][:LOOK_BACK], -reach, reach)
    nights = np.arange(1.0, len(late) + 1)
    sums = np.cumsum(late)
    # The deviation q nights ago weighs j - q: the sum of weights times deviations is the running sum of running sums.
    weighted, squares = np.cumsum(sums), np.cumsum(nights * nights)
    as_step = np.maximum(sums, 0.0) ** 2 / nights
    as_ramp = np.maximum(weighted, 0.0) ** 2 / squares
    # One night alone is a spike until the next one tells.
    as_step[0], as_ramp[: RAMP - 1] = 0.0, 0.0
    step, ramp = int(np.argmax(as_step)), int(np.argmax(as_ramp))
    if as_ramp[ramp] > FAVOUR * as_step[step]:
        return Shape(ramp + 1, float(weighted[ramp] / squares[ramp] * nights[ramp]))
    return Shape(step + 1 if as_step[step] > 0 else age)
