"""A night in plain words: for the terminal (rich), for chat and mail (Markdown)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reports import checks
from reports.lineage import lineage
from reports.order import Verdict
from reports.rows import absences, loud, reason_of
from reports.wording import duration, plural, result_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from reports.incidents import IncidentView
    from reports.rows import Row
    from reports.standing import Standing, Told
    from reports.view import CameraView, NightView

SHOWN = 12
"""How many findings a summary lists before it refers to the report."""

_FACTS = 3
_WORDS = {
    Verdict.FAIL: ("\u2716", "FAIL", "bold red"),
    Verdict.ERROR: ("\u25a0", "DID NOT FINISH", "bold red"),
    Verdict.INCOMPLETE: ("\u25d0", "INCOMPLETE", "bold yellow"),
    Verdict.WARN: ("\u25b2", "WARN", "yellow"),
    Verdict.PASS: ("\u2713", "PASS", "green"),
    Verdict.NOT_RUN: ("\u2013", "NOT RUN", "dim"),
}


def terminal(view: NightView) -> RenderableType:
    """Sum up a night for `rich.console.Console.print`, which drops the colours where there is no terminal."""
    from rich.console import Group  # noqa: PLC0415 - rich is slow to import
    from rich.text import Text  # noqa: PLC0415

    parts: list[RenderableType] = [_marked(view.verdict, view.headline), Text(), _table(view)]
    parts += [part for sentence in lineage(view.night) for part in (Text(), Text(sentence))]
    standing = view.standing
    if standing.loud:
        parts += [Text(), *(_marked(one.verdict, line) for one in standing.loud for line in [_incident(one)])]
    if standing.told:
        parts += [Text(), *(_marked(one.verdict, _told(one)) for one in standing.told)]
    parts += _checks(view)
    found = loud(standing.loose)
    if found:
        parts += [Text(), *(_marked(row.verdict, f"{_title(row)}: {_said(row)}") for row in found[:SHOWN])]
    if len(found) > SHOWN:
        parts.append(Text(f"  and {len(found) - SHOWN} more", style="dim"))
    if missing := absences(standing.loose):
        parts += [Text(), *(_marked(Verdict.WARN, _absence(group)) for group in missing)]
    if others := _others(standing):
        parts += [Text(), Text(others, style="dim")]
    if view.gaps:
        parts += [Text(), *(Text(_coverage(gap.kind, gap.title, gap.sentence)) for gap in view.gaps)]
    return Group(*parts)


def _marked(verdict: Verdict, sentence: str) -> Text:
    from rich.text import Text  # noqa: PLC0415

    mark, word, style = _WORDS[verdict]
    return Text.assemble((f"{mark} {word}", style), "  ", sentence)


def _checks(view: NightView) -> list[RenderableType]:
    from rich.text import Text  # noqa: PLC0415

    titles = {one.name: one.camera.title for one in view.cameras}
    wrong = checks.bad(view.night.checks)
    lines = [_marked(Verdict.FAIL, checks.told(one, titles.get(one.camera, one.camera))) for one in wrong]
    return [Text(), *lines] if lines else []


def _table(view: NightView) -> RenderableType:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("camera", "tonight", "fail", "warn", "pass", "on coadds", "cpu"):
        table.add_column(name, justify="right" if name in {"fail", "warn", "pass", "cpu"} else "left")
    for one in view.cameras:
        mark, word, style = _WORDS[one.verdict]
        counts = (one.counts.fail, one.counts.warn, one.counts.passed)
        numbers = (Text(str(count) if one.counts.total else "\u2013") for count in counts)
        cpu = Text(duration(one.cpu_seconds) if one.cpu_seconds else "\u2013")
        table.add_row(
            Text(one.camera.title), Text(f"{mark} {word.lower()}", style), *numbers, Text(one.last_coadd), cpu
        )
    return table


def _incident(one: IncidentView) -> str:
    """Say one incident in a line: cause and probability, headline, and what changed before it."""
    changed = f"; changed: {', '.join(one.changed[:_FACTS])}" if one.changed else ""
    more = f" and {len(one.changed) - _FACTS} more" if len(one.changed) > _FACTS else ""
    return f"{one.incident.cause.value.upper()} {one.certainty}: {one.headline}{changed}{more}"


def _told(one: Told) -> str:
    marks = f" [{', '.join(tag.text for tag in one.tags)}]" if one.tags else ""
    return " ".join(filter(None, (f"{one.title}: {one.finding.reason}{marks}", one.forecast)))


def _said(row: Row) -> str:
    """Return a row's reason with its forecast and its tags."""
    marks = f"[{', '.join(tag.text for tag in row.tags)}]" if row.standing.finding and row.tags else ""
    return " ".join(filter(None, (row.comparison.reason, row.forecast, marks)))


def _others(standing: Standing) -> str:
    """Count what somebody knows of, and what was fixed."""
    known = len(standing.quiet) + sum(one.count for one in standing.hushed)
    counts = ((known, "known or acknowledged"), (len(standing.fixed), "fixed tonight"))
    return "; ".join(f"{plural(count, 'metric')} {what}" for count, what in counts if count)


def _title(row: Row) -> str:
    return f"{row.camera_title} {row.comparison.metric} ({row.where})"


def _absence(group: Sequence[Row]) -> str:
    """Say in one line where a metric was not measured, and why in the first place."""
    places = ", ".join(f"{row.camera_title} {row.where}" for row in group)
    return f"{group[0].comparison.metric} not measured ({places}): {reason_of(group[0])}"


def _coverage(kind: str, title: str, sentence: str) -> str:
    return f"{'COVERAGE SHRANK' if kind == 'shrank' else kind}: {title}: {sentence}"


def markdown(view: NightView, *, link: str = "index.html") -> str:
    """Sum up a night as Markdown; `link` leads to the report."""
    word = _WORDS[view.verdict][1]
    lines = [
        f"# {word}: {_escaped(view.headline)}",
        "",
        f"Run `{_code(view.night.plan.run_id)}`, [report]({link}).",
        "",
        *(part for sentence in lineage(view.night) for part in (_escaped(sentence), "")),
    ]
    if view.cameras:
        lines += ["| camera | tonight | fail | warn | pass | on coadds |", "|---|---|--:|--:|--:|---|"]
        lines += [_markdown_row(one) for one in view.cameras] + [""]
    lines += _markdown_checks(view)
    standing = view.standing
    if standing.loud:
        lines += ["## Incidents", "", *(_markdown_incident(one) for one in standing.loud), ""]
    if standing.loose or standing.told:
        found = loud(standing.loose)
        lines += ["## What to look at", "", *(f"- {_escaped(_told(one))}" for one in standing.told)]
        lines += [_markdown_finding(row) for row in found[:SHOWN]]
        lines += [f"- and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        lines += [f"- {_escaped(_absence(group))}" for group in absences(standing.loose)] + [""]
    if others := _others(standing):
        lines += [f"{others}.", ""]
    if view.gaps:
        told = (_escaped(_coverage(gap.kind, gap.title, gap.sentence)) for gap in view.gaps)
        lines += ["## Coverage", "", *(f"- {sentence}" for sentence in told), ""]
    return "\n".join(lines)


def _markdown_checks(view: NightView) -> list[str]:
    """Write what changed and how the checks ended, of a run that a commit asked for."""
    night, titles = view.night, {one.name: one.camera.title for one in view.cameras}
    changed = ", ".join(f"`{_code(' '.join(one.split()))}`" for one in night.plan.trigger.packages)
    lines = [f"Changed: {changed}.", ""] if changed and night.of_commit else []
    if night.checks:
        lines += [f"Checks: {checks.tally(night.checks)}.", ""]
    if wrong := checks.bad(night.checks):
        lines += [*(f"- {_escaped(checks.told(one, titles.get(one.camera, one.camera)))}" for one in wrong), ""]
    return lines


def _markdown_row(one: CameraView) -> str:
    mark, word, _ = _WORDS[one.verdict]
    cells = (
        _escaped(one.camera.title),
        f"{mark} {word.lower()}",
        str(one.counts.fail),
        str(one.counts.warn),
        str(one.counts.passed),
        one.last_coadd,
    )
    return f"| {' | '.join(cells)} |"


def _markdown_incident(one: IncidentView) -> str:
    """Write one incident with its heaviest evidence below it."""
    mark, word, _ = _WORDS[one.verdict]
    evidence = [f"  - {_escaped(f'{piece.word}: {piece.text}')}" for piece in one.evidence[:_FACTS]]
    return "\n".join([f"- {mark} {word.lower()}: {_escaped(_incident(one))}", *evidence])


def _markdown_finding(row: Row) -> str:
    mark, word, _ = _WORDS[row.verdict]
    value = result_text(row.comparison.result)
    return f"- {mark} {word.lower()}: **{_escaped(_title(row))}** {value}. {_escaped(_said(row))}"


def _escaped(text: str) -> str:
    """Take their meaning from the characters that Markdown, or HTML within it, would act on."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(text.split())).replace("\\<", "&lt;").replace("\\>", "&gt;")


def _code(text: str) -> str:
    return text.replace("`", "'")
