"""Which cameras does a commit to a package touch? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_registry.lease import state_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from obs_registry.model import Camera


def touched(cameras: Iterable[Camera], packages: Iterable[str], *, today: date) -> tuple[Camera, ...]:
    """Choose the cameras that commits to `packages` concern, in registry order.

    A camera's own package, and what it watches, concerns the cameras that name it and no others, as long as they run.
    Any other package is common to all: it concerns every camera whose verdict counts. A package that only retired or
    proposed cameras name concerns none.

    Parameters
    ----------
    cameras
        The cameras of the registry.
    packages
        Names (`obs_subaru`), GitHub names (`lsst/obs_subaru`) or repository addresses.
    today
        The day on which leases are judged.
    """
    known = tuple(cameras)
    changed = {short_name(package) for package in packages}
    common = changed - {name for camera in known for name in packages_of(camera)}

    def concerned(camera: Camera) -> bool:
        state = state_of(camera, today)
        return (state.runs and not changed.isdisjoint(packages_of(camera))) or (state.gates and bool(common))

    return tuple(camera for camera in known if concerned(camera))


def packages_of(camera: Camera) -> frozenset[str]:
    """Return the short names of the packages that concern only this camera: its own one and what it watches."""
    package = camera.package
    return frozenset(map(short_name, (package.name, package.repository, *package.watches)))


def short_name(package: str) -> str:
    """Return what a package is called without owner, address or ending, in lower case."""
    return package.strip().rstrip("/").removesuffix(".git").rpartition("/")[2].lower()
