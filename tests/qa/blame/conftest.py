"""Builders for tests of attribution."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from qa.blame import CameraFacts, Run, Window
from qa.blame.facts import Differences, differences
from qa.blame.moved import Moved
from qa.metrics.base import Direction, MetricDefinition
from qa.model import Baseline, Change, Comparison, Lane, Level, Measurement, Plan, Scope, Status, Trigger, Unmeasured
from qa.record import RunRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
CAMERAS = {
    "hsc": CameraFacts(frozenset({"obs_subaru"})),
    "decam": CameraFacts(frozenset({"obs_decam"})),
    "lsstcam": CameraFacts(frozenset({"obs_lsst"})),
    "latiss": CameraFacts(frozenset({"obs_lsst"})),
}
FACTS = {
    "revision": "r1",
    "packages": "5",
    "package afw": "1",
    "package obs_subaru": "1",
    "package obs_decam": "1",
    "package obs_lsst": "1",
    "host": "a",
    "os": "linux",
    **{f"data {name}/twin": "1" for name in CAMERAS},
    **{f"config {name}/twin": "1" for name in CAMERAS},
}


class Make:
    """Builders whose defaults are a quiet world."""

    cameras: Mapping[str, CameraFacts] = CAMERAS
    facts: Mapping[str, str] = FACTS

    def run(self, night: int = 1, *without: str, **changed: str) -> Run:
        """Make a run of a night; underscores of changed facts' names are for the first blank."""
        facts = {name: value for name, value in FACTS.items() if name not in without}
        return Run(f"night-{night}", BEGIN + timedelta(days=night), facts | self.named(changed))

    @staticmethod
    def named(changed: dict[str, str]) -> dict[str, str]:
        """Turn `package_afw` and `data_hsc` into names of facts."""
        kinds = ("package", "data", "config", "container", "refcat", "calibrations")
        names = {}
        for name, value in changed.items():
            kind, _, rest = name.partition("_")
            place = f"{rest}/twin" if kind in {"data", "config", "refcat", "calibrations"} else rest
            names[f"{kind} {place}" if kind in kinds else name] = value
        return names

    def window(self, *without: str, night: int = 2, **changed: str) -> Window:
        """Make a window of one night at whose end facts are changed."""
        return Window(self.run(night, *without, **changed), self.run(night - 1, *without))

    def definition(self, name: str = "PA1", *reads: str, family: str = "photometry") -> MetricDefinition:
        """Define a metric."""
        return MetricDefinition(name, family, "t", "d", "c", "mmag", Direction.LOWER, None, reads or ("matched",))

    def comparison(  # noqa: PLR0913 - a builder whose arguments all have defaults
        self,
        metric: str = "PA1",
        camera: str = "hsc",
        *,
        sigma: float = 50.0,
        band: str = "r",
        change: Change = Change.STEP,
        status: Status = Status.WARN,
        baseline: float | None = 5.0,
        stderr: float | None = 0.5,
        n: int = 100,
    ) -> Comparison:
        """Judge a metric whose run-to-run spread is 0.01."""
        scope = Scope(camera, "twin", band, 0)
        value = (baseline or 5.0) + 0.01 * sigma
        result: Any = Measurement(metric, scope, value, "mmag", n, stderr)
        if change is Change.MISSING:
            result = Unmeasured(metric, scope, "crash")
        old = None if baseline is None else Baseline(metric, scope, baseline, "mmag", stderr, 0.01, "b")
        shown = None if old is None or change is Change.MISSING else sigma
        return Comparison(result, old, None, change, Level.NOT_APPLICABLE, status, shown, "")

    def steady(self, metric: str = "PA1", camera: str = "hsc", **more: Any) -> Comparison:
        """Judge a metric that did not move."""
        more = {"sigma": 0.0, "change": Change.STEADY, "status": Status.PASS} | more
        return self.comparison(metric, camera, **more)

    def moved(self, camera: str = "hsc", metric: str = "PA1", **more: Any) -> Moved:
        """Make a series that moved."""
        task = more.pop("task", None)
        given = {"window": self.window(), "sigma": 50.0, "errors": 1.0} | more
        return Moved((metric, Scope(camera, "twin", None if task else "r", 0, task)), **given)

    def within(self, one: Moved, window: Window | None) -> Moved:
        """Give a series that moved a window, and what changed in it."""
        changed = differences(window, one.place, self.cameras) if window else Differences()
        return replace(one, window=window, differences=changed)

    def record(self, night: int, *comparisons: Comparison, **changed: str) -> RunRecord:
        """Make the record of a judged night."""
        run = self.run(night, **changed)
        plan = Plan(run.id, Lane.NIGHTLY, Trigger(), run.when, ())
        return replace(RunRecord(plan, dict(run.facts), run.when), comparisons=comparisons)


@pytest.fixture(scope="session")
def make() -> Make:
    """Return the builders."""
    return Make()
