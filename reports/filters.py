"""What the templates call to write a value: words, numbers, links; each gives text, or what a template goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports import wording
from reports.lineage import lineage, reproduce_command
from reports.order import Verdict
from reports.rows import absences, loud, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reports.rows import Row
    from reports.view import NightView

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


def metric_name(name: str) -> str:
    """Write a metric's name as words; the package of a foreign one stays as it is."""
    package, dot, own = name.rpartition(".")
    return package + dot + own.replace("_", " ")


def share(value: float) -> str:
    """Write a share in per cents; a negative one was gained."""
    text = wording.percent(value).removeprefix("+")
    return f"{text.removeprefix(wording.MINUS)} gained" if text.startswith(wording.MINUS) else text


def _incident_anchor(row: Row, view: NightView) -> str:
    """Return where the first page tells of a row's incident, if it does."""
    incident = row.standing.incident
    return next((f"#{one.anchor}" for one in view.standing.incidents if one.incident is incident), "")


FILTERS: Mapping[str, Callable[..., object]] = {
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
