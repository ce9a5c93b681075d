"""How a run stands to others: a child of one whose configuration was another, a repeat as of an earlier day."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from qa.errors import DocumentError
from qa.journal import read_record, runs_under
from qa.locations import AS_OF
from qa.provenance.lineage import parent_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from ci.settings import Settings
    from qa.model import Plan
    from qa.record import RunRecord

_MOST = 30


def with_lineage(plan: Plan, facts: Mapping[str, str], runs: Path, *, day: date | None) -> tuple[Plan, str]:
    """Return a plan that knows its parent and the day of its calibrations, and what there is to say of its parent."""
    parent, places = parent_of(plan, facts, islice(_earlier(runs), _MOST))
    line = f"the configuration of {', '.join(places)} changed since {parent}: this is a child of it" if parent else ""
    return replace(plan, parent=parent, calibrations_as_of=day), line


def _earlier(runs: Path) -> Iterator[RunRecord]:
    """Yield the runs of a folder, newest first; what is wrong with one is told when it is asked for."""
    for folder in reversed(runs_under(runs)):
        try:
            yield read_record(folder)
        except DocumentError:
            continue


def nights_around(folder: Path, record: RunRecord) -> Path:
    """Return the folder of the nights that a run is compared with: of one as of a day those it is kept apart from."""
    return folder.parent if record.plan.calibrations_as_of is None else folder.absolute().parents[2]


def settings_as_of(settings: Settings, day: date) -> Settings:
    """Return settings whose runs are those repeated as of a day: they belong to no history of nights."""
    return replace(settings, runs=settings.runs / AS_OF / day.isoformat())
