"""From a command line to a bisect's plan and tools."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci.bisect.checkouts import Checkouts
from ci.bisect.evidence import folder_of
from ci.bisect.journal import FILE_NAME, TrialJournal
from ci.bisect.packages import Package, read_packages
from ci.bisect.plan import make_plan
from ci.bisect.runners import CommandRunner, ObsqaRunner
from ci.bisect.session import Tools
from ci.lanes import find_run
from qa.bisect.changed import OWN, OWN_REVISION, PREFIX
from qa.errors import RequestError
from qa.journal import read_record
from qa.locations import regression_data
from qa.provenance.facts import collect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ci.bisect.plan import BisectPlan, Wish
    from ci.bisect.runners import Runner
    from ci.settings import Settings


def plan_of(
    settings: Settings,
    ends: tuple[str, str],
    *,
    wish: Wish,
    file: Path | None,
    given: Sequence[str],
    command: Sequence[str],
) -> tuple[BisectPlan, dict[str, Package]]:
    """Read the two runs and the packages, and plan.

    Without a command obsqa itself is run: then small data sets may be tried first, and obsqa's own checkout is known.
    """
    if wish.by_exit_code and not command:
        msg = "--by-exit-code must come with a command whose exit code decides; put it at the end, after --"
        raise RequestError(msg)
    packages = read_packages(file, given)
    cameras = {}
    if not command:
        from ci.wiring import read_cameras  # noqa: PLC0415 - the registry, for obsqa's own runs only

        cameras = {camera.name: camera for camera in read_cameras(settings)[0]}
        packages = _own_checkout() | packages
    good, bad = (read_record(find_run(settings.runs, name)) for name in ends)
    return make_plan(good, bad, packages=packages, wish=wish, cameras=cameras), packages


@contextmanager
def open_session(
    settings: Settings,
    plan: BisectPlan,
    packages: Mapping[str, Package],
    *,
    command: tuple[str, ...],
    wish: Wish,
    timeout: float | None,
    keep: bool,
    retry: bool,
) -> Iterator[Tools]:
    """Open the folder of a bisect; one process at a time may."""
    folder = folder_of(settings.runs, plan.good, plan.bad)
    runner: Runner = ObsqaRunner(settings, _kept_facts(plan), timeout)
    if command:
        runner = CommandRunner(_from_here(command), by_exit_code=wish.by_exit_code, timeout=timeout)
    checkouts = Checkouts((folder / "checkouts").resolve(), packages, timeout)
    with TrialJournal(folder / FILE_NAME) as journal:
        if retry:
            journal.forget_skipped()
            checkouts.forget_failures()
        yield Tools(
            packages=packages,
            runner=runner,
            checkouts=checkouts,
            journal=journal,
            folder=folder,
            clock=lambda: datetime.now(UTC),
            say=lambda text: click.echo(text, err=True),
            keep=keep,
        )


def _kept_facts(plan: BisectPlan) -> dict[str, str]:
    """Return the facts of this machine that every trial shares: all but those of packages that are checked out."""
    exchanged = {*plan.fixed, *(one.package for one in plan.changed)}
    names = {f"{PREFIX}{name}" for name in exchanged} | ({OWN_REVISION} if OWN in exchanged else set())
    return {name: fact for name, fact in collect().items() if name not in names}


def _from_here(command: tuple[str, ...]) -> tuple[str, ...]:
    """Name the files of a command by their full paths: each trial runs in a folder of its own."""
    return tuple(str(Path(part).resolve()) if Path(part).is_file() else part for part in command)


def _own_checkout() -> dict[str, Package]:
    """Return obsqa's own repository, where it runs from a checkout."""
    top = regression_data().parent
    return {"obsqa": Package(repository=top)} if (top / ".git").exists() else {}
