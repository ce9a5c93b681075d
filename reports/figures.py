"""Whole plots to look at and take away: the same SVG each time, one for light and one for dark pages.

Drawn by hand, as the small graphics of the pages are: a report of a hundred metrics has twenty of them, for which
matplotlib takes longer than all the rest.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from reports.axes import Axis, nice_ticks, time_ticks, value_axis
from reports.wording import MINUS, legal, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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
_INK, _SOFT, _LINE = "#1c2024", "#5c6670", "#d9dcd8"
# Shapes, so that colour never tells alone: disc, diamond, square, two triangles, plus, cross, ring of a hexagon.
_MARKS = (
    "m-2.4 0a2.4 2.4 0 1 0 4.8 0a2.4 2.4 0 1 0-4.8 0z",
    "m0-3.2l3.2 3.2-3.2 3.2-3.2-3.2z",
    "m-2.2-2.2h4.4v4.4h-4.4z",
    "m0-2.8l2.8 4.8h-5.6z",
    "m0 2.8l2.8-4.8h-5.6z",
    "m-1-3h2v2h2v2h-2v2h-2v-2h-2v-2h2z",
    "m0-1.3l1.7-1.7 1.3 1.3-1.7 1.7 1.7 1.7-1.3 1.3-1.7-1.7-1.7 1.7-1.3-1.3 1.7-1.7-1.7-1.7 1.3-1.3z",
    "m-3 0l1.5-2.6h3l1.5 2.6-1.5 2.6h-3z",
)
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 610, 8, 202
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
    """Draw the plot of all cameras; returns the SVG for light and for dark pages, which differ in colour only."""
    light = _svg(series, ylabel)
    return light, _darkened(light)


def _svg(series: Sequence[Series], ylabel: str) -> str:
    changes = [change for one in series for change in one.change]
    whens = [when for one in series for when in one.when]
    first, last = min(whens), max(whens)
    start, end = first.timestamp(), last.timestamp()
    x = Axis(start if end > start else start - 1, end if end > start else end + 1, _LEFT + 10, _RIGHT - 10)
    y = value_axis([*changes, 0.0], margin=0.06, start=_BOTTOM, end=_TOP)
    width, height = (round(72 * side) for side in SIZE)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    middle = (_TOP + _BOTTOM) / 2
    turned = f'<text fill="{_SOFT}" transform="translate(14 {middle:g}) rotate(-90)" text-anchor="middle">'
    parts = [
        f'{head} font-family="system-ui, sans-serif" font-size="11">',
        *_scales(x, y, first, last),
        f"{turned}{escape(legal(ylabel))}</text>",
        *(_line(one, colour, glyph, x, y) for one, colour, glyph in zip(series, _COLOURS, _MARKS, strict=False)),
        *_names(series, y),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _scales(x: Axis, y: Axis, first: datetime, last: datetime) -> Iterator[str]:
    """Draw the axes with their ticks, and the baseline."""
    yield f'<path d="M{_LEFT} {_TOP}V{_BOTTOM}H{_RIGHT}" fill="none" stroke="{_LINE}"/>'
    yield f'<path d="M{_LEFT} {y(0.0)}H{_RIGHT}" stroke="{_SOFT}" stroke-width="0.8" stroke-dasharray="4 3"/>'
    values = nice_ticks(y.low, y.high, 6)
    step = min((later - value for value, later in pairwise(values)), default=0.0)
    for value in values:
        text = number(value, 10 * step or None)
        yield f'<text fill="{_SOFT}" x="{_LEFT - 6}" y="{y(value) + 3.6:.1f}" text-anchor="end">{text}</text>'
    for tick in time_ticks(first, last, x):
        yield f'<path d="M{tick.at} {_BOTTOM}v4" stroke="{_LINE}"/>'
        yield f'<text fill="{_SOFT}" x="{tick.at}" y="{_BOTTOM + 16}" text-anchor="middle">{tick.text}</text>'


def _line(one: Series, colour: str, mark: str, x: Axis, y: Axis) -> str:
    places = [(x(when.timestamp()), y(change)) for when, change in zip(one.when, one.change, strict=True)]
    points = " ".join(f"{left:g},{top:g}" for left, top in places)
    marks = "".join(f"M{left:g} {top:g}{mark}" for left, top in places)
    line = f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.4" stroke-linejoin="round"/>'
    return f'{line}<path d="{marks}" fill="{colour}"/>'


def _names(series: Sequence[Series], y: Axis) -> Iterator[str]:
    """Write each series' name beside its last point, moved apart where they would overlap."""
    order = sorted(range(len(series)), key=lambda index: -series[index].change[-1])
    least = [_TOP + 4 + 14 * place for place in range(len(order))]
    bottom = _BOTTOM - 14 * (len(order) - 1)
    at = -math.inf
    for place, index in enumerate(order):
        at = max(at + 14, least[place], min(y(series[index].change[-1]), bottom + 14 * place))
        text = f'<text fill="{_INK}" x="{_RIGHT + 20}" y="{at + 3.6:.1f}">{escape(legal(series[index].label))}</text>'
        yield f'<path d="M{_RIGHT + 10} {at:.1f}{_MARKS[index]}" fill="{_COLOURS[index]}"/>{text}'


def _darkened(svg: str) -> str:
    """Exchange the colours of a light plot for those of a dark one."""
    return re.sub("|".join(_DARK), lambda match: _DARK[match[0]], svg)
