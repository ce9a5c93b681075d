"""Whole plots to look at and take away: deterministic SVG by matplotlib without pyplot, for light and for dark pages.

What is small or repeated in every row is drawn by `reports.graphics` instead: matplotlib takes a second to import and a
twentieth of a second for each plot.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.wording import MINUS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reports.rows import Row
    from reports.view import MetricView

SIZE = (10.4, 3.2)
"""Width and height of a plot in inches of 72 units."""

_COLOURS = ("#2b5a9e", "#b3541e", "#1d7a4c", "#8a4a9e", "#7a6a1a", "#3a7f8f", "#a33a5a", "#5c6670")
_DARK = dict(
    zip(
        (*_COLOURS, "#1c2024", "#5c6670", "#d9dcd8"),
        (
            "#8db8f2",
            "#f0a070",
            "#6fcf9b",
            "#d0a0e8",
            "#d8c860",
            "#7fd0e0",
            "#f090b0",
            "#a3adb7",
            "#e8eaec",
            "#a3adb7",
            "#3a424a",
        ),
        strict=True,
    )
)
_MARKERS = "oDs^vPX*"
_GLYPHS = "\u25cf\u25c6\u25a0\u25b2\u25bc\u271a\u2716\u2605"
_SERIES, _NIGHTS = 8, 60


@dataclass(frozen=True, slots=True)
class Series:
    """The nights of one camera and band as changes against its baseline, in per cent."""

    label: str
    when: tuple[datetime, ...]
    change: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """One plot as a page shows it: paths within the site, its size in pixels, and what it says."""

    light: str
    dark: str
    width: int
    height: int
    alt: str


def together(metric: MetricView) -> tuple[Series, ...]:
    """Return what the plot of all cameras shows, worst first: empty unless two series have two nights each."""
    found = [one for row in metric.rows if row.comparison.scope.task is None and (one := _series(row)) is not None]
    return tuple(found[:_SERIES]) if len(found) > 1 else ()


def _series(row: Row) -> Series | None:
    baseline = row.comparison.baseline
    if baseline is None or not baseline.value:
        return None
    nights = [(point.when, point.value) for point in row.points[-_NIGHTS:] if point.value is not None]
    if len(nights) < 2:  # noqa: PLR2004 - one night is no trend
        return None
    change = tuple(100 * (value - baseline.value) / abs(baseline.value) for _, value in nights)
    return Series(f"{row.camera_title} {row.where}", tuple(when for when, _ in nights), change)


def alt(name: str, series: Sequence[Series]) -> str:
    """Say in words what the plot shows."""
    last = ", ".join(f"{one.label} {one.change[-1]:+.1f} %".replace("-", MINUS) for one in series)
    return f"{name}: change of {len(series)} series against their baselines; last night {last}"


def draw(series: Sequence[Series], *, ylabel: str) -> tuple[str, str]:
    """Draw the plot of all cameras; returns the SVG for light and for dark pages.

    The second is the first with its colours exchanged, since drawing takes most of a report's time.
    """
    import matplotlib as mpl  # noqa: PLC0415 - a second of CPU that a first night, without history, does not need
    from matplotlib.figure import Figure  # noqa: PLC0415

    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "obsqa",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 9,
        "text.color": "#1c2024",
        "axes.edgecolor": "#d9dcd8",
        "axes.labelcolor": "#5c6670",
        "xtick.color": "#5c6670",
        "ytick.color": "#5c6670",
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=SIZE)
        figure.patch.set_alpha(0.0)
        axes = figure.add_axes((0.09, 0.11, 0.75, 0.85))
        _plot(axes, series, ylabel)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": "obsqa"})
    light = stream.getvalue().replace("'DejaVu Sans'", "system-ui")
    return light, _darkened(light)


def _plot(axes: Any, series: Sequence[Series], ylabel: str) -> None:  # noqa: ANN401 - matplotlib's Axes, imported late
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415

    axes.patch.set_alpha(0.0)
    axes.axhline(0.0, color="#5c6670", linewidth=0.8, dashes=(4, 3))
    for one, colour, marker in zip(series, _COLOURS, _MARKERS, strict=False):
        axes.plot(one.when, one.change, color=colour, linewidth=1.4, marker=marker, markersize=3.4)
    locator = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=3, color="#d9dcd8")
    axes.set_ylabel(ylabel)
    _name_lines(axes, series)


def _name_lines(axes: Any, series: Sequence[Series]) -> None:  # noqa: ANN401
    """Write each series' name beside its last point, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    room = (high - low) / 15
    order = sorted(range(len(series)), key=lambda index: series[index].change[-1])
    place = low - room
    for index in order:
        place = max(series[index].change[-1], place + room)
        at = (place - low) / (high - low)
        text = f"{_GLYPHS[index]} {series[index].label}"
        axes.text(1.015, at, text, transform=axes.transAxes, color=_COLOURS[index], va="center", fontsize=8.5)


def _darkened(svg: str) -> str:
    for light, dark in _DARK.items():
        svg = svg.replace(light, dark)
    return svg
