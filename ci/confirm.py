"""Confirmation by an immediate rerun: data sets that would fail are processed a second time, within the run's folder.

The second processing is a run of its own in `<run>/rerun`, with the same engine, data and software. Judging a run again
uses what is there and processes nothing.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ci.lanes import run_steps
from qa.errors import ObsqaError
from qa.journal import FILE_NAME, Journal, read_record
from qa.model import Stage
from qa.record import RunStarted
from reports.wording import duration

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from ci.lanes import Context
    from qa.record import Measured, RunRecord

FOLDER = "rerun"
Place = tuple[str, str]
"""A camera and its data set."""


def rerun(
    context: Context, folder: Path, record: RunRecord, *, wanted: Collection[Place], process: bool
) -> dict[Place, Measured]:
    """Return what the wanted data sets of a run gave when they were processed a second time.

    Without `process` only what was processed before is returned. A second processing that fails, or that the budget has
    no time left for, costs a line, and its data set is not in the answer: nothing is confirmed, and nothing is called
    noise.
    """
    again = folder / FOLDER
    if process and (affordable := tuple(_in_time(context, record, wanted))):
        try:
            _process(context, again, record, affordable)
        except ObsqaError as error:
            context.console.say(f"warning: the rerun of {folder.name} failed, nothing is confirmed: {error}")
    if not (again / FILE_NAME).is_file():
        return {}
    second = read_record(again)
    return {key: measured for key, measured in second.measured.items() if key in wanted}


def _in_time(context: Context, record: RunRecord, wanted: Collection[Place]) -> Iterator[Place]:
    """Yield the data sets that there is time for, by what they took the first time one after the other."""
    left = math.inf if context.ends is None else (context.ends - context.clock()).total_seconds()
    for camera, dataset in sorted(wanted):
        of = (one for one in record.outcomes.values() if (one.step.camera, one.step.dataset) == (camera, dataset))
        takes = math.fsum(one.wall_seconds for one in of)
        if takes <= left:
            left -= takes
            yield camera, dataset
        else:
            context.console.say(
                f"{camera}/{dataset} is not processed a second time, its verdicts stand as they are: "
                f"it took {duration(takes)}, and of the budget {duration(max(left, 0.0))} are left"
            )


def _process(context: Context, again: Path, record: RunRecord, wanted: Collection[Place]) -> None:
    """Carry out the steps of the wanted data sets once; a rerun that was cut off is continued."""
    steps = tuple(step for step in record.plan.steps if (step.camera, step.dataset) in wanted)
    names = ", ".join(dict.fromkeys(step.camera for step in steps if step.stage is Stage.MEASURE))
    context.console.say(f"processing {names} a second time: what does not repeat is noise")
    if not (again / FILE_NAME).is_file():
        plan = replace(record.plan, run_id=f"{record.run_id}/{FOLDER}", steps=steps, not_run=())
        with Journal(again / FILE_NAME, context.clock) as journal:
            journal.append(RunStarted(plan, context.provenance))
    run_steps(context, again)
