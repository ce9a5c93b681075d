"""What a session is asked for, from its options to cameras and changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ci.commit_changes import Changes, changes_since
from ci.settings import Settings
from ci.wiring import read_cameras
from obs_registry.select import touched
from qa.errors import RequestError

if TYPE_CHECKING:
    from argparse import Namespace
    from datetime import date

    from obs_registry.model import Camera


@dataclass(frozen=True, slots=True)
class Request:
    """The cameras chosen (None for all that run), what changed, and how much time there is (s)."""

    settings: Settings
    cameras: tuple[str, ...] | None
    changes: Changes
    budget: float | None
    jobs: int | None
    fresh: bool

    @property
    def nothing(self) -> bool:
        """Tell whether no camera is concerned."""
        return self.cameras == ()


def request_of(option: Namespace, *, today: date) -> Request:
    """Read the options of a session; leases are judged on `today`.

    Raises
    ------
    UnknownNameError
        If a camera does not exist.
    RequestError
        If another option is wrong.
    """
    settings = Settings.from_environment().override(
        runs=Path(option.obsqa_runs) if option.obsqa_runs else None, registry=tuple(map(Path, option.obsqa_registry))
    )
    asked = tuple(dict.fromkeys(option.obsqa_camera))
    known, _ = read_cameras(settings, asked)
    since = changes_since(option.obsqa_base, Path.cwd(), known) if option.obsqa_base else Changes()
    packages = tuple(dict.fromkeys((*option.obsqa_changed, *since.packages)))
    narrowed = bool(option.obsqa_changed or option.obsqa_base)
    concerned = _concerned(known, packages, today=today) if narrowed else None
    return Request(
        settings=settings,
        cameras=_chosen(asked, concerned),
        changes=Changes(packages, since.words),
        budget=_seconds(option.obsqa_budget) if option.obsqa_budget else None,
        jobs=option.obsqa_jobs,
        fresh=option.obsqa_new,
    )


def _concerned(known: list[Camera], packages: tuple[str, ...], *, today: date) -> tuple[str, ...]:
    """Return the cameras that changes concern."""
    return tuple(camera.name for camera in touched(known, packages, today=today)) if packages else ()


def _chosen(asked: tuple[str, ...], concerned: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return the cameras that were asked for and are concerned, where either is said; None for all that run."""
    if concerned is None:
        return asked or None
    return tuple(name for name in asked if name in concerned) if asked else tuple(dict.fromkeys(concerned))


def _seconds(span: str) -> float:
    import click  # noqa: PLC0415 - only where there is a budget

    from ci.options import DURATION  # noqa: PLC0415

    try:
        return float(DURATION.convert(span, None, None))
    except click.BadParameter as error:
        msg = f"--budget {error.message}"
        raise RequestError(msg) from None
