"""From what moved in a night to its incidents, each with a cause: the algorithm unless the evidence says otherwise."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from qa.blame import weights, wording
from qa.blame.evidence import OBSERVATIONS
from qa.blame.facts import differences
from qa.blame.group import Group, Scene, gather
from qa.blame.moved import moved_series
from qa.blame.odds import likeliest, odds_of
from qa.judging.judged import Cause, Evidence, Incident

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from qa.blame.facts import Differences
    from qa.blame.model import CameraFacts, Key, Rerun, Trial, Window
    from qa.blame.moved import Moved
    from qa.judging.judged import Shift
    from qa.metrics.base import MetricDefinition
    from qa.model import Comparison


def attribute(
    comparisons: Sequence[Comparison],
    *,
    windows: Mapping[Key, Window],
    cameras: Mapping[str, CameraFacts],
    definitions: Mapping[str, MetricDefinition],
    shifts: Iterable[Shift] = (),
    trials: Sequence[Trial] = (),
    reruns: Iterable[Rerun] = (),
) -> tuple[Incident, ...]:
    """Group what moved by common cause and say what each group's cause is, the largest first.

    Parameters
    ----------
    comparisons
        Tonight's, of all cameras.
    windows
        Between which runs each series moved, by `qa.blame.windows`; what has none was never seen before.
    cameras
        What belongs to each camera of the registry alone.
    definitions
        The metrics by name.
    shifts
        What the history says of tonight.
    trials, reruns
        What became of cameras processed again with packages swapped back, and with everything the same.
    """
    scene = Scene(
        cameras=cameras,
        measured=frozenset(one.scope.camera for one in comparisons),
        judged=sum(one.sigma is not None for one in comparisons),
        trials=trials,
        reruns={(one.metric, one.scope): one for one in reruns},
    )
    moved = _with_differences(moved_series(comparisons, shifts, windows=windows, definitions=definitions), cameras)
    strong = _strong(moved)
    noise = [one for one in moved if _is_noise(one, scene, strong)]
    noisy = {one.key for one in noise}
    groups = gather([one for one in moved if one.key not in noisy])
    incidents = [_incident(one, scene) for one in groups]
    if noise:
        incidents.append(_incident(Group(tuple(noise)), scene))
    return tuple(sorted(incidents, key=lambda one: (-len(one.members), one.id)))


def _with_differences(moved: Iterable[Moved], cameras: Mapping[str, CameraFacts]) -> list[Moved]:
    known: dict[object, Differences] = {}
    found = []
    for one in moved:
        if one.window is None:
            found.append(one)
            continue
        runs = (one.window.good, *one.window.lead, one.window.bad)
        place = (one.place, *(run and run.id for run in runs))
        if place not in known:
            known[place] = differences(one.window, one.place, cameras)
        found.append(replace(one, differences=known[place]))
    return found


STRONG = 6.0
"""What moved by so many spreads, or is missing, did not do so by itself, and others may have moved with it."""


def _strong(moved: Iterable[Moved]) -> list[Moved]:
    return [one for one in moved if one.missing or (one.sigma is not None and one.sigma >= STRONG)]


def _is_noise(one: Moved, scene: Scene, strong: Sequence[Moved]) -> bool:
    """Tell whether a series by itself looks like noise: nothing strong moved with it that could share its cause."""
    evidence = _evidence(Group((one,)), scene)
    support = [other for other in strong if other.key != one.key and _akin(one, other)]
    helps = min(len(support), weights.MOST_SUPPORT) * weights.SUPPORT
    return likeliest(odds_of([*evidence, Evidence(Cause.ALGORITHM, helps, "")])) is Cause.NOISE


def _akin(one: Moved, other: Moved) -> bool:
    """Tell whether two series may well move together: of one data set, or one metric; resources among themselves."""
    return one.resource is other.resource and (one.place == other.place or one.key[0] == other.key[0])


def _incident(group: Group, scene: Scene) -> Incident:
    evidence = _evidence(group, scene)
    odds = odds_of(evidence)
    cause = likeliest(odds)
    changed = tuple(dict.fromkeys(name for one in group.members for name in one.differences.changed))
    return Incident(
        id=_name(group),
        cause=cause,
        members=tuple(one.key for one in group.members),
        changed=changed,
        evidence=tuple(sorted(evidence, key=lambda one: -abs(one.weight))),
        odds=odds,
        headline=wording.headline(cause, group),
        last_good=wording.last_good(group),
    )


def _evidence(group: Group, scene: Scene) -> list[Evidence]:
    return [evidence for observe in OBSERVATIONS for evidence in observe(group, scene)]


def _name(group: Group) -> str:
    """Name an incident by the run that first showed it and what came into question: the same on later nights."""
    bad = min((one.window.bad.id for one in group.members if one.window is not None), default="unknown")
    reach = sorted({(*one.differences.changed,) for one in group.members}) or [()]
    body = repr((reach, group.cameras if not any(reach) else ())).encode()
    return f"{bad}-{hashlib.sha256(body).hexdigest()[:4]}"
