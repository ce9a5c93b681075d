"""How often attribution names the right cause: made-up incidents of all kinds, and the table of what they were called.

usage: python benchmarks/blame.py [--each N] [--seed S] [--verbose]

Ends with 1 when fewer than 95 % are right, or when a single incident caused by the stack is called CAMERA.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
from incidents import KINDS
from incidents.world import DEFINITIONS, FACTS, Made, a_world

from qa.blame import attribute, windows
from qa.judging.judged import Cause, Incident

LEAST = 0.95
MOST_TRIES = 10
"""Nights that are made for one that counts: in some nothing crosses a threshold."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cause of a made-up night: what it was, what it was called, and whether its series came as one incident."""

    kind: str
    cause: Cause
    called: Cause
    whole: bool
    guilty: bool


def judge(one: Made) -> list[Outcome]:
    """Attribute a made-up night, and compare with what was done to it."""
    found = attribute(
        one.record.comparisons,
        windows=windows(one.record, one.record.comparisons, earlier=one.earlier),
        cameras=FACTS,
        definitions=DEFINITIONS,
        trials=one.trials,
        reruns=one.reruns,
    )
    return [_outcome(one, cause, keys, found) for cause, keys in one.truth]


def _outcome(one: Made, cause: Cause, keys: frozenset, found: tuple[Incident, ...]) -> Outcome:
    shares = Counter({incident.id + incident.cause: len(keys & set(incident.members)) for incident in found})
    name, share = shares.most_common(1)[0]
    called = next(incident.cause for incident in found if incident.id + incident.cause == name)
    guilty = any(incident.cause is Cause.CAMERA and one.by_stack & set(incident.members) for incident in found)
    return Outcome(one.kind, cause, called, share >= 0.8 * len(keys), guilty)


def run(each: int, seed: int) -> list[Outcome]:
    """Make and judge so many nights of each kind."""
    outcomes = []
    for number, kind in enumerate(KINDS):
        random, done = np.random.default_rng([seed, number]), 0
        for _ in range(MOST_TRIES * each):
            if done == each:
                break
            one = kind(a_world(random))
            if one is not None:
                outcomes += judge(one)
                done += 1
    return outcomes


def table(outcomes: list[Outcome]) -> str:
    """Lay out what causes were called, then the share right by kind."""
    lines = [f"{'true cause':>13} | " + " ".join(f"{cause.value:>11}" for cause in Cause)]
    for cause in Cause:
        called = Counter(one.called for one in outcomes if one.cause is cause)
        lines.append(f"{cause.value:>13} | " + " ".join(f"{called[other]:>11}" for other in Cause))
    lines.append("")
    for kind in dict.fromkeys(one.kind for one in outcomes):
        own = [one for one in outcomes if one.kind == kind]
        right = sum(one.called is one.cause for one in own)
        whole = sum(one.whole for one in own)
        lines.append(f"{kind:<38} {right:>4} of {len(own):>4} right, {whole / len(own):>4.0%} as one incident")
    return "\n".join(lines)


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=40, help="nights of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", action="store_true", help="show the wrong ones with their evidence")
    given = parser.parse_args()
    began = time.process_time()
    outcomes = run(given.each, given.seed)
    right = sum(one.called is one.cause for one in outcomes) / len(outcomes)
    guilty = sum(one.guilty for one in outcomes)
    print(table(outcomes))
    print(f"\n{len(outcomes)} incidents: {right:.1%} right; caused by the stack and called CAMERA: {guilty}")
    print(f"{time.process_time() - began:.0f} s CPU")
    return 0 if right >= LEAST and guilty == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
