"""How many false reports are allowed, and what that asks of one value of one series."""

from __future__ import annotations

import math
from dataclasses import dataclass

EVIDENCE_AT_ONE, EVIDENCE_PER_E = -5.2, 2.7
"""Squared evidence at which a value raises false reports at a rate of one, and its rise per e-fold of a lower rate.

By simulation of unchanged series (`benchmarks/changes.py calibrate`): above what Gaussian, Student t (3), spiky and
AR(1) noise up to 0.6 raise, and that of 0.8 once some 60 values are known. Gaussian noise would allow less.
"""

SPIKES = 0.1
"""Share of the budget that is left to spikes."""

FAR = 8.0
"""Least distance of a spike, in spreads of the series."""

TAIL = 2.3
"""Power of the furthest deviation seen so far that a spike must exceed: the heavier the tail, the further."""

LIGHT, HEAVIER = 3.2, 2.0
"""Furthest deviation that Gaussian noise is likely to show, and the rise of the power in a series that shows more."""

YOUNG = 80
"""Values that tell how heavy a tail is: while they are fewer, a spike must be further out."""


def far_out(usual: float, count: float) -> float:
    """Return how many spreads out a spike must be in a series whose `count` values came as far as `usual` of them."""
    tail = math.pow(usual, TAIL) * math.pow(max(1.0, usual / LIGHT), HEAVIER)
    return max(FAR, tail) * max(1.0, YOUNG / count)


@dataclass(frozen=True, slots=True)
class Budget:
    """False reports allowed over all series of a night together: one a month for 500 series unless told otherwise.

    `days` are nights with a value. All three must be positive and finite. Series that move together make the reports
    come in clumps, but no more of them: expectations add up whatever the correlation.
    """

    false_reports: float = 1.0
    days: float = 30.0
    series: int = 500

    def __post_init__(self) -> None:
        """Refuse what is no budget."""
        for name in self.__slots__:
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                msg = f"{name} of a false-alarm budget must be positive and finite, got {value}"
                raise ValueError(msg)

    def per_value(self) -> float:
        """Return the false reports allowed for one value of one series, below one."""
        return min(self.false_reports / (self.days * self.series), 0.5)

    def threshold(self) -> float:
        """Return the evidence that a step or a drift needs."""
        rate = (1.0 - SPIKES) * self.per_value()
        return math.sqrt(max(EVIDENCE_AT_ONE - EVIDENCE_PER_E * math.log(rate), 1.0))

    def chance(self, evidence: float) -> float:
        """Return the probability that any series raises as much evidence in one night by chance."""
        rate = math.exp((EVIDENCE_AT_ONE - evidence * evidence) / EVIDENCE_PER_E)
        return -math.expm1(-self.series * rate)

    def chance_of_spike(self, excess: float) -> float:
        """Return the same of a spike `excess` times as far out as it must be, for a tail like that of Student t (3)."""
        return -math.expm1(-self.series * SPIKES * self.per_value() / excess**3)
