"""From weights to odds, and from odds to a cause."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qa.blame.weights import MARGIN, PRIOR
from qa.judging.judged import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qa.judging.judged import Evidence


def odds_of(evidence: Iterable[Evidence]) -> dict[Cause, float]:
    """Return the log odds of each cause, up to a constant: the prior and the sum of what was observed."""
    odds = dict(PRIOR)
    for one in evidence:
        odds[one.favours] += one.weight
    return odds


def likeliest(odds: Mapping[Cause, float]) -> Cause:
    """Return the likeliest cause: the algorithm where it is as likely as another, or the camera leads by little."""
    best = max(odds, key=lambda cause: (odds[cause], cause is Cause.ALGORITHM))
    close = best is Cause.CAMERA and odds[best] < odds[Cause.ALGORITHM] + MARGIN
    return Cause.ALGORITHM if close else best


def probability(odds: Mapping[Cause, float], cause: Cause) -> float:
    """Return the probability of a cause."""
    highest = max(odds.values())
    weights = {one: math.exp(value - highest) for one, value in odds.items()}
    return weights[cause] / sum(weights.values())
