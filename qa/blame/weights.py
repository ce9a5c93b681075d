"""How strongly each observation speaks, in natural-log odds. Decision 0012 says where the numbers come from.

A weight of 0.7 doubles the odds, 2.3 makes them ten times, 4.6 a hundred times as high.
"""

from __future__ import annotations

from qa.judging.judged import Cause

PRIOR = {Cause.ALGORITHM: 0.0, Cause.CAMERA: -4.0, Cause.DATA: -3.0, Cause.ENVIRONMENT: -3.0, Cause.NOISE: -3.0}
"""The algorithm first: before anything is known, each other cause is one in twenty or less."""

MARGIN = 1.0
"""CAMERA must lead ALGORITHM by this much: who is named answers for it."""

VETO = -30.0
"""What the design does not allow, whatever else speaks for it."""

STACK_CHANGED, STACK_SAME = 3.0, -2.0
STACK_BEFORE = 0.5
CAMERA_CHANGED = 5.0
DATA_CHANGED, DATA_SAME, OTHER_EXPOSURES = 9.0, -6.0, 6.0
HOST_CHANGED, HOST_SAME = 4.0, -6.0
HOST_UNKNOWN = 2.0
"""That a baseline was not made here: some of the weight of a host that is known to have changed."""

TOGETHER, MOST_TOGETHER = 1.0, 3
"""Per further camera that moved with the first, up to so many."""
ALONE, MOST_ALONE = 0.5, 2
"""Per camera that ran and did not move, against a change that is common to all, up to so many."""

RESOURCES_ONLY, RESOURCES_BY_STACK = 4.0, -3.0
ONE_TASK = -4.0
MOSTLY_SMALL = 0.75
SMALL_MOVES, LARGE_ON_HARDWARE, LARGE_ON_SYSTEM = 2.5, -4.0, -0.5

REAL = 0.003
"""How likely it is that something real moves as few series as chance does in one night."""
CHANCE_RANGE = (-8.0, 6.0)
REPEATED, NOT_REPEATED = -8.0, 7.0
FLIP, MOST_FLIPS = 1.2, 3
STOOD, MOST_STOOD = -2.5, 3
SAME_BITS, FEWEST_SAME = -6.0, 3
NOTHING_CHANGED = 2.0
SPIKE = 2.0
SUPPORT, MOST_SUPPORT = 1.5, 2

TRUTH_MOVED = -1.0
MENDED, NOT_MENDED = 6.0, -8.0
