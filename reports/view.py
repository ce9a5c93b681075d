"""What is shown of a night, in which order and in which words: pure, from `Night` to `NightView`."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from qa.model import Change, Status
from reports import coverage
from reports.checks import bad, bad_first
from reports.headline import headline, told_of, wrong_of
from reports.ledger import baselines_of
from reports.night import RunStatus
from reports.order import (
    Verdict,
    band_rank,
    by_scope,
    camera_verdict,
    night_verdict,
    verdict_rank,
    worst_first,
)
from reports.rows import Row, row_of
from reports.standing import NOTHING_STANDS, Standing, standing_of
from reports.states import NOTHING_KNOWN, standings
from reports.wording import brief, slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from qa.checks import CheckOutcome
    from qa.metrics.base import MetricDefinition
    from reports.coverage import Gap
    from reports.incidents import IncidentView
    from reports.ledger import Baselines
    from reports.night import CameraNight, Night


@dataclass(frozen=True, slots=True)
class Counts:
    """How many comparisons came out which way; `absent` are accepted absences."""

    fail: int
    warn: int
    passed: int
    absent: int

    @property
    def total(self) -> int:
        """Number of comparisons."""
        return self.fail + self.warn + self.passed + self.absent


@dataclass(frozen=True, slots=True)
class CameraView:
    """One camera: verdict, sentences, its rows by family in the order of the definitions, and worst first."""

    camera: CameraNight
    slug: str
    verdict: Verdict
    why: str
    lease: str
    last_coadd: str
    overdue: bool
    counts: Counts
    families: tuple[tuple[str, tuple[Row, ...]], ...]
    findings: tuple[Row, ...]
    cpu_seconds: float
    wall_seconds: float
    peak_mib: float
    incidents: tuple[IncidentView, ...] = ()
    checks: tuple[CheckOutcome, ...] = ()

    @property
    def name(self) -> str:
        """The registry's name."""
        return self.camera.name


@dataclass(frozen=True, slots=True)
class Cell:
    """A metric of a camera and band in the overview: its worst row. `count` is how many tasks it stands for."""

    row: Row
    count: int
    text: str


@dataclass(frozen=True, slots=True)
class MetricView:
    """One metric over all cameras, its rows worst first; `cells` follow the columns of the overview."""

    definition: MetricDefinition
    slug: str
    verdict: Verdict
    rows: tuple[Row, ...]
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A camera and band of the overview."""

    camera: CameraView
    band: str | None


@dataclass(frozen=True, slots=True)
class NightView:
    """Everything a report says."""

    night: Night
    verdict: Verdict
    headline: str
    counts: Counts
    cameras: tuple[CameraView, ...]
    findings: tuple[Row, ...]
    improved: tuple[Row, ...]
    gaps: tuple[Gap, ...]
    columns: tuple[Column, ...]
    metrics: tuple[MetricView, ...]
    standing: Standing = NOTHING_STANDS
    baselines: Baselines | None = None

    @property
    def families(self) -> tuple[tuple[str, tuple[MetricView, ...]], ...]:
        """The metrics by family, in the order of the definitions."""
        return tuple((name, tuple(group)) for name, group in groupby(self.metrics, lambda one: one.definition.family))

    @property
    def ran(self) -> int:
        """Number of cameras that came through."""
        return sum(one.camera.status is RunStatus.RAN for one in self.cameras)

    @property
    def new(self) -> int:
        """Number of measurements without a baseline, which requirements alone could judge."""
        rows = (row for metric in self.metrics for row in metric.rows)
        return sum(row.comparison.change is Change.NEW for row in rows)

    @property
    def planned(self) -> int:
        """Number of cameras that should have come through."""
        return sum(one.camera.status is not RunStatus.NOT_RUN for one in self.cameras)

    @property
    def seconds(self) -> float:
        """How long the night took."""
        return (self.night.finished - self.night.started).total_seconds()


def build(night: Night) -> NightView:
    """Decide what is shown of a night."""
    rows = _rows(night)
    standing = standing_of(night, rows)
    cameras = _cameras(night, rows, standing)
    columns = _columns(cameras)
    found = tuple(row for row in rows if row.verdict in {Verdict.FAIL, Verdict.WARN})
    return NightView(
        night=night,
        verdict=night_verdict((_weight(one) for one in cameras), night.exit_code),
        headline=headline(night, {one.name: one.verdict for one in cameras}, standing.loud),
        counts=_counts(rows),
        cameras=cameras,
        findings=found,
        improved=tuple(row for row in rows if row.comparison.change is Change.IMPROVED),
        gaps=coverage.gaps(night),
        columns=columns,
        metrics=_metrics(night, rows, columns),
        standing=standing,
        baselines=baselines_of(night),
    )


def _rows(night: Night) -> tuple[Row, ...]:
    """Return the rows of a night, worst first."""
    titles = {camera.name: camera.title for camera in night.cameras}
    known = standings(night)
    return tuple(
        row_of(one, night, titles, known.get((one.metric, one.scope), NOTHING_KNOWN))
        for one in worst_first(night.comparisons)
    )


def _weight(one: CameraView) -> Verdict:
    """Return what a camera adds to the night's verdict: an orphaned one runs but cannot do worse than warn."""
    troubled = one.camera.lease == "orphaned" and verdict_rank(one.verdict) < verdict_rank(Verdict.WARN)
    return Verdict.WARN if troubled else one.verdict


def _counts(rows: Iterable[Row]) -> Counts:
    found = Counter(row.verdict for row in rows)
    return Counts(found[Verdict.FAIL], found[Verdict.WARN], found[Verdict.PASS], found[Verdict.NOT_RUN])


def _cameras(night: Night, rows: Sequence[Row], standing: Standing) -> tuple[CameraView, ...]:
    own: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        own[row.comparison.scope.camera].append(row)
    views = [_camera(camera, own[camera.name], night, standing) for camera in night.cameras]
    return tuple(
        sorted(views, key=lambda one: (verdict_rank(one.verdict), -one.counts.fail, -one.counts.warn, one.name))
    )


def _camera(camera: CameraNight, rows: Sequence[Row], night: Night, standing: Standing) -> CameraView:
    checks = bad_first(one for one in night.checks if one.camera == camera.name)
    verdict = camera_verdict(camera, [row.comparison for row in rows], checks)
    found = tuple(row for row in rows if row.verdict in {Verdict.FAIL, Verdict.WARN})
    return CameraView(
        camera=camera,
        slug=slug(camera.name),
        verdict=verdict,
        why=_why(camera, verdict, found, bad(checks)),
        lease=coverage.lease_sentence(camera),
        last_coadd="\u2013" if night.imported else coverage.last_coadd(camera, night.finished),
        overdue=not night.imported and bool(coverage.overdue(camera, night.finished)),
        counts=_counts(rows),
        families=_families(night, rows),
        findings=found,
        cpu_seconds=sum(step.cpu_seconds for step in camera.steps),
        wall_seconds=sum(step.wall_seconds for step in camera.steps),
        peak_mib=max((step.peak_mib for step in camera.steps), default=0.0),
        incidents=tuple(one for one in standing.incidents if camera.name in one.incident.cameras),
        checks=checks,
    )


def _why(camera: CameraNight, verdict: Verdict, found: Sequence[Row], wrong: Sequence[CheckOutcome]) -> str:
    """Say in one sentence why a camera stands as it does; nothing for one that simply passes."""
    failing = [row for row in found if row.comparison.status is Status.FAIL]
    if camera.status is not RunStatus.RAN:
        return camera.reason or "No reason was given."
    if wrong or verdict is Verdict.INCOMPLETE:
        return f"{wrong_of(wrong)}." if wrong else "It ran and nothing was measured."
    if failing or found:
        return f"{told_of(row.comparison for row in failing or found)}."
    return camera.caveats[0] if camera.caveats else ""


def _rank(night: Night) -> dict[str, int]:
    """Give each metric a number so that families stay together, in the order in which they first appear."""
    families = list(dict.fromkeys(one.family for one in night.definitions.values()))
    ordered = sorted(night.definitions.values(), key=lambda one: families.index(one.family))
    return {one.name: index for index, one in enumerate(ordered)}


def _families(night: Night, rows: Sequence[Row]) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    rank = _rank(night)
    ordered = sorted(
        rows,
        key=lambda row: (
            rank.get(row.comparison.metric, len(rank)),
            row.comparison.metric,
            by_scope(row.comparison.scope),
        ),
    )
    return tuple((name, tuple(group)) for name, group in groupby(ordered, lambda row: row.definition.family))


def _columns(cameras: Iterable[CameraView]) -> tuple[Column, ...]:
    """Return one column per camera and band, in the order of the cameras; a camera without bands has one."""
    found = []
    for camera in cameras:
        rows = [row for _, group in camera.families for row in group]
        bands = {row.comparison.scope.band for row in rows} - {None}
        found += [Column(camera, band) for band in sorted(bands, key=band_rank) or ([None] if rows else [])]
    return tuple(found)


def _metrics(night: Night, rows: Sequence[Row], columns: Sequence[Column]) -> tuple[MetricView, ...]:
    rank = _rank(night)
    own: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        own[row.comparison.metric].append(row)
    names = sorted(own, key=lambda name: (rank.get(name, len(rank)), name))
    return tuple(_metric(own[name], columns) for name in names)


def _metric(rows: Sequence[Row], columns: Sequence[Column]) -> MetricView:
    first = rows[0]
    return MetricView(
        first.definition, first.metric_slug, first.verdict, tuple(rows), tuple(_cell(rows, one) for one in columns)
    )


def _cell(rows: Sequence[Row], column: Column) -> Cell | None:
    own = [
        row
        for row in rows
        if row.comparison.scope.camera == column.camera.name and row.comparison.scope.band in {None, column.band}
    ]
    if not own:
        return None
    alike = [row for row in own if row.verdict is own[0].verdict]
    largest = max(alike, key=lambda row: abs(row.measured.value) if row.measured else -1.0)
    measured = largest.measured
    return Cell(largest, len(own), brief(measured.value, measured.stderr) if measured else "\u2013")
