"""A night's budget of hours: what earlier runs took, and which of them tonight may continue."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from qa.errors import DocumentError
from qa.journal import read_record, runs_under
from qa.model import Lane
from qa.planning.budget import Hours, within_budget
from qa.planning.estimate import RECENT, experience

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci.lanes import Context
    from qa.model import Plan
    from qa.record import RunRecord

MOST_RUNS = 40
"""How many of the last runs are asked what their steps took."""

CONTINUED_WITHIN = timedelta(days=1)
"""A night with a budget that was cut off is continued within this time of its plan: then other cameras are due."""


def budgeted(context: Context, plan: Plan) -> Plan:
    """Keep of a plan what the night's budget has room for, and add what becomes of the weekly promises.

    Only nights promise anything; a shorter run is asked for its hours where it has a budget.
    """
    if plan.lane is not Lane.NIGHTLY and context.budget_hours is None:
        return plan
    return within_budget(
        plan,
        context.cameras,
        hours=Hours(context.budget_hours, context.jobs),
        known=experience(_runs(context, plan)),
        last_coadds=context.store.last_coadds() if context.store else {},
    )


def same_night(context: Context, old: Plan, new: Plan) -> bool:
    """Tell whether a run that was cut off is the one that is asked for now.

    With a budget it is so for a day, whatever would be chosen by now.
    """
    if old.lane is not new.lane or old.budget_hours != new.budget_hours:
        return False
    if old.budget_hours is None:
        return set(old.steps) == set(new.steps)
    known = {(camera.name, dataset.name) for camera in context.cameras for dataset in camera.datasets}
    wanted = all(not context.asked or camera in context.asked for camera in old.cameras)
    there = all((step.camera, step.dataset) in known for step in old.steps)
    return wanted and there and new.created - old.created < CONTINUED_WITHIN


def _runs(context: Context, plan: Plan) -> Iterator[RunRecord]:
    """Yield runs of the plan's lane that can be read, latest first, until enough is known of each data set."""
    wanted = dict.fromkeys(((step.camera, step.dataset) for step in plan.steps), RECENT)
    for run in reversed(runs_under(context.settings.runs)[-MOST_RUNS:]):
        try:
            record = read_record(run)
        except DocumentError:  # told when that night is judged with
            continue
        if record.plan.lane is not plan.lane:
            continue
        yield record
        for key in [key for key in wanted if key in record.measured]:
            wanted[key] -= 1
        if max(wanted.values(), default=0) <= 0:
            return
