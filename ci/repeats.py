"""A lane run several times over with nothing changed in between."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ci.lanes import open_run, run_steps
from qa.model import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ci.lanes import Context
    from qa.model import Lane
    from qa.record import RunRecord

FOLDER = "noise"
"""Where the repeats are, in the folder of runs; they belong to no history."""


@contextmanager
def repeated(context: Context, *, lane: Lane, times: int) -> Iterator[list[RunRecord]]:
    """Run a lane `times` times and give the records; the runs are removed when what is done with them is done.

    When it is not, because something failed or the user interrupted, they are kept, and where they are is said.
    """
    settings = replace(context.settings, runs=context.settings.runs / FOLDER)
    apart = replace(context, settings=settings, store=None)
    folders: list[Path] = []
    try:
        records = []
        with context.console:
            for number in range(1, times + 1):
                context.console.say(f"repeat {number} of {times}")
                folders.append(open_run(apart, lane=lane, trigger=Trigger(kind="noise"), fresh=True))
                records.append(run_steps(apart, folders[-1]))
        yield records
    except BaseException:
        if folders:
            context.console.say(f"the repeats are kept in {settings.runs}: {', '.join(one.name for one in folders)}")
        raise
    for folder in folders:
        shutil.rmtree(folder)
