"""The sentence a night is summed up in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qa.checks import in_short
from qa.model import Change, Level, Measurement, Status
from reports.checks import bad
from reports.night import RunStatus
from reports.order import Verdict, verdict_rank, worst_first
from reports.wording import listing, number, plural, quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from qa.checks import CheckOutcome
    from qa.model import Comparison
    from reports.incidents import IncidentView
    from reports.night import CameraNight, Night

_LENGTH = 140
# All but the last two parts of a path: the reason that follows matters more.
_LONG_PATH = re.compile(r"(?:/[^/\s:;,]+)+/([^/\s:;,]+/[^/\s:;,]+)")
_NAMED = 3


def headline(night: Night, verdicts: Mapping[str, Verdict], incidents: Sequence[IncidentView] = ()) -> str:
    """Say how many cameras pass and why the worst does not: one incident rather than what it moved."""
    planned = [camera for camera in night.cameras if camera.status is not RunStatus.NOT_RUN]
    if not planned:
        return "Nothing ran tonight: no camera was measured."
    passing = [camera for camera in planned if verdicts[camera.name] in {Verdict.PASS, Verdict.WARN}]
    warned = [camera for camera in passing if verdicts[camera.name] is Verdict.WARN]
    troubled = sorted(
        (camera for camera in planned if camera not in passing), key=lambda one: verdict_rank(verdicts[one.name])
    )
    opening = _opening(len(passing), len(planned), planned[0].title)
    if incidents and incidents[0].verdict is Verdict.FAIL:
        return f"{opening}. {_incident(incidents)}"
    if troubled:
        return f"{opening}; {_trouble(troubled, night, verdicts)}."
    if not warned:
        return f"{opening}."
    return f"{opening}, {'with' if len(planned) == 1 else plural(len(warned), 'camera') + ' with'} warnings."


def _incident(incidents: Sequence[IncidentView]) -> str:
    """Give the worst incident its own sentence and count the others."""
    more = f", and {plural(len(incidents) - 1, 'other incident')}" if len(incidents) > 1 else ""
    return f"{incidents[0].headline}{more}."


def _opening(passing: int, planned: int, only: str) -> str:
    if planned == 1:
        return f"{only} passes" if passing else f"{only} was the only camera to run"
    if passing == planned:
        return f"All {planned} cameras pass"
    return f"{passing or 'None'} of {planned} cameras {'passes' if passing == 1 else 'pass'}"


def _trouble(cameras: Sequence[CameraNight], night: Night, verdicts: Mapping[str, Verdict]) -> str:
    """Give the first camera its reason and the others their name."""
    first = f"{cameras[0].title} {_predicate(cameras[0], night, verdicts[cameras[0].name])}"
    rest = [camera.title for camera in cameras[1:]]
    if not rest:
        return first
    who = listing(rest) if len(rest) <= _NAMED else f"{len(rest)} others"
    return f"{first}; {who} {'does' if len(rest) == 1 else 'do'} not pass either"


def _predicate(camera: CameraNight, night: Night, verdict: Verdict) -> str:
    wrong = bad(one for one in night.checks if one.camera == camera.name)
    if wrong and camera.status is RunStatus.RAN:
        return f"fails the check {_shortened(wrong_of(wrong))}"
    if verdict is Verdict.ERROR:
        return f"did not finish: {_shortened(camera.reason or 'no reason was given')}"
    if verdict is Verdict.INCOMPLETE:
        return "ran and was not measured"
    failing = [one for one in night.comparisons if one.scope.camera == camera.name and one.status is Status.FAIL]
    return f"fails: {told_of(failing)}"


def wrong_of(checks: Sequence[CheckOutcome]) -> str:
    """Say what is wrong with the first of some checks and count the others."""
    return in_short(checks[0]).rstrip(".") + (f", and {len(checks) - 1} more" if len(checks) > 1 else "")


def told_of(comparisons: Iterable[Comparison]) -> str:
    """Say what is wrong with the worst of some metrics and count the others."""
    first, *others = worst_first(comparisons)
    return told(first) + (f", and {len(others)} more" if others else "")


def _shortened(text: str) -> str:
    """Cut a reason at its first sentence and to a length a headline can bear."""
    first = _LONG_PATH.sub("\u2026/\\1", text.split(". ", 1)[0].strip().rstrip("."))
    return first if len(first) <= _LENGTH else first[:_LENGTH].rsplit(" ", 1)[0] + "\u2026"


def told(comparison: Comparison) -> str:
    """Say in a few words what is wrong with one metric: `PA1 in r stepped from 5.1 to 8.4 mmag`."""
    scope, result, baseline = comparison.scope, comparison.result, comparison.baseline
    name = " ".join(
        filter(
            None,
            (
                comparison.metric.replace("_", " "),
                f"in {scope.band}" if scope.band else "",
                f"of {scope.task}" if scope.task else "",
            ),
        )
    )
    if not isinstance(result, Measurement):
        return f"{name} is missing" if comparison.change is Change.MISSING else f"{name} could not be measured"
    now = quantity(result.value, result.unit, result.stderr)
    if baseline is not None and comparison.change in {Change.STEP, Change.DRIFT}:
        verb = "stepped" if comparison.change is Change.STEP else "drifted"
        return f"{name} {verb} from {number(baseline.value, baseline.stderr)} to {now}"
    if comparison.level is Level.BELOW_MINIMUM and comparison.ladder is not None:
        return (
            f"{name} is {now}, worse than the minimum of {quantity(comparison.ladder.minimum, comparison.ladder.unit)}"
        )
    return f"{name} is {now}"
