from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from hypothesis import given
from hypothesis import strategies as st

from qa.drp.algorithms.matching import VOTERS, brightest, group_visits, match_detector, significant, unique_pairs, vote


@given(st.integers(0, 500), st.floats(-6, 6), st.floats(-6, 6))
def test_voting_finds_the_offset(seed: int, dx: float, dy: float) -> None:
    """A pointing error of several arcsec is found among stars of which a third have no partner."""
    rng = np.random.default_rng(seed)
    reference = rng.uniform(0, 200, (60, 2))
    seen = np.vstack([reference[:40] - (dx, dy), rng.uniform(0, 200, (20, 2))])
    offset = vote(seen, reference)
    assert offset is not None
    assert np.allclose(offset, (dx, dy), atol=0.3)


@given(st.integers(0, 500), st.floats(0, 6.28))
def test_voting_bridges_thirty_arcsec_among_strangers(seed: int, angle: float) -> None:
    """A fifth of the stars have no partner, and as many of the reference."""
    rng = np.random.default_rng(seed)
    reference, shift = rng.uniform(0, 200, (80, 2)), 30 * np.array([np.cos(angle), np.sin(angle)])
    seen = reference - shift
    seen[:16] = rng.uniform(0, 200, (16, 2))
    offset = vote(seen, reference)
    assert offset is not None
    assert np.allclose(offset, shift, atol=0.3)


def test_only_the_brightest_vote() -> None:
    """However many faint stars follow, the answer is that of the bright ones."""
    rng = np.random.default_rng(1)
    reference = rng.uniform(0, 400, (VOTERS, 2))
    faint = rng.uniform(0, 400, (5000, 2))
    alone = vote(reference - 3.0, reference)
    assert alone is not None
    assert np.array_equal(alone, np.asarray(vote(np.vstack([reference - 3.0, faint]), reference)))


def test_the_brightest_come_first() -> None:
    """By magnitude, and no more than asked for."""
    positions = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    assert brightest(positions, np.array([20.0, 18.0, 19.0]), 2)[:, 0].tolist() == [1.0, 2.0]


@given(st.integers(0, 100))
def test_matches_by_chance_are_not_significant(seed: int) -> None:
    """As many as unrelated stars give are no evidence; ten times as many are."""
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0, 100, (100, 2)), rng.uniform(0, 100, (300, 2))
    matched = len(unique_pairs(a, b, 0.5)[0])
    assert not significant(matched, 100, density=0.03, radius=0.5)
    assert significant(25, 100, density=0.03, radius=0.5)
    assert not significant(0, 100, density=0.0, radius=0.5)


def test_no_vote_without_agreement() -> None:
    """Unrelated fields, and fields without stars, have no offset."""
    rng = np.random.default_rng(0)
    assert vote(rng.uniform(0, 200, (30, 2)), rng.uniform(0, 200, (30, 2))) is None
    assert vote(np.zeros((0, 2)), rng.uniform(0, 200, (30, 2))) is None
    assert vote(rng.uniform(0, 200, (30, 2)), np.zeros((0, 2))) is None


def test_distortion_is_followed() -> None:
    """A map with a scale error and a bend of arcsecs is brought to the reference within a hundredth."""
    rng = np.random.default_rng(2)
    reference = rng.uniform(-100, 100, (60, 2))
    seen = reference * 1.005 + 1e-5 * reference**2 + (3.0, -2.0)
    moved = match_detector(seen, reference, np.array([-3.0, 2.0]))
    assert np.abs(moved - reference).max() < 0.01


def test_few_stars_are_only_shifted() -> None:
    """With two stars the rough offset is all there is."""
    stars = np.array([[0.0, 0.0], [50.0, 50.0]])
    assert np.allclose(match_detector(stars, stars + 1.0, np.array([1.0, 1.0])), stars + 1.0)


def test_pairs_are_mutual() -> None:
    """Of two points near one partner only the nearer is paired."""
    mine, partners = unique_pairs(np.array([[0.0, 0.0], [0.2, 0.0]]), np.array([[0.25, 0.0]]), 1.0)
    assert (mine.tolist(), partners.tolist()) == ([1], [0])


def test_groups_have_one_detection_of_each_visit() -> None:
    """Repeated stars share a number; a visit never contributes twice; known objects come first."""
    positions = np.array([[0.0, 0.0], [10.0, 0.0], [0.1, 0.0], [10.1, 0.0], [0.15, 0.0]])
    visits = np.array([1, 1, 2, 2, 2])
    groups = group_visits(positions, visits, radius=0.5, seeds=np.array([[10.0, 0.05]]))
    assert groups[1] == groups[3] == 0
    assert groups[0] == groups[2] != groups[4]


@given(st.permutations(range(8)))
def test_groups_do_not_depend_on_order(order: list[int]) -> None:
    """Shuffling the detections shuffles the groups the same way."""
    rng = np.random.default_rng(7)
    positions = np.repeat(rng.uniform(0, 50, (4, 2)), 2, axis=0) + rng.normal(0, 0.02, (8, 2))
    visits = np.tile([1, 2], 4)
    groups = group_visits(positions, visits, radius=0.5)
    shuffled = group_visits(positions[order], visits[order], radius=0.5)
    same = groups[order][:, None] == groups[order]
    assert np.array_equal(same, shuffled[:, None] == shuffled)
