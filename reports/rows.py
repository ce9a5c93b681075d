"""One comparison made ready to be shown: its names, links, words and small graphics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.metrics.base import Direction, MetricDefinition
from qa.model import Change, Level, Measurement, Unmeasured
from reports.charts import Chart, chart
from reports.graphics import Bullet, Spark, bullet, spark
from reports.order import Verdict, cell_verdict
from reports.states import NOTHING_KNOWN, SeriesStanding, began, forecast_sentence, tags
from reports.wording import number, percent, slug, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qa.model import Comparison, HistoryPoint
    from reports.night import Night
    from reports.states import Tag


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison, ready to be written down anywhere."""

    comparison: Comparison
    definition: MetricDefinition
    verdict: Verdict
    camera_title: str
    camera_slug: str
    metric_slug: str
    anchor: str
    where: str
    change_text: str
    known: bool
    bullet: Bullet | None
    spark: Spark | None
    points: tuple[HistoryPoint, ...]
    standing: SeriesStanding = NOTHING_KNOWN
    tags: tuple[Tag, ...] = ()
    forecast: str = ""

    @property
    def measured(self) -> Measurement | None:
        """The measurement, where there is one."""
        return self.comparison.result if isinstance(self.comparison.result, Measurement) else None

    def chart(self) -> Chart | None:
        """Draw the history large."""
        return chart(self.points, self.comparison, shifts=self.standing.shifts, forecast=self.standing.forecast)


def row_of(
    comparison: Comparison, night: Night, titles: Mapping[str, str], standing: SeriesStanding = NOTHING_KNOWN
) -> Row:
    """Make a comparison ready; `titles` are the titles of the cameras by name."""
    scope, name = comparison.scope, comparison.metric
    known = comparison.level is Level.BELOW_MINIMUM and comparison.change in {Change.STEADY, Change.IMPROVED}
    forecast = standing.forecast
    definition = night.definitions.get(name) or _undefined(comparison)
    points = night.history.get((name, scope), ())
    return Row(
        comparison=comparison,
        definition=definition,
        verdict=cell_verdict(comparison),
        camera_title=titles.get(scope.camera, scope.camera),
        camera_slug=slug(scope.camera),
        metric_slug=slug(name),
        anchor=slug(f"{name}--{scope}"),
        where=where(scope),
        change_text=_change(comparison),
        known=known,
        bullet=bullet(comparison, definition.direction),
        spark=spark(points, comparison, shifts=standing.shifts),
        points=points,
        standing=standing,
        tags=tags(standing.finding, known=known, now=began(night)),
        forecast=f"It {forecast_sentence(forecast, night.finished.date())}." if forecast else "",
    )


def _undefined(comparison: Comparison) -> MetricDefinition:
    unit = comparison.result.unit if isinstance(comparison.result, Measurement) else ""
    package, _, own = comparison.metric.rpartition(".")
    text = "This metric has no definition in the catalogue."
    family = package or "undefined"
    return MetricDefinition(comparison.metric, family, own, text, "", unit, Direction.LOWER, None, ())


def _change(comparison: Comparison) -> str:
    """Write how far a value moved from its baseline, relative where that makes sense."""
    result, baseline = comparison.result, comparison.baseline
    if not isinstance(result, Measurement) or baseline is None:
        return ""
    moved = result.value - baseline.value
    if not moved:
        return ""
    if baseline.value and not 0 < abs(baseline.value) < 6 * baseline.tolerance and baseline.unit != "mag":
        return percent(moved / abs(baseline.value))
    text = number(moved, result.stderr or baseline.stderr)
    return text if text.startswith("\u2212") else f"+{text}"


def loud(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return the findings that stand alone: what failed, and what was measured and warns."""
    return tuple(row for row in rows if row.measured or row.verdict is Verdict.FAIL)


def absences(rows: Iterable[Row]) -> tuple[tuple[Row, ...], ...]:
    """Group the other findings, metrics without a value that only warn, by metric: one fact of a night, not many."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if not row.measured and row.verdict is Verdict.WARN:
            groups.setdefault(row.comparison.metric, []).append(row)
    return tuple(tuple(group) for group in groups.values())


def reason_of(row: Row) -> str:
    """Return why a result is absent, as a sentence."""
    reason = row.comparison.result.reason if isinstance(row.comparison.result, Unmeasured) else row.comparison.reason
    return f"{reason[:1].upper()}{reason[1:]}".rstrip(".") + "."
