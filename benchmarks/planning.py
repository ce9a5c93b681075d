"""A year of nights, planned: which promises break, which of them needlessly, and what planning costs.

    python benchmarks/planning.py

Ten cameras of sixteen hours together, durations that vary by a tenth, one lease that lapses; nights of several lengths;
every seventeenth night lost, two in a row, and once nine.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta

from qa.planning.night import Candidate, choose
from qa.planning.simulation import Sky, lapse, simulate

HOURS = (0.5, 0.8, 1.0, 1.2, 1.5, 1.5, 2.0, 2.0, 2.5, 3.0)
START = datetime(2026, 1, 1, 1, tzinfo=UTC)
BUDGETS = (3.5, 4.0, 6.0, 8.0)
YEARS = 20
LOST = {
    "none": set(),
    "every 17th night, two in a row": {*range(5, 365, 17), 60, 61},
    "these, and nine in a row": {*range(5, 365, 17), 60, 61, *range(200, 209)},
}


def skies(seed: int) -> list[Sky]:
    """Return the cameras of one year."""
    draws = random.Random(seed)  # noqa: S311 - no secret
    took = {
        (name, night): hours * draws.lognormvariate(0, 0.1) for name, hours in enumerate(HOURS) for night in range(365)
    }
    found = [Sky(f"c{name}", lambda night, name=name: took[name, night]) for name in range(len(HOURS))]
    return [*found[:4], lapse(found[4], night=100, retired=200), *found[5:]]


def main() -> None:
    """Print the table."""
    print(
        f"{YEARS} years of 365 nights, {len(HOURS)} cameras of {sum(HOURS):g} h: promises broken (of them needlessly)"
    )
    for told, lost in LOST.items():
        for budget in BUDGETS:
            years = [
                simulate(skies(one), start=START, nights=365, budget=budget, lost=lost, known=True)
                for one in range(YEARS)
            ]
            broken = sum(len(one.broken) for one in years)
            needless = sum(len(one.avoidable) for one in years)
            print(f"{told:<32} {budget:4.1f} h a night: {broken / YEARS:6.2f} a year ({needless / YEARS:.2f})")
    for number in (10, 20, 40):
        made = [Candidate(f"c{one}", 0.5 + one / 20, last=START - timedelta(days=one % 7)) for one in range(number)]
        budget = sum(one.hours for one in made) / 6.5
        began = time.process_time()
        choose(made, now=START, budget=budget)
        print(f"{number} cameras, nights as short as they may be: {1000 * (time.process_time() - began):.1f} ms")


if __name__ == "__main__":
    main()
