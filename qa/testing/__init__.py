"""Builders and fakes for tests, of obsqa's own and of camera packages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from obs_registry.model import Camera, Instrument, Lane, Lease, Package, Sponsor, Twin
from qa.judging.epochs import epoch_of, is_resource
from qa.model import HistoryPoint, Measurement, Plan, Scope, Stage, Step, StepOutcome, StepStatus, Trigger, Unmeasured
from qa.model import Lane as RunLane
from qa.record import Measured, RunRecord
from qa.stores.base import RunTakenError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qa.model import Result
    from qa.stores.base import Remembered, Series

NOW = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
"""The moment at which the builders' world stands still."""


def a_camera(
    name: str = "testcam",
    *,
    bands: tuple[str, ...] = ("r",),
    until: date = date(2027, 3, 1),
    retired: date | None = None,
    datasets: bool = True,
) -> Camera:
    """Build a sponsored camera with a nightly and a commit data set."""
    sky = {"nightly": name, "commit": f"{name}-quick"}
    made = tuple(
        Twin(name=label, kind="twin", lane=lane, sky=sky[lane.value], bands=bands)
        for label, lane in (("twin", Lane.NIGHTLY), ("twin-quick", Lane.COMMIT))
    )
    return Camera(
        name=name,
        title=name.title(),
        package=Package(name=f"obs_{name}", repository=f"https://example.org/obs_{name}"),
        sponsor=Sponsor(team="the test team", contact="team@example.org", deputy="deputy@example.org"),
        lease=Lease(granted=date(2026, 1, 1), until=until),
        retired=retired,
        instrument=Instrument(
            name=name.upper(),
            detectors=4,
            detector_size=(2048, 4096),
            pixel_um=10.0,
            plate_scale=20.0,
            pixel_scale=0.2,
            filters={f"{band}_1": band for band in ("g", "r", "i")},
        ),
        datasets=made if datasets else (),
    )


def a_measurement(value: float = 5.0, *, metric: str = "PA1", band: str = "r", camera: str = "testcam") -> Measurement:
    """Build a measurement of 100 stars with a tenth of its value as standard error."""
    return Measurement(metric, Scope(camera, "twin", band, 0), value, "mmag", 100, abs(value) / 10)


def a_record(run_id: str = "a", *, value: float = 5.0, day: int = 0) -> RunRecord:
    """Build the record of a finished run with a value, a bare value and an absence."""
    when = NOW + timedelta(days=day)
    steps = tuple(Step("testcam", "twin", stage) for stage in Stage)
    bare = Measurement("cpu_per_megapixel", Scope("testcam", "twin", task="isr"), 20.0, "ms", 1)
    absent = Unmeasured("AM3", Scope("testcam", "twin", "r", 0), "the field is too small")
    return RunRecord(
        plan=Plan(run_id, RunLane.NIGHTLY, Trigger(), when, steps),
        provenance={},
        started=when,
        finished=when,
        exit_code=0,
        outcomes={step.key: StepOutcome(step, StepStatus.DONE, 1.0, 1.0, 1.0) for step in steps},
        measured={("testcam", "twin"): Measured("testcam", "twin", (a_measurement(value), bare, absent))},
        measured_at={("testcam", "twin"): when},
    )


class Clock:
    """A clock that moves on by a second each time it is read."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def __call__(self) -> datetime:
        """Return the time, a second later than the last."""
        self._now += timedelta(seconds=1)
        return self._now


@dataclass(slots=True)
class MemoryStore:
    """A store that forgets: the test form of `qa.store.Store`."""

    records: dict[str, RunRecord] = field(default_factory=dict)
    remembered: dict[Series, Remembered] = field(default_factory=dict)

    def save(self, record: RunRecord) -> None:
        """Keep a run, unless another one has its id."""
        known = self.records.get(record.run_id)
        if known is not None and known.started != record.started:
            name = "in memory"
            raise RunTakenError(name, record.run_id, record.started)
        self.records[record.run_id] = record

    def history(
        self, *, camera: str | None = None, metric: str | None = None, after: datetime | None = None
    ) -> Mapping[Series, list[HistoryPoint]]:
        """Return series, each oldest first, of runs started after a time."""
        series: dict[Series, list[HistoryPoint]] = {}
        for record in sorted(self.records.values(), key=lambda one: (one.started, one.run_id)):
            for result in record.results if after is None or record.started > after else ():
                if camera in {None, result.scope.camera} and metric in {None, result.metric}:
                    series.setdefault((result.metric, result.scope), []).append(_point(record, result))
        return series

    def states(self) -> Mapping[Series, Remembered]:
        """Return what the change detector remembers of each series."""
        return dict(self.remembered)

    def save_states(self, states: Mapping[Series, Remembered]) -> None:
        """Replace what the change detector remembers of some series, but for what a later run left."""
        for series, one in states.items():
            if series not in self.remembered or self.remembered[series].started <= one.started:
                self.remembered[series] = one

    def last_coadds(self) -> Mapping[str, datetime]:
        """Return when each camera was last measured on coadds."""
        latest: dict[str, datetime] = {}
        for record in self.records.values():
            for camera in record.plan.cameras:
                when = record.coadds_measured(camera)
                if when is not None:
                    latest[camera] = max(when, latest.get(camera, when))
        return latest


def _point(record: RunRecord, result: Result) -> HistoryPoint:
    scope, resources = result.scope, is_resource(result.metric)
    known = epoch_of(record.provenance, scope.camera, scope.dataset, resources=resources)
    if isinstance(result, Measurement):
        return HistoryPoint(record.run_id, record.started, result.value, result.stderr, f"{known} {result.unit}")
    return HistoryPoint(record.run_id, record.started, None, None, f"{known} None")
