from __future__ import annotations

import pytest

from ci.suite.verdicts import insist
from qa.model import Baseline, Change, Comparison, Ladder, Level, Result, Scope, Status, Unmeasured
from qa.testing import a_measurement

SCOPE = Scope("testcam", "twin", "r", 0)


def a_comparison(status: Status, result: Result | None = None) -> Comparison:
    """Build a verdict on PA1."""
    baseline = Baseline("PA1", SCOPE, 4.0, "mmag", 0.1, 0.1, "20260301T000000Z")
    ladder = Ladder("PA1", "r", "mmag", "<=", 8.0, 5.0, 3.0, "LPM-17, table 14")
    reason = "PA1 worsened"
    return Comparison(result or a_measurement(), baseline, ladder, Change.STEP, Level.MINIMUM, status, 10.0, reason)


def test_a_failing_verdict_fails_with_its_numbers() -> None:
    """The reason, the baseline and the requirement with its source are what the developer reads."""
    with pytest.raises(pytest.fail.Exception) as caught:
        insist(a_comparison(Status.FAIL), "", lambda _name, _value: None)
    text = str(caught.value)
    assert "PA1 worsened" in text
    assert "baseline: 4 mmag (run 20260301T000000Z)" in text
    assert "requirement: <= minimum 8, design 5, stretch 3 mmag (LPM-17, table 14)" in text


def test_a_warning_passes_and_is_told() -> None:
    """A step inside design fails no commit; the JUnit XML holds it."""
    told: dict[str, object] = {}
    insist(a_comparison(Status.WARN), "", told.__setitem__)
    assert told == {"value": "5 mmag", "warning": "PA1 worsened"}


def test_what_could_not_be_measured_is_skipped_with_its_reason() -> None:
    """Unless its absence fails."""
    absent = Unmeasured("PA1", SCOPE, "the field is too small")
    with pytest.raises(pytest.skip.Exception, match="the field is too small"):
        insist(a_comparison(Status.PASS, absent), "", lambda _name, _value: None)
    with pytest.raises(pytest.fail.Exception):
        insist(a_comparison(Status.FAIL, absent), "", lambda _name, _value: None)


def test_a_camera_that_was_not_judged_is_skipped_with_the_reason() -> None:
    """Its baselines cannot be read: the run says so, not every metric."""
    with pytest.raises(pytest.skip.Exception, match="no such ledger"):
        insist(None, "no such ledger", lambda _name, _value: None)
