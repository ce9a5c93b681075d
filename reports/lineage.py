"""How a run stands to others, in sentences, and the command that reruns one of its values."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from qa.locations import AS_OF
from qa.model import Lane

if TYPE_CHECKING:
    from reports.night import Night
    from reports.rows import Row


def lineage(night: Night) -> tuple[str, ...]:
    """Return what sets a run apart from a night like others: its parent, the day of its calibrations."""
    plan, said = night.plan, []
    if plan.parent:
        said.append(
            f"A child of {plan.parent}: the configuration changed since; "
            f"obsqa diff {plan.parent} {plan.run_id} shows what that did."
        )
    if plan.calibrations_as_of is not None:
        said.append(
            f"Repeated with the calibrations that would have been used on {plan.calibrations_as_of}; "
            "it belongs to no history of nights."
        )
    return tuple(said)


def reproduce_command(row: Row, night: Night) -> str:
    """Return the command that reruns a value elsewhere; '' of values that were not measured here."""
    if row.measured is None or night.plan.lane is Lane.IMPORTED:
        return ""
    scope = row.comparison.scope
    chosen = (("--band", scope.band), ("--dataset", scope.dataset), ("--task", scope.task))
    options = [part for name, value in chosen if value is not None for part in (name, value)]
    day = night.plan.calibrations_as_of
    run = night.plan.run_id if day is None else f"{AS_OF}/{day}/{night.plan.run_id}"
    return shlex.join(["obsqa", "reproduce", run, scope.camera, row.comparison.metric, *options])
