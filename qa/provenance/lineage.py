"""Whose child a run is: the last one of the same data sets, where their configuration changed since. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qa.model import Plan
    from qa.record import RunRecord

CONFIG = "config "


def parent_of(plan: Plan, facts: Mapping[str, str], earlier: Iterable[RunRecord]) -> tuple[str, tuple[str, ...]]:
    """Return the run that a plan repeats with another configuration, and the data sets whose configuration changed.

    Parameters
    ----------
    plan, facts
        What is going to run, and its provenance.
    earlier
        The runs before, newest first. The first of the plan's lane that shares a data set with it decides: a run is the
        child of that one or of none.

    Returns
    -------
    parent, places
        Name of the run, '' if there is none, and `camera/dataset` of each that changed.
    """
    places = dict.fromkeys(f"{step.camera}/{step.dataset}" for step in plan.steps)
    for record in earlier:
        shared = {f"{step.camera}/{step.dataset}" for step in record.plan.steps} & places.keys()
        if record.plan.lane is not plan.lane or not shared:
            continue
        changed = tuple(place for place in places if place in shared and _changed(place, record.provenance, facts))
        return (record.run_id if changed else ""), changed
    return "", ()


def _changed(place: str, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Tell whether it is known of both runs how a data set was processed, and it is not the same."""
    name = f"{CONFIG}{place}"
    return name in before and name in after and before[name] != after[name]
