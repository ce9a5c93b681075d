"""Builders of nights that never were: for tests, for trying the templates, and for a picture of a report."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from qa.judging.compare import Policy, compare
from qa.judging.judged import Finding, FindingState
from qa.metrics.base import Direction, MetricDefinition
from qa.model import (
    Baseline,
    HistoryPoint,
    Ladder,
    Lane,
    Measurement,
    NotRun,
    Plan,
    Scope,
    Stage,
    Step,
    StepOutcome,
    StepStatus,
    Trigger,
    Unmeasured,
)
from reports.night import CameraNight, Night, RunStatus

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from qa.model import Comparison

NOW = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
"""The moment at which the builders' world stands still."""

HOSTILE = "<script>alert(1)</script> & \"quotes\" '../../etc' | `tick` \u0007 *star*"
"""A name that must come out of every page, table and file as harmless text."""

_LPM = "LPM-17, table {}"
# name, family, title, unit, direction, bands, ladder (minimum, design, stretch), a typical value, relative error
_Rungs = tuple[float, float, float] | None
_CATALOGUE: tuple[tuple[str, str, str, str, str, tuple[str, ...] | None, _Rungs, float, float | None], ...] = (
    ("PA1", "photometry", "Photometric repeatability", "mmag", "lower", None, (8, 5, 3), 5.6, 0.03),
    ("PA2", "photometry", "Magnitude deviation that PF1 exceed", "mmag", "lower", None, (15, 15, 10), 13.1, 0.04),
    ("PF1", "photometry", "Magnitudes off by more than PA2", "%", "lower", None, (20, 10, 5), 8.2, 0.05),
    ("photometric_bias", "photometry", "Magnitude against truth", "mmag", "zero", None, None, 0.8, 0.3),
    ("AM1", "astrometry", "Relative astrometry at 5 arcmin", "mas", "lower", ("r", "i"), (20, 10, 5), 9.1, 0.04),
    ("AM2", "astrometry", "Relative astrometry at 20 arcmin", "mas", "lower", ("r", "i"), (20, 10, 5), 12.4, 0.04),
    ("AD1", "astrometry", "Pair deviation that AF1 exceed", "mas", "lower", ("r", "i"), (40, 20, 10), 16.0, 0.05),
    ("AF1", "astrometry", "Pairs off by more than AD1", "%", "lower", ("r", "i"), (20, 10, 5), 6.6, 0.05),
    ("AM3", "astrometry", "Relative astrometry at 200 arcmin", "mas", "lower", ("r", "i"), (30, 15, 10), 15.0, 0.05),
    ("AA1", "astrometry", "Absolute astrometry per coordinate", "mas", "lower", None, (100, 50, 20), 14.8, 0.04),
    ("astrometric_bias", "astrometry", "Position against truth", "mas", "zero", None, None, -1.4, 0.2),
    ("TE1", "shapes", "PSF ellipticity residuals", "", "lower", ("r", "i"), (3e-5, 2e-5, 1e-5), 2.1e-5, 0.1),
    ("psf_fwhm", "shapes", "Median PSF width", "arcsec", "lower", None, None, 0.684, 0.004),
    ("psf_ellipticity", "shapes", "Median PSF ellipticity", "", "lower", None, (0.05, 0.04, 0.03), 0.031, 0.02),
    ("coadd_depth", "depth", "5 sigma depth of the coadd", "mag", "higher", None, (24.3, 24.7, 24.8), 24.74, 0.0004),
    ("completeness_50_stars", "completeness", "Half the stars found", "mag", "higher", None, None, 24.51, 0.001),
    ("completeness_50_galaxies", "completeness", "Half the galaxies found", "mag", "higher", None, None, 23.92, 0.001),
    ("false_detection_rate", "completeness", "Detections that are nothing", "%", "lower", None, None, 1.3, 0.1),
    ("cpu_per_megapixel", "resources", "CPU time per input megapixel", "ms/Mpix", "lower", None, None, 41.0, None),
    ("peak_memory", "resources", "Peak memory", "MiB", "lower", None, None, 612.0, None),
)  # fmt: skip
_TASKS = ("isr", "characterize", "calibrate", "coadd", "measure")
_SPREAD = 0.01


def definitions() -> dict[str, MetricDefinition]:
    """Return a catalogue of metrics much like the real one."""
    return {
        name: MetricDefinition(
            name=name,
            family=family,
            title=title,
            definition=f"{title}: stands in for a definition of the catalogue and is about as long.",
            citation=_LPM.format(14) if ladder else "obsqa",
            unit=unit,
            direction=Direction(direction),
            bands=bands,
            reads=("matched", "visit_summary"),
            per_task=family == "resources",
        )
        for name, family, title, unit, direction, bands, ladder, _, _ in _CATALOGUE
    }


def a_comparison(
    metric: str = "PA1",
    scope: Scope | None = None,
    *,
    factor: float | None = 1.0,
    before: float | None = 1.0,
    reason: str = "at least 50 pairs of stars are needed, and there are 12",
    accepted: bool = False,
) -> Comparison:
    """Build a comparison by the real judge: `factor` and `before` scale the typical value tonight and in the baseline.

    `factor=None` is unmeasured for `reason`, which `accepted` makes an accepted absence; `before=None` is no baseline.
    """
    scope = scope or Scope("testcam", "twin", "r", 0)
    _, _, _, unit, _, _, rungs, typical, relative = next(one for one in _CATALOGUE if one[0] == metric)
    error = None if relative is None else abs(typical) * relative
    absent = Unmeasured(metric, scope, reason)
    result = absent if factor is None else Measurement(metric, scope, typical * factor, unit, 412, error)
    spread = abs(typical) * _SPREAD
    baseline = (
        None if before is None else Baseline(metric, scope, typical * before, unit, error, spread, "20260201T0100")
    )
    ladder = _ladder(metric, scope.band, unit, rungs) if rungs else None
    old = absent if accepted else baseline
    return compare(result, old, ladder, definition=definitions()[metric], policy=Policy())


def _ladder(metric: str, band: str | None, unit: str, rungs: tuple[float, float, float]) -> Ladder:
    minimum, design, stretch = rungs
    operator = ">=" if minimum < stretch else "<="
    return Ladder(metric, band, unit, operator, minimum, design, stretch, _LPM.format(14))


def a_history(comparison: Comparison, nights: int = 24) -> tuple[HistoryPoint, ...]:
    """Build a series that ends with tonight's value: small scatter about the baseline, one night missing."""
    base = comparison.baseline.value if comparison.baseline else 1.0
    points = []
    for index in range(nights - 1):
        wobble = math.sin(2.4 * index + len(comparison.metric)) * 0.012 + math.sin(0.7 * index) * 0.008
        value = None if index == nights // 2 else base * (1 + wobble)
        when = NOW - timedelta(days=nights - 1 - index)
        points.append(HistoryPoint(f"{when:%Y%m%dT%H%M}", when, value, abs(base) * 0.03))
    result = comparison.result
    value, stderr = (result.value, result.stderr) if isinstance(result, Measurement) else (None, None)
    return (*points, HistoryPoint(f"{NOW:%Y%m%dT%H%M}", NOW, value, stderr))


def a_finding(metric: str = "PA1", scope: Scope | None = None, *, nights: int = 1, **changes: object) -> Finding:
    """Build an open finding that was seen on so many nights, tonight the last."""
    scope = scope or Scope("testcam", "twin", "r", 0)
    first = NOW - timedelta(days=nights - 1)
    name = f"{metric}-{scope}".replace("/", "-")
    made = Finding(name, metric, scope, "step", FindingState.OPEN, first, NOW, nights, "It stepped.", since=first)
    return replace(made, **changes)  # type: ignore[arg-type] # the caller names the fields


def a_step(
    camera: str, stage: Stage = Stage.PROCESS, *, status: StepStatus = StepStatus.DONE, cpu: float = 42.0
) -> StepOutcome:
    """Build the outcome of a step."""
    message = {StepStatus.CAVEATS: "1 of 16 quanta failed and was left out", StepStatus.FAILED: "exit code 1"}.get(
        status, ""
    )
    return StepOutcome(Step(camera, "twin", stage), status, cpu * 0.62, cpu, 640.0 + 12 * cpu, message)


def a_camera_night(name: str = "testcam", **changes: object) -> CameraNight:
    """Build a sponsored camera that ran."""
    steps = tuple(a_step(name, stage, cpu=cpu) for stage, cpu in zip(Stage, (18.0, 3.1, 4.0, 40.0, 4.6), strict=True))
    made = CameraNight(
        name=name,
        title=name.title(),
        package=f"obs_{name}",
        team="the test team",
        contact="team@example.org",
        lease_until=date(2027, 3, 1),
        steps=steps,
        last_coadd=NOW - timedelta(minutes=3),
    )
    return replace(made, **changes)  # type: ignore[arg-type] # the caller names the fields


def a_night(
    *cameras: CameraNight, comparisons: tuple[Comparison, ...] = (), exit_code: int = 0, **more: object
) -> Night:
    """Build a night of the cameras given, none by default."""
    steps = tuple(Step(camera.name, "twin", stage) for camera in cameras for stage in Stage)
    absent = tuple(NotRun(one.name, one.reason) for one in cameras if one.status is RunStatus.NOT_RUN)
    plan = Plan("20260301T0050", Lane.NIGHTLY, Trigger("cron"), NOW - timedelta(minutes=10), steps, absent)
    made = Night(
        plan=plan,
        started=NOW - timedelta(minutes=7, seconds=12),
        finished=NOW,
        cameras=cameras,
        comparisons=comparisons,
        definitions=definitions(),
        exit_code=exit_code,
        provenance={"host": "night-1", "python": "3.11.9", "package numpy": "2.1.0", "revision": "1f3c9a7d20be"},
    )
    return replace(made, **more)  # type: ignore[arg-type] # the caller names the fields


def scopes(camera: str, bands: tuple[str, ...]) -> tuple[tuple[str, Scope], ...]:
    """Return every metric with every scope a camera has it in."""
    found = []
    for name, definition in definitions().items():
        for band in bands:
            if definition.per_task:
                found += [(name, Scope(camera, "twin", band, 0, task)) for task in _TASKS]
            elif definition.applies_to(band):
                found.append((name, Scope(camera, "twin", band, 0)))
    return tuple(found)


def a_picture(path: Path, rng: np.random.Generator, *, side: int = 900) -> None:
    """Write the arrays of a coadd picture: noise, round stars and galaxies, a corner without data."""
    image = rng.normal(0.0, 1.0, (side, side)).astype(np.float32)
    count = side // 6
    x, y = rng.uniform(12, side - 12, (2, count))
    extended = rng.random(count) < 0.6  # noqa: PLR2004 - more galaxies than stars
    flux = 40 * rng.pareto(0.9, count) + 12
    size = np.where(extended, rng.uniform(2.2, 4.5, count), 1.6)
    for centre_x, centre_y, total, width in zip(x, y, np.minimum(flux, 4e4), size, strict=True):
        half = int(6 * width)
        rows = slice(max(0, int(centre_y) - half), int(centre_y) + half + 1)
        columns = slice(max(0, int(centre_x) - half), int(centre_x) + half + 1)
        yy, xx = np.mgrid[rows.start : min(side, rows.stop), columns.start : min(side, columns.stop)]
        image[rows, columns] += total / width * np.exp(-0.5 * ((xx - centre_x) ** 2 + (yy - centre_y) ** 2) / width**2)
    image[: side // 9, : side // 5] = np.nan
    path.parent.mkdir(parents=True, exist_ok=True)
    where = {"pixel_scale": 0.17, "ra": 150.116, "dec": -2.204}
    np.savez(path, allow_pickle=False, image=image, x=x, y=y, extended=extended, **where, **_tiles(side))


def _tiles(side: int) -> dict[str, NDArray[np.float64]]:
    """Return a deep middle with a shallow edge, sharpest in one corner."""
    size = side / 9
    x, y = (part.ravel() * size for part in np.meshgrid(np.arange(9.0), np.arange(9.0)))
    off = np.hypot(x - side / 2, y - side / 2) / side
    visits = np.round(8 * (1 - off))
    depth = 25.1 + 1.25 * np.log10(visits / 8)
    fwhm = 0.62 + 0.08 * (x + y) / side
    edges = np.column_stack([x, y, x + size, y + size])
    return {"tiles": edges, "tile_depth5": depth, "tile_psf_fwhm": fwhm, "tile_n_visits": visits}
