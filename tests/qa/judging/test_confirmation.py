"""What does not repeat is noise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa.judging.confirmation import as_noise, unrepeated
from qa.model import Change, Comparison, Level, Measurement, Scope, Status, Unmeasured

SCOPE = Scope("hsc", "twin", "r", 0)
KEY = ("PA1", SCOPE)


def judged(
    status: Status = Status.FAIL, *, value: float | None = 9.0, metric: str = "PA1", camera: str = "hsc"
) -> Comparison:
    """Judge a value, or its absence."""
    scope = replace(SCOPE, camera=camera)
    result = Unmeasured(metric, scope, "no stars") if value is None else Measurement(metric, scope, value, "mmag", 100)
    return Comparison(result, None, None, Change.STEP, Level.MINIMUM, status, 5.0, "It moved.")


@pytest.mark.parametrize("first", [Status.WARN, Status.FAIL])
@pytest.mark.parametrize("second", Status)
def test_what_passes_the_second_time_did_not_repeat(first: Status, second: Status) -> None:
    """What warns or fails again did."""
    gone = unrepeated([judged(first)], {KEY: judged(second)})
    assert gone == ((judged(first),) if second is Status.PASS else ())


def test_what_passed_or_was_not_processed_again_is_left_alone() -> None:
    """Nothing is confirmed and nothing called noise without a second result."""
    assert unrepeated([judged(Status.PASS)], {KEY: judged(Status.PASS)}) == ()
    assert unrepeated([judged()], {}) == ()
    assert unrepeated([judged()], {("PA2", SCOPE): judged(Status.PASS)}) == ()


def test_noise_warns_and_says_what_the_second_processing_gave() -> None:
    """A value, or that it passed."""
    assert as_noise(judged(), judged(Status.PASS, value=4.0)) == replace(
        judged(),
        status=Status.WARN,
        reason="It moved; noise: a second processing tonight gave 4 mmag, which passes.",
    )
    absent = as_noise(judged(), judged(Status.PASS, value=None))
    assert absent.reason == "It moved; noise: a second processing tonight passed."
