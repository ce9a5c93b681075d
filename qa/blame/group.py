"""What moved, gathered by common cause: the fewest changes that explain all of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
    from datetime import datetime

    from qa.blame.facts import Changes, Differences
    from qa.blame.model import CameraFacts, Key, Rerun, Trial, Window
    from qa.blame.moved import Moved


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known of the whole night.

    `measured` are the cameras with anything judged, `judged` the number of series that have something to be compared
    with.
    """

    cameras: Mapping[str, CameraFacts]
    measured: frozenset[str]
    judged: int
    trials: Sequence[Trial] = ()
    reruns: Mapping[Key, Rerun] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Series that moved by one cause; `elsewhere` are the other cameras in which something moved unexplained."""

    members: tuple[Moved, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def cameras(self) -> tuple[str, ...]:
        """Its cameras, in the order of the members."""
        return tuple(dict.fromkeys(one.camera for one in self.members))

    def facts(self, part: Callable[[Differences], Changes]) -> tuple[str, ...]:
        """Return the facts of a part that changed for any member."""
        return tuple(dict.fromkeys(name for one in self.members for name in part(one.differences).changed))

    def unchanged(self, part: Callable[[Differences], Changes]) -> bool:
        """Tell whether it is known for all members that nothing of a part changed."""
        return all(part(one.differences).unchanged for one in self.members)


def stack(one: Differences) -> Changes:
    """Return what changed of the software that is common to all cameras."""
    return one.stack


def camera(one: Differences) -> Changes:
    """Return what changed of the camera's own packages and configuration."""
    return one.camera


def data(one: Differences) -> Changes:
    """Return what changed of the data."""
    return one.data


def environment(one: Differences) -> Changes:
    """Return what changed of the machine and its system."""
    return one.environment


def gather(moved: Sequence[Moved]) -> list[Group]:
    """Gather what moved by itself no more than by chance into groups of one cause each.

    The data's changes take what they reach, then the machine's (resources, also those that no known run had at their
    baseline, and everything where neither stack nor camera changed), then those of a camera's own package. All else is
    the stack's, of all cameras together.
    """
    pools: dict[Hashable, list[Moved]] = defaultdict(list)
    for one in moved:
        pools[_pool(one)].append(one)
    code = pools.setdefault(_STACK, [])
    others = {one.camera for one in code}
    # Something without an explanation of its own moved too: then it is no camera's own doing.
    for pool in [pool for pool in pools if isinstance(pool, tuple) and pool[0] == _CAMERA and others]:
        code += pools.pop(pool)
    groups = [group for pool in pools.values() for group in _pierce(pool)]
    return [Group(tuple(one), _elsewhere(one, pools[_STACK])) for one in groups]


_STACK, _CAMERA, _DATA, _HOST, _TIMES = "stack", "camera", "data", "environment", "times"


def _pool(one: Moved) -> Hashable:
    found = one.differences
    if found.data.changed or (one.fewer and not found.data.known):
        return _DATA if found.data_of_all else (_DATA, one.camera)
    nothing_else = found.stack.unchanged and not found.camera.changed
    if one.of_unknown_machine or (found.environment.changed and one.resource):
        return _TIMES
    if found.environment.changed and nothing_else:
        return _HOST
    if found.camera.changed and found.stack.unchanged:
        return (_CAMERA, tuple(name for name in found.camera.changed))
    return _STACK


def _pierce(moved: Iterable[Moved]) -> list[list[Moved]]:
    """Return the fewest groups such that the windows of each have a moment in common.

    Windows in the order of their ends, each group's moment the end of its first window: the greedy algorithm for
    piercing intervals, which is optimal. A window of several moments goes with the first, what has none as well.
    """
    dated = [(one.window, one) for one in moved if one.window is not None]
    moments: list[datetime] = []
    for window, _ in sorted(dated, key=lambda pair: pair[0].bad.when):
        if not any(_holds(window, moment) for moment in moments):
            moments.append(window.bad.when)
    places: dict[datetime, list[Moved]] = {moment: [] for moment in moments}
    for window, one in dated:
        places[next(moment for moment in moments if _holds(window, moment))].append(one)
    groups = list(places.values())
    undated = [one for one in moved if one.window is None]
    if undated:
        groups = [undated + groups[0], *groups[1:]] if groups else [undated]
    return groups


def _holds(window: Window, moment: datetime) -> bool:
    return (window.good is None or window.good.when < moment) and moment <= window.bad.when


def _elsewhere(members: Sequence[Moved], code: Sequence[Moved]) -> tuple[str, ...]:
    own = {one.camera for one in members}
    return tuple(dict.fromkeys(one.camera for one in code if one.camera not in own))
