"""Worst first: the one order of verdicts, cameras and comparisons that every page, table and file follows."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from qa.checks import CheckStatus
from qa.model import Change, Level, Measurement, Stage, Status, StepStatus, Unmeasured
from reports.night import RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from qa.checks import CheckOutcome
    from qa.model import Comparison, Scope
    from reports.night import CameraNight


class Verdict(StrEnum):
    """What is said of a camera or a night, worst first. INCOMPLETE: nothing failed, but something is not known."""

    FAIL = "fail"
    ERROR = "error"
    INCOMPLETE = "incomplete"
    WARN = "warn"
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    NOT_RUN = "not-run"


_VERDICTS = list(Verdict)
_STATUS = [Status.FAIL, Status.WARN, Status.PASS]
_CHANGE = [Change.STEP, Change.MISSING, Change.DRIFT, Change.NEW, Change.STEADY, Change.IMPROVED]
_LEVEL = [Level.BELOW_MINIMUM, Level.MINIMUM, Level.DESIGN, Level.STRETCH, Level.NOT_APPLICABLE]
_CHECKED = {CheckStatus.FAILED: Verdict.FAIL, CheckStatus.ERROR: Verdict.ERROR, CheckStatus.NOT_RUN: Verdict.INCOMPLETE}
_EXIT = {0: Verdict.PASS, 1: Verdict.FAIL, 3: Verdict.ERROR, 4: Verdict.INCOMPLETE, 130: Verdict.INCOMPLETE}


def by_badness(comparison: Comparison) -> tuple[int, int, int, float, str, str]:
    """Return the key that sorts comparisons worst first; ties are broken by name, so that the order is total."""
    return (
        _STATUS.index(comparison.status),
        _CHANGE.index(comparison.change),
        _LEVEL.index(comparison.level),
        -(comparison.sigma or 0.0),
        comparison.metric,
        str(comparison.scope),
    )


def band_rank(band: str | None) -> tuple[int, str]:
    """Return the key that sorts bands from blue to red, unknown ones last."""
    known = "ugrizy"
    return (known.index(band) if band and band in known else len(known), band or "")


def by_scope(scope: Scope) -> tuple[str, str, tuple[int, str], int, str]:
    """Return the key that sorts scopes by camera, data set, band, tract and task."""
    return (scope.camera, scope.dataset, band_rank(scope.band), scope.tract or 0, scope.task or "")


def worst_first(comparisons: Iterable[Comparison]) -> tuple[Comparison, ...]:
    """Sort comparisons worst first."""
    return tuple(sorted(comparisons, key=by_badness))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of some verdicts; of none, that nothing ran."""
    return min(verdicts, key=_VERDICTS.index, default=Verdict.NOT_RUN)


def verdict_rank(verdict: Verdict) -> int:
    """Return a number that grows as verdicts get better."""
    return _VERDICTS.index(verdict)


def cell_verdict(comparison: Comparison) -> Verdict:
    """Say a comparison's verdict, where an accepted absence is neither good nor bad."""
    if comparison.status is Status.PASS and isinstance(comparison.result, Unmeasured):
        return Verdict.NOT_RUN
    return Verdict(comparison.status.value)


def camera_verdict(
    camera: CameraNight, comparisons: Sequence[Comparison], checks: Sequence[CheckOutcome] = ()
) -> Verdict:
    """Judge a camera: a regression weighs more than a crash, and a camera that ran unmeasured never passes.

    It does where it was only to be checked.
    """
    if camera.status is RunStatus.NOT_RUN:
        return Verdict.NOT_RUN
    found = {Verdict(comparison.status.value) for comparison in comparisons}
    if camera.status is RunStatus.FAILED:
        found.add(Verdict.ERROR)
    elif checks and not any(step.step.stage is Stage.MEASURE for step in camera.steps):
        found.add(Verdict.PASS)
    elif not any(isinstance(comparison.result, Measurement) for comparison in comparisons):
        found.add(Verdict.INCOMPLETE)
    found |= {_CHECKED[check.status] for check in checks if check.status in _CHECKED}
    if camera.caveats or any(step.status is StepStatus.CAVEATS for step in camera.steps):
        found.add(Verdict.WARN)
    return worst(found)


def night_verdict(cameras: Iterable[Verdict], exit_code: int) -> Verdict:
    """Judge a night: the worst of its cameras and of its exit code. A night in which nothing ran is never green."""
    ran = [verdict for verdict in cameras if verdict is not Verdict.NOT_RUN]
    return worst([*(ran or [Verdict.INCOMPLETE]), _EXIT.get(exit_code, Verdict.ERROR)])
