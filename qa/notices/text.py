"""The words of notices: a subject of one line and a plain text, bounded in length and free of control characters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qa.model import Status
from qa.notices.model import Notice, State
from qa.notices.news import Topic
from qa.plan import NOT_ASKED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from qa.judging.judged import Finding, Incident
    from qa.notices.digest import Digest
    from qa.notices.news import Item
    from qa.record import RunRecord

SHOWN = 8
"""Lines of one group before the rest is counted."""

LONGEST_LINE = 400
LONGEST_SUBJECT = 140
"""Characters; more than that GitHub refuses in a status."""

_SEVERITY = {Status.FAIL: "FAIL", Status.WARN: "warn", Status.PASS: "pass"}
_ENDS = {
    0: "it passed",
    1: "a verdict failed",
    3: "infrastructure failed",
    4: "it is incomplete: a camera did not come through",
}


def notice_of(digest: Digest, report: str = "") -> Notice:
    """Word a digest; `report` is the address of reports with `{run}` in it, or empty."""
    record = digest.record
    link = link_of(report, record)
    return Notice(
        run=record.run_id,
        subject=one_line(f"obsqa {_run(record)}: {_counts(digest)}", LONGEST_SUBJECT),
        text="\n".join(_lines(digest, link)) + "\n",
        state=state_of(record),
        link=link,
    )


def status_of(record: RunRecord, report: str = "") -> Notice:
    """Word how a run ended for the commit it tested; its context tells runs of single cameras apart."""
    asked = any(one.reason == NOT_ASKED for one in record.plan.not_run)
    cameras = "+".join(sorted(record.plan.cameras)) if asked else ""
    context = "/".join(filter(None, ("obsqa", record.plan.lane.value, cameras)))
    failed = sorted({one.scope.camera for one in record.comparisons if one.status is Status.FAIL})
    named = f": {', '.join(failed)}" if failed and record.exit_code == 1 else ""
    subject = one_line(f"{_end(record)}{named}", LONGEST_SUBJECT)
    return Notice(record.run_id, subject, subject, state_of(record), link_of(report, record), one_line(context, 100))


def cut_off_of(record: RunRecord, report: str = "") -> Notice:
    """Word for its commit that a run was cut off before its end, if it was: it may be continued, and may not."""
    status = status_of(record, report)
    if record.exit_code is not None:
        return status
    return replace(status, subject="it was cut off", text="it was cut off", state=State.ERROR)


def alarm_of(subject: str, lines: Iterable[str]) -> Notice:
    """Word what went wrong with a run that left no record."""
    text = "\n".join(one_line(line) for line in lines)
    return Notice("", one_line(f"obsqa: {subject}", LONGEST_SUBJECT), f"{text}\n", State.ERROR)


def state_of(record: RunRecord) -> State:
    """Return what a commit is said to be: a failure is a verdict, anything else that is not well an error."""
    if record.exit_code is None:
        return State.PENDING
    return {0: State.SUCCESS, 1: State.FAILURE}.get(record.exit_code, State.ERROR)


def link_of(report: str, record: RunRecord) -> str:
    """Return the address of a run's report, empty where reports have none."""
    return report.replace("{run}", record.run_id)


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """Write a text in one line, what cannot be printed as spaces, and not longer than asked."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= longest else f"{line[: longest - 3].rstrip()}..."


def _run(record: RunRecord) -> str:
    return f"{record.plan.lane.value} {record.plan.created.date()}"


def _end(record: RunRecord) -> str:
    code = record.exit_code
    return "it is under way" if code is None else _ENDS.get(code, f"it ended with exit code {code}")


def _counts(digest: Digest) -> str:
    new, fixed, leases = digest.of(Topic.NEW), digest.of(Topic.FIXED), digest.leases
    counts = (
        (len(new), "new finding", "new findings"),
        (len(fixed), "mended", "mended"),
        (len(leases), "lease to renew", "leases to renew"),
    )
    said = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    cameras = dict.fromkeys(one.camera for one in (*new, *fixed))
    return (", ".join(said) or "nothing new") + (f" ({', '.join(cameras)})" if cameras else "")


def _lines(digest: Digest, link: str) -> Iterator[str]:
    record = digest.record
    yield one_line(f"Run {record.run_id} ({_run(record)}): {_end(record)}.")
    if new := digest.of(Topic.NEW):
        yield from ("", "New", *_by_incident(new))
    if fixed := digest.of(Topic.FIXED):
        yield from ("", "Mended", *_bounded([f"- {_series(one.finding)}" for one in fixed]))
    if digest.leases:
        yield from ("", "Leases", *(one_line(f"- {line}") for line in digest.leases))
    if standing := digest.of(Topic.STANDING):
        open_ = [f"- {_series(one.finding)}, since {one.finding.first.date()}" for one in standing]
        yield from ("", f"Still open: {len(standing)}", *_bounded(open_))
    if link:
        yield from ("", one_line(f"Report: {link}"))
    yield from ("", one_line(f"You are told because {'; '.join(digest.because)}.", 4 * LONGEST_LINE))


def _by_incident(found: Sequence[Item]) -> Iterator[str]:
    """Yield one group for each incident and then what belongs to none, the worst first."""
    incidents = {one.incident.id: one.incident for one in found if one.incident}
    for incident in incidents.values():
        members = [one for one in found if one.incident and one.incident.id == incident.id]
        yield from _incident(incident)
        yield from _bounded([f"  {_said(one.finding)}" for one in _worst_first(members)], indent="  ")
    yield from _bounded([f"- {_said(one.finding)}" for one in _worst_first(found) if one.incident is None])


def _incident(incident: Incident) -> Iterator[str]:
    yield one_line(f"- {incident.headline}")
    yield from _bounded([f"  changed: {fact}" for fact in incident.changed], indent="  ")


def _worst_first(found: Iterable[Item]) -> list[Item]:
    return sorted(found, key=lambda one: one.finding.status is not Status.FAIL)


def _bounded(lines: Sequence[str], *, indent: str = "") -> list[str]:
    """Return lines, those beyond `SHOWN` counted."""
    clean = [line[: len(line) - len(line.lstrip())] + one_line(line) for line in lines]
    return clean if len(clean) <= SHOWN + 1 else [*clean[:SHOWN], f"{indent}and {len(clean) - SHOWN} more"]


def _series(finding: Finding) -> str:
    return f"{finding.metric} of {finding.scope}"


def _said(finding: Finding) -> str:
    return f"{_SEVERITY[finding.status]} {_series(finding)}: {finding.reason}"
