"""From weights to a cause."""

from __future__ import annotations

import pytest

from qa.blame.odds import likeliest, odds_of, probability
from qa.blame.weights import MARGIN, PRIOR
from qa.judging.judged import Cause, Evidence


def test_odds_are_the_prior_and_the_sum_of_the_evidence() -> None:
    """Without any they are the prior, in which the algorithm comes first."""
    assert odds_of(()) == PRIOR
    assert likeliest(PRIOR) is Cause.ALGORITHM
    found = odds_of([Evidence(Cause.DATA, 2.0, ""), Evidence(Cause.DATA, -0.5, "")])
    assert found == PRIOR | {Cause.DATA: PRIOR[Cause.DATA] + 1.5}


@pytest.mark.parametrize("cause", [Cause.DATA, Cause.ENVIRONMENT, Cause.NOISE])
def test_the_algorithm_wins_a_tie(cause: Cause) -> None:
    """And loses to what is likelier by anything."""
    assert likeliest(PRIOR | {cause: 0.0}) is Cause.ALGORITHM
    assert likeliest(PRIOR | {cause: 0.25}) is cause


def test_the_camera_must_lead_by_a_margin() -> None:
    """Who is named answers for it."""
    assert likeliest(PRIOR | {Cause.CAMERA: MARGIN}) is Cause.CAMERA
    assert likeliest(PRIOR | {Cause.CAMERA: MARGIN - 0.25}) is Cause.ALGORITHM
    assert likeliest(PRIOR | {Cause.CAMERA: 0.5, Cause.ALGORITHM: -0.5}) is Cause.CAMERA


def test_probabilities_sum_to_one() -> None:
    """Whatever the odds have in common, and however small they are."""
    for offset in (0.0, -2000.0, 2000.0):
        odds = {cause: value + offset for cause, value in PRIOR.items()}
        assert sum(probability(odds, cause) for cause in Cause) == pytest.approx(1.0)
    assert probability(dict.fromkeys(Cause, 3.0), Cause.DATA) == pytest.approx(0.2)
