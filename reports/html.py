"""Pages as text: Jinja templates over a `NightView`, everything escaped. Nothing here writes a file."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from reports import wording
from reports.lineage import lineage, reproduce_command
from reports.maps import COLOURS
from reports.order import Verdict
from reports.rows import absences, loud, reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from qa.model import Ladder
    from reports.figures import Figures
    from reports.images import Sky
    from reports.ledger import Baselines
    from reports.rows import Row
    from reports.view import CameraView, MetricView, NightView

FINDINGS = 20
"""How many findings a page lists before it refers to the cameras' own pages."""

CHARTS = 16
"""How many histories, worst first, a metric's page draws large: one of many tasks has hundreds."""

_VERDICTS = {
    "fail": "Fails",
    "error": "Did not finish",
    "incomplete": "Incomplete",
    "warn": "Warns",
    "pass": "Passes",
    "not-run": "Not run",
}
_GAPS = {
    "shrank": "Coverage shrank",
    "overdue": "Overdue",
    "promise": "Weekly promise",
    "orphaned": "Orphaned",
    "left-out": "Data left out",
    "caveat": "Caveat",
    "lapsing": "Lease lapsing",
    "not-run": "Not run",
}
_DIRECTIONS = {"lower": "lower", "higher": "higher", "zero": "nearer to zero"}
_OPERATORS = {"<=": "\u2264", ">=": "\u2265"}
_STEPS = {
    "done": (Verdict.PASS, "Done"),
    "done-with-caveats": (Verdict.WARN, "Done, with caveats"),
    "failed": (Verdict.ERROR, "Failed"),
}


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


def metric_name(name: str) -> str:
    """Write a metric's name as words; the package of a foreign one stays as it is."""
    package, dot, own = name.rpartition(".")
    return package + dot + own.replace("_", " ")


def share(value: float) -> str:
    """Write a share in whole per cents; a negative one was gained."""
    text = wording.percent(value).removeprefix("+")
    return f"{text.removeprefix(wording.MINUS)} gained" if text.startswith(wording.MINUS) else text


def _incident_anchor(row: Row, view: NightView) -> str:
    """Return where the first page tells of a row's incident, if it does."""
    incident = row.standing.incident
    return next((f"#{one.anchor}" for one in view.standing.incidents if one.incident is incident), "")


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
    environment.filters |= {
        "day": wording.day,
        "moment": wording.moment,
        "duration": wording.duration,
        "memory": wording.memory,
        "number": wording.number,
        "quantity": wording.quantity,
        "with_error": wording.with_error,
        "plural": wording.plural,
        "unit_after": wording.unit_text,
        "unit": wording.unit_name,
        "metric_name": metric_name,
        "short_name": lambda metric: metric_name(metric.name.removeprefix(f"{metric.family}.")),
        "family_word": lambda family: family if "_" in family else family[:1].upper() + family[1:],
        "share": share,
        "where": wording.where,
        "cameras_of": lambda rows: wording.listing(list(dict.fromkeys(row.camera_title for row in rows))),
        "incident_anchor": _incident_anchor,
        "capitalize_first": lambda text: text[:1].upper() + text[1:],
        "verdict_word": _VERDICTS.__getitem__,
        "gap_word": _GAPS.__getitem__,
        "direction_word": lambda direction: _DIRECTIONS[direction.value],
        "lineage": lineage,
        "reproduce_command": reproduce_command,
        "operator_sign": lambda operator: _OPERATORS.get(operator, operator),
        "loud": loud,
        "absences": absences,
        "reason_of": reason_of,
        "level_word": lambda level: level.value.replace("-", " "),
        "step_verdict": lambda status: _STEPS[status.value][0].value,
        "step_word": lambda status: _STEPS[status.value][1],
    }
    return environment
