"""The finding of a camera that was not measured on coadds within a week. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.judging.findings import UNMEASURED, Seen
from qa.model import Scope, Status

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from qa.model import Promise
    from qa.record import RunRecord


def unmeasured(record: RunRecord, now: datetime, *, out: Collection[str] = ()) -> Iterator[Seen]:
    """Yield a finding for each sponsored camera whose week was over, or that never was measured, when a run ended.

    It warns: what failed tonight fails the night by itself, and hours that are too few are no fault of any camera. Of a
    camera that never was measured and is in `out`, because it did not come through tonight, that is told already.
    """
    for one in record.plan.promises:
        late = one.camera not in out if one.due is None else one.due < now
        if late and not _measured(record, one):
            # The series is the camera's own, whatever its data sets: the finding is the same every night.
            series = Scope(one.camera, "coadds" if one.coadds else "suites")
            yield Seen(UNMEASURED, series, UNMEASURED, UNMEASURED, Status.WARN, _sentence(one))


def _measured(record: RunRecord, one: Promise) -> bool:
    if one.coadds:
        return record.coadds_measured(one.camera) is not None
    return one.camera in record.plan.cameras and record.completed(one.camera)


def _sentence(one: Promise) -> str:
    since = "never was" if one.last is None else f"was not since {one.last:%Y-%m-%d %H:%M} UTC"
    what = "camera must be measured on coadds" if one.coadds else "service must run to its end"
    why = one.reason or "it was planned for tonight and did not come through"
    return f"A sponsored {what} within 7 days; this one {since}: {why}."
