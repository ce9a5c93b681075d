"""From pytest's items to an order of them, and to what the run behind them has to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ci.commit_changes import concerns
from ci.suite.past import past_of
from ci.suite.targets import stages_by_camera
from qa.planning.commit import CHECK_SECONDS, Candidate, arrange, risk
from reports.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pytest

    from ci.suite.past import Past
    from ci.suite.request import Request
    from ci.suite.targets import Target
    from obs_registry.model import Camera
    from qa.model import Stage

JUDGED_SECONDS, TIMED_SECONDS = 0.01, 3.0
"""What it takes to look at a verdict, and to time an algorithm (s)."""


@dataclass(frozen=True, slots=True)
class Arranged:
    """Checks in order and those left out, the last stage that each camera is taken to, and the time expected (s)."""

    order: list[pytest.Item]
    dropped: list[pytest.Item]
    needs: dict[str, Stage | None]
    cameras_left_out: dict[str, str]
    seconds: float


def arranged(items: Sequence[pytest.Item], cameras: Iterable[Camera], request: Request) -> Arranged:
    """Put checks in the order in which they find most failures per second, and leave out what does not fit."""
    past = past_of(request.settings.runs)
    by_id = {item.nodeid: item for item in items}
    found = arrange(
        [_candidate(item, past, request) for item in items],
        stages=stages_by_camera(cameras),
        stage_seconds=past.stage_seconds(),
        budget=request.budget,
    )
    order = [by_id[key] for key in found.order]
    dropped = [by_id[key] for key in found.left_out]
    needs = _needs(order)
    gone = dict.fromkeys(name for item in dropped if (name := _target(item).camera.name) not in needs)
    why = f"does not fit the budget of {duration(request.budget)}" if request.budget else ""
    return Arranged(order, dropped, needs, dict.fromkeys(gone, why), found.seconds)


def _candidate(item: pytest.Item, past: Past, request: Request) -> Candidate:
    target = _target(item)
    key = (target.camera.name, target.check)
    named = not target.words.isdisjoint(request.changes.words)
    concerned = named or concerns(target.camera, request.changes.packages)
    default = TIMED_SECONDS if target.task else JUDGED_SECONDS if target.series else CHECK_SECONDS
    return Candidate(
        key=item.nodeid,
        camera=target.camera.name,
        needs=target.needs,
        seconds=past.check_seconds(*key, default=default),
        risk=risk(past.failed.get(key, ()), concerned=concerned),
        bundle="metrics" if target.series else "",
    )


def _needs(items: Iterable[pytest.Item]) -> dict[str, Stage | None]:
    """Return the last stage that the checks of each camera read."""
    from qa.model import Stage  # noqa: PLC0415 - typing only elsewhere

    order = [None, *Stage]
    found: dict[str, Stage | None] = {}
    for item in items:
        target = _target(item)
        found[target.camera.name] = max(found.get(target.camera.name), target.needs, key=order.index)
    return found


def _target(item: pytest.Item) -> Target:
    target: Target = item.callspec.params["target"]  # type: ignore[attr-defined]  # of functions with parameters
    return target
