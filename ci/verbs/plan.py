"""`obsqa plan`: what a night would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from pathlib import Path

    from qa.model import Promise


@click.command(epilog="Example: obsqa plan --quick --json")
@options.camera
@options.registry
@options.runs
@options.as_json
@options.budget
@click.option("--quick", is_flag=True, help="Plan with the small data sets of the commit lane.")
def plan(
    cameras: tuple[str, ...],
    registry: tuple[Path, ...],
    runs: Path | None,
    budget: float | None,
    *,
    as_json: bool,
    quick: bool,
) -> None:
    """Show which cameras a night would take, in which order, and which it would leave out and why.

    Also how long each sponsored camera is estimated to take, and whether it will be measured within the week.
    """
    import json  # noqa: PLC0415

    from ci.lanes import fresh_plan  # noqa: PLC0415 - heavy
    from ci.settings import Settings  # noqa: PLC0415
    from ci.wiring import make_context  # noqa: PLC0415
    from qa.documents import to_plain  # noqa: PLC0415
    from qa.model import Lane, Plan, Trigger  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs, registry=registry)
    context = make_context(settings, cameras, budget_hours=budget)
    planned = fresh_plan(context, Lane.COMMIT if quick else Lane.NIGHTLY, Trigger())
    if as_json:
        click.echo(json.dumps(to_plain(planned, Plan), sort_keys=True, indent=1))
        return
    for name in planned.cameras:
        stages = [f"{step.dataset}/{step.stage}" for step in planned.steps if step.camera == name]
        click.echo(f"{name}: {', '.join(stages)}")
    for left_out in planned.not_run:
        click.echo(f"{left_out.camera}: not run: {left_out.reason}")
    for one in planned.left_out:
        click.echo(f"{one.camera}: {one.dataset} not run: {one.reason}")
    for promise in planned.promises:
        click.echo(f"{promise.camera}: {_worded(promise)}")


def _worded(promise: Promise) -> str:
    takes = f"takes about {promise.hours:.2g} h, " if promise.hours else ""
    due = f"due by {promise.due:%Y-%m-%d %H:%M} UTC" if promise.due else "never measured on coadds"
    return f"{takes}{due}" + ("" if promise.kept else f"; not kept: {promise.reason or 'planned now'}")
