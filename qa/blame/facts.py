"""What changed between two runs, sorted by whose doing it would be: the stack's, a camera's, the data's, the host's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise
from typing import TYPE_CHECKING

from obs_registry.select import short_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qa.blame.model import CameraFacts, Facts, Window

PACKAGE, CONFIG = "package ", "config "
PACKAGES = "packages"
"""The fact that counts packages and revision: without it, one that was lost would pass for one that did not change."""
REVISION = "revision"
DATA = ("data ", "calibrations ", "refcat ")
CONTAINER, ENGINE = "container ", "engine "
HARDWARE = frozenset({"host", "cpu", "instructions", "cores", "memory", "machine", "threads", "locale"})
SYSTEM = frozenset({"os", "kernel", "python", "env"})
LOCATIONS = frozenset(
    f"env {name}" for name in ("DAF_BUTLER_CONFIG_PATH", "DRP_PIPE_DIR", "EUPS_PATH", "LD_LIBRARY_PATH", "PYTHONPATH")
)
"""Facts that say where software lies: what it is, its own facts say."""
DIRTY = "-dirty"
"""How a revision ends where uncommitted changes are known of and not what they are: two of the same name may differ.

Where a digest of the changes follows, two of the same name are the same.
"""


class Part(Enum):
    """Whose doing a changed fact would be."""

    STACK = auto()
    CAMERA = auto()
    DATA = auto()
    ENVIRONMENT = auto()


@dataclass(frozen=True, slots=True)
class Changes:
    """The facts of one part that changed; `known` tells that both runs say enough for 'nothing else did' to hold."""

    changed: tuple[str, ...] = ()
    known: bool = False

    @property
    def unchanged(self) -> bool:
        """Tell whether it is known that nothing changed."""
        return self.known and not self.changed


@dataclass(frozen=True, slots=True)
class Differences:
    """What changed for one data set of a camera between the last good run and the first bad one.

    `before` are facts of the stack that changed shortly before, when everything was still well. `data_of_all` tells
    that the data of all data sets changed at once, as when they are drawn in a new way.
    """

    stack: Changes = Changes()
    camera: Changes = Changes()
    data: Changes = Changes()
    environment: Changes = Changes()
    before: tuple[str, ...] = ()
    data_of_all: bool = False

    @property
    def changed(self) -> tuple[str, ...]:
        """All facts that changed, in the order of suspicion."""
        return (*self.stack.changed, *self.camera.changed, *self.data.changed, *self.environment.changed)


def differing(good: Facts, bad: Facts) -> tuple[str, ...]:
    """Return the names of the facts in which two runs differ, in alphabetical order.

    A fact that only one of them has counts when it is a package that came or went while others are known of both;
    elsewhere it says no more than that the other run did not write it down.
    """
    packages = all(any(name.startswith(PACKAGE) for name in facts) for facts in (good, bad))
    return tuple(
        name
        for name in sorted({*good, *bad})
        if good.get(name) != bad.get(name)
        and ((name in good and name in bad) or (packages and name.startswith(PACKAGE)))
    )


def differences(window: Window, place: tuple[str, str], cameras: Mapping[str, CameraFacts]) -> Differences:
    """Sort what changed in the window of a series; `place` is its camera and data set."""
    if window.good is None:
        return Differences()
    now = _Sorted(window.good.facts, window.bad.facts, place, cameras)
    earlier = [
        _Sorted(old.facts, new.facts, place, cameras).of(Part.STACK)
        for new, old in pairwise((window.good, *window.lead))
    ]
    return Differences(
        stack=Changes(now.of(Part.STACK), now.known(Part.STACK)),
        camera=Changes(now.of(Part.CAMERA), now.known(Part.CAMERA)),
        data=Changes(now.of(Part.DATA), now.known(Part.DATA)),
        environment=Changes(now.of(Part.ENVIRONMENT), now.known(Part.ENVIRONMENT)),
        before=tuple(dict.fromkeys(name for names in earlier for name in names)),
        data_of_all=_all_data_changed(window.good.facts, window.bad.facts),
    )


def _all_data_changed(good: Facts, bad: Facts) -> bool:
    both = [name for name in good.keys() & bad.keys() if name.startswith(DATA[0]) and "/" in name]
    return len(both) > 1 and all(good[name] != bad[name] for name in both)


def _is_complete(facts: Facts) -> bool:
    """Tell whether a run's facts name all packages there were."""
    return facts.get(PACKAGES) == str(count_packages(facts))


def count_packages(facts: Facts) -> int:
    """Return how many packages facts name, the revision of obsqa included."""
    return sum(name.startswith(PACKAGE) or name == REVISION for name in facts)


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Two runs' facts as seen from one data set of a camera."""

    good: Facts
    bad: Facts
    place: tuple[str, str]
    cameras: Mapping[str, CameraFacts]

    def of(self, part: Part) -> tuple[str, ...]:
        """Return the facts of a part that differ."""
        return tuple(name for name in differing(self.good, self.bad) if self._part(name) is part)

    def known(self, part: Part) -> bool:
        """Tell whether both runs say what there was of a part, and nothing that could hide a change."""
        of_part = [name for name in sorted({*self.good, *self.bad}) if self._part(name) is part]
        both = [name for name in of_part if name in self.good and name in self.bad]
        hidden = any(self.good[name] == self.bad[name] and self.good[name].endswith(DIRTY) for name in both)
        lacking = part is Part.CAMERA and len(both) < len(of_part)
        if part is Part.STACK:
            lacking = not (_is_complete(self.good) and _is_complete(self.bad))
        return bool(both) and not hidden and not lacking

    def _part(self, name: str) -> Part | None:
        """Tell whose doing a fact is; None where it cannot touch this data set."""
        camera, dataset = self.place
        kind, _, subject = name.partition(" ")
        if name == REVISION or name.startswith(PACKAGE):
            package, _, only = subject.partition("@")  # in the environment of one camera
            return self._owner(short_name(package)) if only in {"", camera} else None
        if name.startswith(DATA):
            # What a user's own raws are is written without a camera.
            return Part.DATA if subject == f"{camera}/{dataset}" or "/" not in subject else None
        if name.startswith(CONFIG):
            return self._of_config() if subject == f"{camera}/{dataset}" else None
        here = (kind in HARDWARE | SYSTEM and name not in LOCATIONS) or name in {CONTAINER + camera, ENGINE + camera}
        return Part.ENVIRONMENT if here else None

    def _owner(self, package: str) -> Part | None:
        if self.place[0] in self.cameras and package in self.cameras[self.place[0]].packages:
            return Part.CAMERA
        return None if any(package in one.packages for one in self.cameras.values()) else Part.STACK

    def _of_config(self) -> Part:
        """Tell whose a configuration is: where others changed with it, or there are no others, it is shared by all."""
        both = [name for name in self.good.keys() & self.bad.keys() if name.startswith(CONFIG)]
        others = [name for name in both if not name.startswith(f"{CONFIG}{self.place[0]}/")]
        alone = bool(others) and all(self.good[name] == self.bad[name] for name in others)
        return Part.CAMERA if alone else Part.STACK
