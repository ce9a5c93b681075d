"""`obsqa baseline accept`: make the results of a run the baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options
from ci.verbs.baseline import shared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from qa.baselines.acceptance import Proposal
    from qa.judging.compare import Key
    from qa.model import Result
    from qa.record import RunRecord


@click.command(
    epilog="""\b
Examples:
  obsqa baseline accept latest --camera hsc --metric PA1 --why 'new aperture correction'
  obsqa baseline accept latest --cause 3f2a --why 'wanted: new PSF model' --dry-run"""
)
@click.argument("run")
@click.option("--camera", "cameras", multiple=True, help="Only this camera, or those that fit a pattern; repeatable.")
@shared.metric
@click.option(
    "--cause",
    "causes",
    multiple=True,
    metavar="INCIDENT",
    help="Only what an incident of the run moved, or all of one cause (algorithm, camera, data, ...); repeatable.",
)
@click.option("--why", help="Why, in a sentence for those who read the ledger.")
@shared.ticket
@click.option("--waiver", help="Why a value below the minimum of its requirement is accepted all the same.")
@click.option("--expires", type=shared.DAY, help="Until when this holds; `obsqa baseline expire` takes it back then.")
@click.option("--new-reference", is_flag=True, help="Hold later changes against these levels when they creep.")
@click.option("--forget-spread", is_flag=True, help="Assume run-to-run spreads anew where they were learned.")
@shared.dry_run
@shared.who
@options.registry
@options.runs
@options.as_json
def accept(  # noqa: PLR0913 - an argument for each option
    run: str,
    cameras: tuple[str, ...],
    metrics: tuple[str, ...],
    causes: tuple[str, ...],
    *,
    why: str | None,
    ticket: str | None,
    waiver: str | None,
    expires: datetime | None,
    new_reference: bool,
    forget_spread: bool,
    dry_run: bool,
    who: str | None,
    registry: tuple[Path, ...],
    runs: Path | None,
    as_json: bool,
) -> None:
    """Make the results of RUN (an id, a path or `latest`) the baselines.

    What is steady keeps its baseline, and so does what was not measured this time, unless its metric is named in full
    by --metric. A pattern, and a --cause, pick among what moved.
    """
    from ci.decisions import decision, rules, today  # noqa: PLC0415 - heavy
    from ci.lanes import find_run  # noqa: PLC0415
    from ci.settings import Settings  # noqa: PLC0415
    from qa import baselines  # noqa: PLC0415
    from qa.baselines.acceptance import Selection  # noqa: PLC0415

    if why is None and not dry_run:
        msg = "Missing option '--why'."
        raise click.UsageError(msg)
    settings = Settings.from_environment().override(runs=runs, registry=registry)
    folder = find_run(settings.runs, run)
    record = _record(folder)
    results = _of_cameras(_results(folder, record), cameras)
    selection = Selection(metrics, _members(record, causes) if causes else None)
    answers = rules(settings, results, record=record, keep_spreads=not forget_spread)
    root = settings.regression_data
    if dry_run:
        found = baselines.proposals(root, results, run=folder.name, rules=answers, today=today(), selection=selection)
        _print_preview(found, waiver=waiver, as_json=as_json)
        return
    made = decision(
        who, why or "", ticket=ticket, waiver=waiver, expires=shared.day_of(expires), reference=new_reference
    )
    entries = baselines.accept(
        root, results, run=folder.name, decision=made, rules=answers, selection=selection, tell=shared.tell
    )
    shared.print_entries(entries, as_json=as_json)
    if entries and not as_json:
        click.echo(shared.totals([move for entry in entries for move in entry.moves]))


def _record(folder: Path) -> RunRecord | None:
    """Return what the journal says; None where it is empty and the run is its measurements alone."""
    from qa.journal import FILE_NAME, read_record  # noqa: PLC0415

    return read_record(folder) if (folder / FILE_NAME).stat().st_size else None


def _results(run: Path, record: RunRecord | None) -> list[Result]:
    """Return the results of a run, from its journal, or from the files beside it where that has none.

    Raises
    ------
    RequestError
        If the run has none.
    """
    from qa.documents import read_document  # noqa: PLC0415
    from qa.errors import RequestError  # noqa: PLC0415
    from qa.model import Result  # noqa: PLC0415

    if record is not None and record.measured:
        return list(record.results)
    paths = sorted(run.glob("*/*/measurements.json"))
    if not paths:
        msg = f"{run}: the run must have measured something, found no measurements.json; run: obsqa measure {run.name}"
        raise RequestError(msg)
    return [one for path in paths for one in read_document(path, "measurements", tuple[Result, ...])]


def _of_cameras(results: Sequence[Result], cameras: tuple[str, ...]) -> list[Result]:
    """Narrow results down to cameras; a name or pattern that no camera fits is refused."""
    from qa.baselines.acceptance import matches  # noqa: PLC0415
    from qa.errors import UnknownNameError  # noqa: PLC0415

    measured = sorted({one.scope.camera for one in results})
    for camera in cameras:
        if not any(matches(name, camera) for name in measured):
            kind = "camera measured in this run"
            raise UnknownNameError(kind, camera, measured)
    return [one for one in results if not cameras or any(matches(one.scope.camera, camera) for camera in cameras)]


def _members(record: RunRecord | None, causes: tuple[str, ...]) -> frozenset[Key]:
    """Return what incidents moved: one by the beginning of its name, or all of a cause."""
    from qa.errors import UnknownNameError  # noqa: PLC0415

    incidents = record.incidents if record else ()
    members: set[Key] = set()
    for cause in causes:
        named = [one for one in incidents if one.id == cause] or [one for one in incidents if one.id.startswith(cause)]
        of_cause = [one for one in incidents if one.cause.value == cause]
        if not of_cause and len(named) != 1:
            kind = "incident of this run" if not named else "single incident of this run"
            raise UnknownNameError(kind, cause, (f"{one.id} ({one.cause})" for one in incidents))
        members.update(member for one in of_cause or named for member in one.members)
    return frozenset(members)


def _print_preview(found: Sequence[Proposal], *, waiver: str | None, as_json: bool) -> None:
    """Print what would move, by data set, and what would be refused.

    Raises
    ------
    BelowMinimumError
        If something would be refused, after everything was printed.
    """
    from qa.baselines import BelowMinimumError  # noqa: PLC0415

    groups: dict[tuple[str, str], list[Proposal]] = {}
    for one in found:
        groups.setdefault((one.comparison.scope.camera, one.comparison.scope.dataset), []).append(one)
    if as_json:
        shared.print_json([_plain(*of, group) for of, group in groups.items()])
    else:
        for (camera, dataset), group in groups.items():
            click.echo(f"would accept  {camera}/{dataset}")
            notes = ["below minimum: needs --waiver" if one.refused else one.move.waived or "" for one in group]
            for line in shared.move_lines([one.move for one in group], notes=notes):
                click.echo(line)
        click.echo(shared.totals([one.move for one in found]) if found else "nothing to change")
    refused = [one.comparison for one in found if one.refused]
    if refused and not waiver:
        raise BelowMinimumError(refused)


def _plain(camera: str, dataset: str, group: Sequence[Proposal]) -> dict[str, object]:
    moves = [one.move.model_dump(mode="json") | {"refused": one.refused} for one in group]
    return {"camera": camera, "dataset": dataset, "moves": moves}
