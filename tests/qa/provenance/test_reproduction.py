"""A value, and what a rerun gave."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.documents import from_plain, to_plain
from qa.provenance.reproduction import Reproduction, answer
from qa.testing import NOW, a_measurement

FACTS = {"revision": "a", "package obsqa": "1", "data hsc/twin": "d", "env PYTHONPATH": "/x", "packages": "2"}


def a_reproduction(value: float = 5.0) -> Reproduction:
    """Build one of a value."""
    one = a_measurement(value, camera="hsc")
    return Reproduction("1", "hsc", "twin", one, value.hex(), FACTS, NOW)


@given(st.floats(allow_nan=False, allow_infinity=False, width=64), st.integers(-3, 3))
def test_the_same_means_the_same_bits(value: float, steps: int) -> None:
    """The next number up is not the same, nor is zero with another sign; JSON carries each bit."""
    import math

    what = a_reproduction(value)
    there: Reproduction = from_plain(to_plain(what, Reproduction), Reproduction)
    assert there == what
    assert there.value.hex() == value.hex()
    other = value
    for _ in range(abs(steps)):
        other = math.nextafter(other, math.inf if steps > 0 else -math.inf)
    if math.isfinite(other):
        found = answer(there, replace(what.expected, value=other), facts=FACTS)
        assert found.same is (other.hex() == value.hex())


def test_the_sign_of_zero_is_a_bit() -> None:
    """Though the two are equal."""
    assert not answer(a_reproduction(0.0), a_measurement(-0.0, camera="hsc"), facts=FACTS).same


def test_a_difference_is_told_with_the_facts_that_differ() -> None:
    """Where things lie, and how many packages there are, is not a cause; nor is obsqa that was not installed."""
    facts = FACTS | {"revision": "b", "env PYTHONPATH": "/y", "packages": "3", "data decam/twin": "e"}
    del facts["package obsqa"]
    found = answer(a_reproduction(), a_measurement(5.5, camera="hsc"), facts=facts)
    assert not found.same
    assert found.difference == pytest.approx(0.5)
    assert [one.fact for one in found.changed] == ["revision"]
    newer = answer(a_reproduction(), None, facts=FACTS | {"package obsqa": "2"}, reason="too few stars")
    assert [one.fact for one in newer.changed] == ["package obsqa"]
    assert (newer.same, newer.difference, newer.reason) == (False, None, "too few stars")


def test_another_unit_is_not_the_same() -> None:
    """Whatever the number."""
    found = answer(a_reproduction(), replace(a_measurement(5.0, camera="hsc"), unit="mag"), facts=FACTS)
    assert not found.same
    assert found.difference is None
