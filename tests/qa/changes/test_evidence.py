from __future__ import annotations

import numpy as np
import pytest

from qa.changes.evidence import LENGTHS, LONGEST, shocks, weigh
from qa.changes.noise import Noise


def known(points: int, *, memory: float = 0.0, clip: float = 4.0, count: float = 1e9) -> Noise:
    """Return noise of one unit about zero, known well unless told otherwise."""
    return Noise(*(np.full(points, one) for one in (0.0, 1.0, memory, np.sqrt(1 - memory**2), clip, 3.0, count, count)))


def tail(evidence: float, freedom: float) -> float:
    """Return evidence of so many degrees of freedom as that of known noise."""
    return float(np.sqrt(freedom * np.log1p(evidence**2 / freedom)))


def test_lengths_are_sums_of_shorter_ones() -> None:
    """Each is built from two that come before it."""
    so_far = {1}
    for length, parts in LENGTHS.items():
        assert sum(parts) == length
        assert so_far.issuperset(parts)
        so_far.add(length)
    assert LONGEST == 32


def test_without_memory_a_shock_is_a_deviation() -> None:
    """In units of the noise, up to the clip."""
    assert shocks(np.array([9.0, 1.0, -2.0, 7.0, -8.0]), known(4)).tolist() == [1.0, -2.0, 4.0, -4.0]


def test_with_memory_only_what_was_not_foretold_counts() -> None:
    """The night before foretells its share; the first shock of a step may count for more."""
    noise = known(2, memory=0.5)
    unit = np.sqrt(0.75)
    assert shocks(np.array([2.0, 1.0, 0.0]), noise).tolist() == pytest.approx([0.0, -0.5 / unit])
    assert shocks(np.array([0.0, 9.0, 9.0]), noise)[0] == pytest.approx(4 * 1.125)


def test_an_outlier_foretells_anything_up_to_its_share() -> None:
    """It may have been a fault of that night, or real."""
    noise = known(1, memory=0.5)
    for value in (2.0, 3.5, 5.0):
        assert shocks(np.array([10.0, value]), noise).tolist() == [0.0]
        assert shocks(np.array([-10.0, -value]), noise).tolist() == [0.0]
    assert shocks(np.array([10.0, 6.0]), noise)[0] == pytest.approx(1 / np.sqrt(0.75))
    assert shocks(np.array([10.0, 1.0]), noise)[0] == pytest.approx(-1 / np.sqrt(0.75))


@pytest.mark.parametrize("length", LENGTHS)
def test_a_step_shows_with_the_root_of_its_nights(length: int) -> None:
    """In noise that is known well and without memory; its age is told."""
    psi = np.concatenate([np.zeros(40), np.full(length, 2.0)])
    evidence, age = weigh(psi, known(1))
    assert evidence[0] == pytest.approx(2 * np.sqrt(length), rel=1e-6)
    assert age[0] == length


def test_evidence_has_the_sign_of_the_change() -> None:
    """A fall is negative."""
    evidence, age = weigh(np.array([0.0, 0.0, -2.0, -2.0]), known(1))
    assert evidence[0] == pytest.approx(-2 * np.sqrt(2), rel=1e-6)
    assert age[0] == 2


def test_one_night_alone_is_no_evidence() -> None:
    """Two shocks are the least."""
    evidence, age = weigh(np.array([4.0]), known(1))
    assert (evidence.tolist(), age.tolist()) == ([0.0], [0])
    assert weigh(np.array([3.0, 3.0]), known(1))[1].tolist() == [2]


def test_the_first_nights_have_less_to_go_by() -> None:
    """Of each point only the shocks up to it count."""
    psi = np.array([3.0, 3.0, 3.0, 3.0])
    evidence, age = weigh(psi, known(4))
    assert evidence.tolist() == pytest.approx([0.0, 3 * np.sqrt(2), 3 * np.sqrt(3), 6.0], rel=1e-6)
    assert age.tolist() == [0, 2, 3, 4]
    late, _ = weigh(psi, known(2))
    assert late.tolist() == evidence[2:].tolist()


def test_with_memory_the_first_shock_counts_most() -> None:
    """The matched filter of a step: its first shock in full, the later ones as 1 - memory."""
    evidence, _ = weigh(np.array([4.0, 2.0]), known(1, memory=0.5))
    expected = (4 + 0.5 * 2) / np.sqrt((1 + 0.25) * (1 + 0.2 * 0.5))
    assert evidence[0] == pytest.approx(expected, rel=1e-6)


def test_what_is_not_known_of_the_noise_lowers_the_evidence() -> None:
    """By the error of the level, of the spread, and for few values at large; the tail is that of Student t."""
    evidence, _ = weigh(np.array([2.0, 2.0]), known(1, count=20.0))
    young = 120 / 400 + 6 * (1 - 20 / 45)
    variance = (2 + 4 / 20) * (1 + 1 / 20 + young)
    assert evidence[0] == pytest.approx(tail(4 / np.sqrt(variance), 120))
    evidence, _ = weigh(np.array([2.0, 2.0]), known(1, memory=0.5, count=20.0))
    variance = (1 + 0.25 + 1.5**2 / 20) * 1.1 * (1 + 3 / 20 + young)
    assert evidence[0] == pytest.approx(tail((2 + 0.5 * 2) / np.sqrt(variance), 40))


def test_the_clip_widens_with_what_is_not_known() -> None:
    """Where few values are known a change must be larger, and a large one is to be found as soon."""
    (shock,) = shocks(np.array([0.0, 50.0]), known(1, count=20.0))
    assert shock == pytest.approx(4 * np.sqrt(1 + 120 / 400 + 6 * (1 - 20 / 45)))
    (shock,) = shocks(np.array([0.0, -50.0]), known(1, count=20.0, memory=0.5))
    assert shock == pytest.approx(-4.5 * np.sqrt(1 + 120 / 400 + 6 * (1 - 20 / 45)))


def test_the_newest_night_counts_for_little_more_than_the_one_before() -> None:
    """One night far out is no step yet, however far, and up or down."""
    for sign in (1, -1):
        psi = sign * np.array([0.0, 0.0, 0.0, 0.5, 4.0])
        evidence, _ = weigh(psi, known(1))
        assert evidence[0] == pytest.approx(sign * 2.0 / np.sqrt(2), rel=1e-6)
        evidence, _ = weigh(sign * np.array([0.0, -3.0, 4.0]), known(1))
        assert abs(evidence[0]) == pytest.approx(2.0 / np.sqrt(2), rel=1e-6)
    evidence, _ = weigh(np.array([4.0, 0.5]), known(2))
    assert evidence.tolist() == pytest.approx([0.0, 4.5 / np.sqrt(2)], rel=1e-6)
    evidence, _ = weigh(np.array([4.0, 4.0]), known(1))
    assert evidence[0] == pytest.approx(8 / np.sqrt(2), rel=1e-6)
