"""The installed packages that obsqa needs, found by what each says it requires; nothing is downloaded."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

from qa.errors import InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXTRAS = ("pipeline",)
"""What of obsqa goes into an image: it processes there, and talks to no server."""


class MissingPackageError(InfrastructureError):
    """A package that obsqa needs is not installed here."""

    def __init__(self, name: str, wanted_by: str) -> None:
        self.name, self.wanted_by = name, wanted_by
        what = "an image holds what is installed here"
        super().__init__(f"{what}: {wanted_by} needs {name}, which is not; run: pip install 'obsqa[pipeline]'")


def needed(name: str = "obsqa", extras: Iterable[str] = EXTRAS) -> dict[str, metadata.Distribution]:
    """Return a package and all that it needs with some of its extras, by normal name, in order.

    Raises
    ------
    MissingPackageError
        If one of them is not installed.
    """
    found: dict[str, metadata.Distribution] = {}
    seen: dict[str, set[str]] = {}
    waiting = [(normal(name), frozenset(extras), "this")]
    while waiting:
        wanted, more, by = waiting.pop()
        if wanted in seen and more <= seen[wanted]:
            continue
        seen.setdefault(wanted, set()).update(more)
        found[wanted] = found.get(wanted) or _distribution(wanted, by)
        waiting += ((one, inner, wanted) for one, inner in _requires(found[wanted], seen[wanted]))
    return dict(sorted(found.items()))


def normal(name: str) -> str:
    """Return the name of a package as indexes compare it."""
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - of the extra `container`

    return str(canonicalize_name(name))


def _distribution(name: str, wanted_by: str) -> metadata.Distribution:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise MissingPackageError(name, wanted_by) from None


def _requires(distribution: metadata.Distribution, extras: set[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield what a package needs here, with the extras of that."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - of the extra `container`

    for text in distribution.requires or ():
        one = Requirement(text)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield normal(one.name), frozenset(one.extras)
