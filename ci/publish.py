"""The second half of a night: judge what was measured, remember it, report it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci.assemble import night_of
from ci.lanes import remember
from obs_registry.lease import state_of
from qa import baselines
from qa.compare import Policy, compare_all
from qa.documents import write_document
from qa.errors import RequestError
from qa.journal import FILE_NAME, Journal, read_record
from qa.manifest import expected
from qa.metrics import catalogue
from qa.model import Comparison, Level, Plan
from qa.record import Judged, RunFinished
from qa.requirements import load
from qa.verdict import ExitCode, verdict
from reports.site import write_site
from reports.text import terminal
from reports.view import build

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from ci.lanes import Context
    from obs_registry.model import Camera
    from qa.record import Measured, RunRecord

REPORT = "report"


def conclude(context: Context, folder: Path) -> RunRecord:
    """Judge a run, write its end, remember it and publish its report."""
    with Journal(folder / FILE_NAME, context.clock) as journal:
        record = read_record(folder)
        judged = judge(context, record)
        journal.append(judged)
        journal.append(RunFinished(_exit_code(context, record, judged.comparisons)))
    record = read_record(folder)
    write_document(folder / "plan.json", "plan", record.plan, Plan)
    write_document(folder / "provenance.json", "provenance", record.provenance, dict[str, str])
    write_document(folder / "comparisons.json", "comparisons", record.comparisons, tuple[Comparison, ...])
    remember(context, record)
    publish(context, folder, record)
    return record


def judge(context: Context, record: RunRecord) -> Judged:
    """Compare every data set that was measured; one that could not be processed is an outage, not a regression.

    A camera whose baselines cannot be read is not judged, which leaves the night incomplete; the others are.
    """
    comparisons: list[Comparison] = []
    unjudged: dict[str, str] = {}
    cameras = {camera.name: camera for camera in context.cameras}
    for measured in record.measured.values():
        if measured.camera not in cameras:
            continue  # gone from the registry since: the report says so
        try:
            comparisons += _judge_dataset(context, record, cameras[measured.camera], measured)
        except RequestError as error:
            unjudged[measured.camera] = str(error)
            context.console.say(f"{measured.camera} is not judged: {error}")
    return Judged(tuple(comparisons), unjudged)


def _judge_dataset(context: Context, record: RunRecord, camera: Camera, measured: Measured) -> tuple[Comparison, ...]:
    definitions = catalogue()
    dataset = next(dataset for dataset in camera.datasets if dataset.name == measured.dataset)
    return compare_all(
        measured.results,
        expected(camera.name, dataset, definitions),
        baselines.load(context.settings.regression_data, camera.name, dataset.name),
        definitions=definitions,
        policy=_policy(camera, record.plan.created.date()),
    )


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


def _policy(camera: Camera, today: date) -> Policy:
    return Policy(
        requirements=load(camera.requirements.profile),
        gate=Level(camera.requirements.gate),
        gating=state_of(camera, today).gates,
    )


def _exit_code(context: Context, record: RunRecord, comparisons: tuple[Comparison, ...]) -> ExitCode:
    today = record.plan.created.date()
    code = verdict(
        comparisons,
        tuple(record.outcomes.values()),
        planned=record.plan.steps,
        not_gating=[camera.name for camera in context.cameras if not state_of(camera, today).gates],
    )
    # A camera whose file cannot be read was not run, however well the others did.
    return ExitCode.INCOMPLETE if code is ExitCode.PASS and context.faulty else code
