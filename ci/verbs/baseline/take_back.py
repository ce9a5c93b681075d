"""`obsqa baseline undo`, `expire` and `drop`: decisions that end earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options
from ci.verbs.baseline import shared

if TYPE_CHECKING:
    from datetime import datetime

    from qa.baselines.standing import Standing

EXPIRED = "the day until which it was meant to hold has passed"


@click.command(epilog="Example: obsqa baseline undo --why 'accepted by mistake'")
@click.argument("entry", required=False)
@shared.why
@shared.ticket
@shared.who
@options.as_json
def undo(entry: str | None, *, why: str, ticket: str | None, who: str | None, as_json: bool) -> None:
    """Take an ENTRY of the ledger back; without one, the last that still holds."""
    from ci.decisions import decision  # noqa: PLC0415 - heavy
    from ci.settings import Settings  # noqa: PLC0415
    from qa import baselines  # noqa: PLC0415

    root = Settings.from_environment().regression_data
    made = baselines.undo(root, decision=decision(who, why, ticket=ticket), entry_id=entry, tell=shared.tell)
    shared.print_entries([made], as_json=as_json)


@click.command(epilog="Example: obsqa baseline expire --dry-run")
@click.option("--why", default=EXPIRED, help="Why, for those who read the ledger.  [default: its day has passed]")
@shared.ticket
@click.option("--on", type=shared.DAY, metavar="DATE", help="Judge the dates on this day.  [default: today]")
@shared.dry_run
@shared.who
@options.as_json
def expire(*, why: str, ticket: str | None, on: datetime | None, dry_run: bool, who: str | None, as_json: bool) -> None:
    """Take back what was accepted until a day that has passed, and was not moved on since.

    Its baselines become what they were before: what was accepted for a while stands out again.
    """
    from ci.decisions import decision, today  # noqa: PLC0415 - heavy
    from ci.settings import Settings  # noqa: PLC0415
    from qa import baselines  # noqa: PLC0415

    root, day = Settings.from_environment().regression_data, shared.day_of(on) or today()
    if dry_run:
        _print_expired(baselines.expired(baselines.ledger(root), day), as_json=as_json)
        return
    made = decision(who, why, ticket=ticket)
    shared.print_entries(baselines.expire(root, decision=made, today=day, tell=shared.tell), as_json=as_json)


@click.command(epilog="Example: obsqa baseline drop --task warp --why 'coadds are made in tiles now' --dry-run")
@click.option("--camera", "cameras", multiple=True, help="Of this camera; a pattern will do, and may be repeated.")
@click.option("--dataset", "datasets", multiple=True, help="Of this data set; as above.")
@shared.metric
@click.option("--band", "bands", multiple=True, help="In this band; as above.")
@click.option("--task", "tasks", multiple=True, help="Of this task; as above.")
@click.option("--why", help="Why, in a sentence for those who read the ledger.")
@shared.ticket
@shared.dry_run
@shared.who
@options.as_json
def drop(  # noqa: PLR0913 - an argument for each option
    cameras: tuple[str, ...],
    datasets: tuple[str, ...],
    metrics: tuple[str, ...],
    bands: tuple[str, ...],
    tasks: tuple[str, ...],
    *,
    why: str | None,
    ticket: str | None,
    dry_run: bool,
    who: str | None,
    as_json: bool,
) -> None:
    """Let baselines go: of a metric, task, band or data set that is no more.

    A metric that still exists and cannot be measured is better accepted as absent.
    """
    from ci.decisions import decision  # noqa: PLC0415 - heavy
    from ci.settings import Settings  # noqa: PLC0415
    from qa import baselines  # noqa: PLC0415

    if not (cameras or datasets or metrics or bands or tasks):
        msg = "say which baselines to let go, with --camera, --dataset, --metric, --band or --task"
        raise click.UsageError(msg)
    if why is None and not dry_run:
        msg = "Missing option '--why'."
        raise click.UsageError(msg)
    root = Settings.from_environment().regression_data
    choice = baselines.Choice(cameras, datasets, metrics, bands, tasks)
    if dry_run:
        meant = baselines.droppable(root, choice)
        if as_json:
            shared.print_json([f"{metric} of {scope}" for metric, scope in meant])
            return
        for metric, scope in meant:
            click.echo(f"would let go  {metric} of {scope}")
        click.echo(f"{len(meant)} baseline{'s' if len(meant) != 1 else ''}")
        return
    made = decision(who, why or "", ticket=ticket)
    shared.print_entries(baselines.drop(root, choice, decision=made, tell=shared.tell), as_json=as_json)


def _print_expired(found: tuple[Standing, ...], *, as_json: bool) -> None:
    if as_json:
        plain = [
            one.entry.model_dump(mode="json") | {"moves": [move.model_dump(mode="json") for move in one.moves]}
            for one in found
        ]
        shared.print_json(plain)
        return
    if not found:
        click.echo("nothing has expired")
    for one in found:
        entry = one.entry
        click.echo(f"{entry.id}  until {entry.decision.expires}  {entry.camera}/{entry.dataset}  {entry.decision.why}")
        for line in shared.move_lines(one.moves):
            click.echo(line)
