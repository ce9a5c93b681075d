"""Plots that leave the report, for talks and tickets: one metric's history by matplotlib, as PNG, PDF or SVG.

The plots of the pages are drawn by `reports.figures` and `reports.charts`, which cost a hundredth of the time.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from qa.errors import RequestError
from qa.judging.judged import ShiftKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from matplotlib.axes import Axes

    from qa.changes.hindsight import Level
    from qa.judging.judged import Shift
    from qa.model import HistoryPoint, Scope

FORMATS = (".png", ".pdf", ".svg")
MOST_LINES = 10
_SIZE, _DPI = (9.0, 4.2), 150
_KINDS = {ShiftKind.STEP: "-", ShiftKind.DRIFT: "--", ShiftKind.SPIKE: ":", ShiftKind.GAP: "-."}


def plot_history(
    path: Path,
    title: str,
    lines: Mapping[Scope, Sequence[HistoryPoint]],
    *,
    ylabel: str,
    shifts: Sequence[Shift] = (),
    levels: Mapping[Scope, Sequence[tuple[datetime, datetime, Level]]] = MappingProxyType({}),
) -> None:
    """Draw one metric over the nights, a line for each scope with its standard errors.

    Shifts are vertical lines, levels horizontal ones from the first to the last night of each.

    Raises
    ------
    RequestError
        If the file's ending is none of `FORMATS`, there is no value, or there are more scopes than can be told apart.
    """
    _check(path, lines)
    from matplotlib import rc_context  # noqa: PLC0415 - a second of CPU
    from matplotlib.figure import Figure  # noqa: PLC0415

    with rc_context({"svg.hashsalt": "obsqa", "svg.fonttype": "none", "pdf.fonttype": 42}):
        figure = Figure(figsize=_SIZE, dpi=_DPI, layout="constrained")
        axes = figure.add_subplot()
        for index, (scope, points) in enumerate(sorted(lines.items())):
            _line(axes, str(scope), points, f"C{index}")
            for since, until, level in levels.get(scope, ()):
                axes.hlines(level.mean, since, until, color=f"C{index}", linewidth=4, alpha=0.35)  # type: ignore[arg-type]
        for shift in shifts:
            axes.axvline(shift.began, color="0.45", linewidth=1, linestyle=_KINDS[shift.kind])  # type: ignore[arg-type]
        axes.set_title(title, loc="left")
        axes.set_ylabel(ylabel)
        axes.spines[["top", "right"]].set_visible(False)
        figure.autofmt_xdate()
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _check(path: Path, lines: Mapping[Scope, Sequence[HistoryPoint]]) -> None:
    if path.suffix not in FORMATS:
        msg = f"{path}: the file's ending must be one of {', '.join(FORMATS)}"
        raise RequestError(msg)
    if len(lines) > MOST_LINES:
        msg = f"{MOST_LINES} lines can be told apart, and there would be {len(lines)}; choose with --camera"
        raise RequestError(msg)
    if not any(point.value is not None for points in lines.values() for point in points):
        msg = "there must be a value to plot, and no run has measured one"
        raise RequestError(msg)


def _line(axes: Axes, label: str, points: Sequence[HistoryPoint], colour: str) -> None:
    """Draw a line with gaps where a night has no value."""
    when = [point.when for point in points]
    values = [float("nan") if point.value is None else point.value for point in points]
    errors = [point.stderr or 0.0 for point in points]
    axes.errorbar(
        when,  # type: ignore[arg-type]  # dates are numbers to matplotlib, and its types do not say so
        values,
        yerr=errors,
        label=label,
        color=colour,
        marker="o",
        markersize=3,
        linewidth=1.2,
        elinewidth=0.8,
    )
