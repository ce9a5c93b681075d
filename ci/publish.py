"""The second half of a night: judge what was measured, remember it, report it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from ci.assemble import night_of
from ci.judging import judge
from ci.lanes import remember
from ci.stores import keep
from qa.documents import write_document
from qa.journal import FILE_NAME, Journal, read_entries, read_record
from qa.model import Comparison, Plan
from qa.record import Entry, RunFinished, replay
from reports.site import write_site
from reports.text import terminal
from reports.view import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ci.lanes import Context
    from qa.record import RunRecord

REPORT = "report"


def conclude(context: Context, folder: Path, *, process: bool = False) -> RunRecord:
    """Judge a run, write its end, remember it and publish its report; for `process` see `ci.judging.judge`."""
    with Journal(folder / FILE_NAME, context.clock) as journal:
        judgement = judge(context, folder, read_record(folder), process=process)
        journal.append(judgement.judged)
        journal.append(RunFinished(judgement.exit_code))
    record = read_record(folder)
    write_document(folder / "plan.json", "plan", record.plan, Plan)
    write_document(folder / "provenance.json", "provenance", record.provenance, dict[str, str])
    write_document(folder / "comparisons.json", "comparisons", record.comparisons, tuple[Comparison, ...])
    remember(context, record)
    publish(context, folder, record)
    keep(context, folder)
    return record


@contextmanager
def reporting_when_interrupted(context: Context, folder: Path) -> Iterator[None]:
    """Report what there is when the user, or a CI server that ends its job, interrupts; the run can be continued."""
    try:
        yield
    except KeyboardInterrupt:
        report_so_far(context, folder)
        raise


def report_so_far(context: Context, folder: Path) -> None:
    """Report what there is of a run that was interrupted and can be continued."""
    with suppress(Exception):  # what cannot be reported now must not hide that the run was interrupted
        first = publish(context, folder, _as_far_as_it_got(context, folder))
        context.console.say(f"report of what there is: {first}")


def _as_far_as_it_got(context: Context, folder: Path) -> RunRecord:
    """Return the record of a run as if it were judged now, which its journal does not keep."""
    judged = judge(context, folder, read_record(folder)).judged
    record = replay((*read_entries(folder / FILE_NAME), Entry(context.clock(), judged)))
    assert record is not None  # noqa: S101 - it has been read
    return record


def publish(context: Context, folder: Path, record: RunRecord) -> Path:
    """Write the site of a run and return its first page."""
    return write_site(night_of(context, folder, record), folder / REPORT)


def print_summary(context: Context, folder: Path, *, as_json: bool) -> None:
    """Print the verdict on stdout, and last where the report is."""
    if as_json:
        click.echo((folder / REPORT / "summary.json").read_text().rstrip())
        return
    from rich.console import Console  # noqa: PLC0415 - only for people

    Console().print(terminal(build(night_of(context, folder, read_record(folder)))))
    click.echo(f"\nreport: {(folder / REPORT / 'index.html').resolve()}")
