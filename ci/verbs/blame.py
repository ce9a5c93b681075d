"""`obsqa blame`: what caused that which moved in a run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from pathlib import Path

    from qa.judging.judged import Incident

SHOWN_MEMBERS = 12


@click.command(epilog="Example: obsqa blame latest")
@click.argument("run", default="latest")
@click.option("--all", "every", is_flag=True, help="List all members of large incidents.")
@options.registry
@options.runs
@options.as_json
def blame(run: str, registry: tuple[Path, ...], runs: Path | None, *, every: bool, as_json: bool) -> None:
    """Say for everything that moved in a run what is to blame, with the evidence and its weight.

    RUN is a run id, a path, or `latest`. Read from the journals of the runs anew: no history is needed.
    """
    from ci.blaming import incidents_of  # noqa: PLC0415 - heavy
    from ci.confirm import FOLDER  # noqa: PLC0415
    from ci.lanes import find_run  # noqa: PLC0415
    from ci.settings import Settings  # noqa: PLC0415
    from ci.wiring import read_cameras  # noqa: PLC0415
    from qa.errors import RequestError  # noqa: PLC0415
    from qa.journal import FILE_NAME, read_record  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs, registry=registry)
    folder = find_run(settings.runs, run)
    record = read_record(folder)
    if not record.comparisons:
        msg = f"{record.run_id} must have been judged, found no comparison in its journal; run: obsqa compare {run}"
        raise RequestError(msg)
    second = folder / FOLDER
    found = incidents_of(
        record,
        record.comparisons,
        runs=folder.parent,
        cameras=read_cameras(settings)[0],
        shifts=record.shifts,
        again=read_record(second).results if (second / FILE_NAME).is_file() else (),
        say=lambda text: click.echo(text, err=True),
    )
    if as_json:
        click.echo(_json(record.run_id, found))
    elif not found:
        click.echo(f"{record.run_id}: nothing moved, there is nothing to blame")
    else:
        click.echo("\n\n".join(_text(one, math.inf if every else SHOWN_MEMBERS) for one in found))


def _text(one: Incident, most: float) -> str:
    """Lay out one incident: headline, evidence heaviest first, members."""
    from qa.blame.odds import probability  # noqa: PLC0415

    lines = [
        f"{one.cause.value.upper()}, {_percent(probability(one.odds, one.cause))}  {one.headline}",
        f"  incident {one.id}" + (f", last good run {one.last_good}" if one.last_good else ", no good run is known"),
    ]
    lines += [f"  {each.weight:+6.1f} {each.favours.value:<11} {each.text}" for each in one.evidence]
    shown = one.members[: None if math.isinf(most) else int(most)]
    lines += [f"    {metric} ({scope})" for metric, scope in shown]
    if len(shown) < len(one.members):
        lines.append(f"    and {len(one.members) - len(shown)} more (--all)")
    return "\n".join(lines)


def _percent(chance: float) -> str:
    return "over 99 %" if chance > 0.99 else f"{max(1, round(100 * chance))} %"  # noqa: PLR2004 - two digits


def _json(run_id: str, found: tuple[Incident, ...]) -> str:
    import json  # noqa: PLC0415

    from qa.blame.odds import probability  # noqa: PLC0415
    from qa.documents import SCHEMA, to_plain  # noqa: PLC0415
    from qa.judging.judged import Incident as Kind  # noqa: PLC0415

    plain = [to_plain(one, Kind) | {"probability": probability(one.odds, one.cause)} for one in found]
    return json.dumps({"schema": SCHEMA, "run": run_id, "incidents": plain}, sort_keys=True, indent=1)
