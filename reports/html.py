"""Pages as text: Jinja templates over a `NightView`, everything escaped. Nothing here writes a file."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from reports.filters import FILTERS
from reports.maps import COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from qa.model import Ladder
    from reports.figures import Figures
    from reports.images import Sky
    from reports.ledger import Baselines
    from reports.view import CameraView, MetricView, NightView

FINDINGS = 20
"""How many findings a page lists before it refers to the cameras' own pages."""

CHARTS = 16
"""How many histories, worst first, a metric's page draws large: one of many tasks has hundreds."""


def night_page(view: NightView) -> str:
    """Render `index.html`."""
    standing = view.standing
    grouped = standing.incidents or standing.quiet
    values = {"loose": standing.loose if grouped else view.findings, "quiet": standing.quiet or standing.hushed}
    return _render("index.html.j2", root="", view=view, limit=FINDINGS, **values)


def baselines_page(view: NightView, page: Baselines) -> str:
    """Render `baselines.html`."""
    return _render("baselines.html.j2", root="", view=view, page=page)


def camera_page(view: NightView, camera: CameraView, pictures: Sequence[Sky]) -> str:
    """Render the page of one camera."""
    values = {"view": view, "camera": camera, "pictures": pictures, "ramp": COLOURS, "limit": FINDINGS}
    return _render("camera.html.j2", root="../", **values)


def metric_page(view: NightView, metric: MetricView, together: Figures | None) -> str:
    """Render the page of one metric."""
    drawn = ((row, one) for row in metric.rows if (one := row.chart()) is not None)
    charts = list(islice(drawn, CHARTS))
    return _render(
        "metric.html.j2",
        root="../",
        view=view,
        metric=metric,
        together=together,
        charts=charts,
        ladders=_ladders(metric),
    )


def _ladders(metric: MetricView) -> list[tuple[str, Ladder]]:
    """Return the different ladders of a metric, each with the bands it is for."""
    bands: defaultdict[tuple[str, float, float, float], dict[str, None]] = defaultdict(dict)
    ladders: dict[tuple[str, float, float, float], Ladder] = {}
    for row in metric.rows:
        if ladder := row.comparison.ladder:
            key = (ladder.unit, ladder.minimum, ladder.design, ladder.stretch)
            ladders.setdefault(key, ladder)
            bands[key][row.comparison.scope.band or "all"] = None
    return [(", ".join(sorted(bands[key])), ladder) for key, ladder in ladders.items()]


def _render(template: str, **values: object) -> str:
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - a tenth of a second `--help` lacks

    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    return environment
