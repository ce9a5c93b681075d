from __future__ import annotations

import math

import pytest

from qa.changes import Budget
from qa.changes.budget import far_out


def test_the_budget_is_for_all_series_together() -> None:
    """By default one false report a month for 500 series."""
    assert Budget() == Budget(false_reports=1.0, days=30.0, series=500)
    assert Budget().per_value() == pytest.approx(1 / 15000)
    assert Budget(2, 10, 4).per_value() == 0.05


def test_more_than_a_report_every_other_value_is_not_believed() -> None:
    """The threshold needs a rate below one."""
    assert Budget(1000, 1, 1).per_value() == 0.5


@pytest.mark.parametrize("name", ["false_reports", "days", "series"])
@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
def test_what_is_no_budget_is_refused(name: str, value: float) -> None:
    """The message says which number, and what it must be."""
    message = f"^{name} of a false-alarm budget must be positive and finite, got {value}$"
    with pytest.raises(ValueError, match=message):
        Budget(**{name: value})


def test_a_stricter_budget_asks_for_more_evidence() -> None:
    """By the fitted line; nine tenths of the budget are for steps and drifts."""
    assert Budget().threshold() == pytest.approx(math.sqrt(-5.2 - 2.7 * math.log(0.9 / 15000)))
    assert Budget(series=5000).threshold() > Budget().threshold() > Budget(series=50).threshold() > 1
    assert Budget(1e9).threshold() == 1.0


def test_the_chance_is_that_of_any_series() -> None:
    """What just passes has the chance of a night's share of the budget; what is larger has less."""
    budget = Budget()
    assert budget.chance(budget.threshold()) == pytest.approx(1 - math.exp(-500 * 0.9 / 15000))
    assert budget.chance(-budget.threshold()) == budget.chance(budget.threshold())
    assert budget.chance(budget.threshold() + 1) < 0.1 * budget.chance(budget.threshold())
    assert budget.chance(0.0) == 1 - math.exp(-500)
    assert Budget(series=1).chance(0.0) == pytest.approx(1 - math.exp(-math.exp(-5.2 / 2.7)))


def test_the_chance_of_a_spike_falls_with_its_distance() -> None:
    """From a tenth of a night's share of the budget, with the third power."""
    budget = Budget()
    assert budget.chance_of_spike(1.0) == pytest.approx(1 - math.exp(-0.1 / 30))
    assert budget.chance_of_spike(2.0) == pytest.approx(1 - math.exp(-0.1 / 30 / 8))


def test_a_spike_is_further_out_than_the_tail_of_its_series() -> None:
    """Eight spreads at least; the heavier the tail and the fewer the values, the further."""
    assert far_out(2.0, 80) == far_out(2.0, 200) == 8.0
    assert far_out(3.0, 80) == far_out(3.0, 200) == pytest.approx(3.0**2.3)
    assert far_out(6.4, 80) == pytest.approx(4 * 6.4**2.3)
    assert far_out(2.0, 40) == 16.0
    assert far_out(6.4, 50) == pytest.approx(1.6 * 4 * 6.4**2.3)
