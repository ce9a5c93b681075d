"""Which packages changed between two runs, read from the facts of their provenance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "package "
OWN, OWN_REVISION = "obsqa", "revision"
"""obsqa's own package, and the fact that holds the revision of its checkout: it says more than the version."""

DIRTY = "-dirty"
"""What follows the commit of a checkout with uncommitted changes; a digest of these may follow it in turn."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A package and its revisions (git SHAs, or versions) in the good and the bad run.

    `dirty` names the runs, `good` or `bad`, in which it had changes that no commit holds and no trial can repeat.
    """

    package: str
    good: str
    bad: str
    dirty: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """How two runs differ: packages that can be exchanged, packages of one run only, and everything else by name.

    `same` are the packages that do not, with their revisions.
    """

    packages: tuple[Changed, ...]
    one_sided: tuple[str, ...]
    others: tuple[str, ...]
    same: Mapping[str, str]


def changed_packages(good: Mapping[str, str], bad: Mapping[str, str]) -> Difference:
    """Compare the facts of two runs; packages in alphabetical order.

    A package that only had uncommitted changes in one of the runs is not among those that can be exchanged.
    """
    packages_good, packages_bad = _packages(good), _packages(bad)
    both = sorted(packages_good.keys() & packages_bad.keys())
    pairs = [_changed(name, packages_good[name], packages_bad[name]) for name in both]
    names = sorted(name for name in good.keys() | bad.keys() if not _is_package(name))
    others = [name for name in names if good.get(name) != bad.get(name)]
    return Difference(
        packages=tuple(pair for pair in pairs if pair.good != pair.bad),
        one_sided=tuple(sorted(packages_good.keys() ^ packages_bad.keys())),
        others=(*(f"uncommitted changes of {pair.package}" for pair in pairs if pair.dirty), *others),
        same={pair.package: pair.good for pair in pairs if pair.good == pair.bad},
    )


def _packages(facts: Mapping[str, str]) -> dict[str, str]:
    named = {name.removeprefix(PREFIX): value for name, value in facts.items() if name.startswith(PREFIX)}
    return named | ({OWN: facts[OWN_REVISION]} if OWN_REVISION in facts else {})


def _is_package(name: str) -> bool:
    return name.startswith(PREFIX) or name == OWN_REVISION


def _changed(name: str, good: str, bad: str) -> Changed:
    dirty = tuple(run for run, value in (("good", good), ("bad", bad)) if DIRTY in value)
    return Changed(name, good.partition(DIRTY)[0], bad.partition(DIRTY)[0], dirty)
