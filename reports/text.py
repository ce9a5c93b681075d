"""A night in plain words: for the terminal (rich), for chat and mail (Markdown), for machines (`Summary`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.order import Verdict
from reports.rows import absences, loud, reason_of
from reports.wording import duration, encodable, result_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from reports.rows import Row
    from reports.view import CameraView, NightView

SHOWN = 12
"""How many findings a summary lists before it refers to the report."""

_WORDS = {
    Verdict.FAIL: ("\u2716", "FAIL", "bold red"),
    Verdict.ERROR: ("\u25a0", "DID NOT FINISH", "bold red"),
    Verdict.INCOMPLETE: ("\u25d0", "INCOMPLETE", "bold yellow"),
    Verdict.WARN: ("\u25b2", "WARN", "yellow"),
    Verdict.PASS: ("\u2713", "PASS", "green"),
    Verdict.NOT_RUN: ("\u2013", "NOT RUN", "dim"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a summary."""

    status: str
    metric: str
    camera: str
    scope: str
    reason: str


@dataclass(frozen=True, slots=True)
class CameraSummary:
    """One camera of a summary."""

    camera: str
    verdict: str
    why: str
    fail: int
    warn: int
    passed: int
    absent: int
    lease: str
    last_coadd: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A night in a form for machines: what other programs may rely on."""

    run_id: str
    verdict: str
    headline: str
    exit_code: int
    started: str
    finished: str
    cameras: tuple[CameraSummary, ...]
    findings: tuple[Finding, ...]
    coverage: tuple[str, ...]


def summary(view: NightView) -> Summary:
    """Sum up a night for machines; nothing is left out."""
    return Summary(
        run_id=view.night.plan.run_id,
        verdict=view.verdict.value,
        headline=encodable(view.headline),
        exit_code=view.night.exit_code,
        started=view.night.started.isoformat(),
        finished=view.night.finished.isoformat(),
        cameras=tuple(_camera_summary(one) for one in view.cameras),
        findings=tuple(_finding(row) for row in view.findings),
        coverage=tuple(encodable(f"{gap.kind}: {gap.title}: {gap.sentence}") for gap in view.gaps),
    )


def _camera_summary(one: CameraView) -> CameraSummary:
    counts = one.counts
    tally = (counts.fail, counts.warn, counts.passed, counts.absent)
    return CameraSummary(one.name, one.verdict.value, encodable(one.why), *tally, one.lease, one.last_coadd)


def _finding(row: Row) -> Finding:
    one = row.comparison
    return Finding(one.status.value, one.metric, one.scope.camera, str(one.scope), encodable(one.reason))


def terminal(view: NightView) -> RenderableType:
    """Sum up a night for `rich.console.Console.print`, which drops the colours where there is no terminal."""
    from rich.console import Group  # noqa: PLC0415 - rich is slow to import
    from rich.text import Text  # noqa: PLC0415

    parts: list[RenderableType] = [_marked(view.verdict, view.headline), Text(), _table(view)]
    found = loud(view.findings)
    if found:
        parts += [Text(), *(_marked(row.verdict, f"{_title(row)}: {row.comparison.reason}") for row in found[:SHOWN])]
    if len(found) > SHOWN:
        parts.append(Text(f"  and {len(found) - SHOWN} more", style="dim"))
    if missing := absences(view.findings):
        parts += [Text(), *(_marked(Verdict.WARN, _absence(group)) for group in missing)]
    if view.gaps:
        parts += [Text(), *(Text(_coverage(gap.kind, gap.title, gap.sentence)) for gap in view.gaps)]
    return Group(*parts)


def _marked(verdict: Verdict, sentence: str) -> Text:
    from rich.text import Text  # noqa: PLC0415

    mark, word, style = _WORDS[verdict]
    return Text.assemble((f"{mark} {word}", style), "  ", sentence)


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
    ]
    if view.cameras:
        lines += ["| camera | tonight | fail | warn | pass | on coadds |", "|---|---|--:|--:|--:|---|"]
        lines += [_markdown_row(one) for one in view.cameras] + [""]
    if view.findings:
        found = loud(view.findings)
        lines += ["## What to look at", "", *(_markdown_finding(row) for row in found[:SHOWN])]
        lines += [f"- and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        lines += [f"- {_escaped(_absence(group))}" for group in absences(view.findings)] + [""]
    if view.gaps:
        told = (_escaped(_coverage(gap.kind, gap.title, gap.sentence)) for gap in view.gaps)
        lines += ["## Coverage", "", *(f"- {sentence}" for sentence in told), ""]
    return "\n".join(lines)


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


def _markdown_finding(row: Row) -> str:
    mark, word, _ = _WORDS[row.verdict]
    value = result_text(row.comparison.result)
    return f"- {mark} {word.lower()}: **{_escaped(_title(row))}** {value}. {_escaped(row.comparison.reason)}"


def _escaped(text: str) -> str:
    """Take their meaning from the characters that Markdown, or HTML within it, would act on."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(text.split())).replace("\\<", "&lt;").replace("\\>", "&gt;")


def _code(text: str) -> str:
    return text.replace("`", "'")
