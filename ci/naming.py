"""What a run is called, and that no other is called so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qa.lines import RunFolderError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from qa.model import Plan

RUN_ID = "%Y%m%dT%H%M%SZ"
"""How a run's id begins: with the time at which it was planned, which findings carry as well."""


def new_run_id(runs: Path, now: datetime, *, tag: str = "") -> str:
    """Return an id that no run has: the time, the tag where histories are shared, and a number where that is taken."""
    base = "-".join(part for part in (now.strftime(RUN_ID), tag) if part)
    taken = {folder.name for folder in runs.iterdir()} if runs.is_dir() else set()
    return next(name for number in range(10_000) if (name := f"{base}-{number}" if number else base) not in taken)


def claimed(runs: Path, plan: Plan, *, tag: str = "") -> Plan:
    """Make a run's folder, and return its plan with the id it got: another night may have taken it a moment ago.

    Raises
    ------
    RunFolderError
        If it cannot be made.
    """
    while True:
        try:
            (runs / plan.run_id).mkdir(parents=True)
        except FileExistsError:
            plan = replace(plan, run_id=new_run_id(runs, plan.created, tag=tag))
        except OSError as error:
            raise RunFolderError(runs / plan.run_id, error.strerror or str(error)) from error
        else:
            return plan
