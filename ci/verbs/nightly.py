"""`obsqa nightly`: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from ci.lanes import Context
    from qa.model import Lane, Trigger


@click.command(epilog="Example: obsqa nightly --quick --camera hsc")
@options.camera
@options.registry
@options.runs
@options.as_json
@click.option("--quick", is_flag=True, help="Use the small data sets of the commit lane.")
@click.option("--new", "fresh", is_flag=True, help="Begin a new night even if the last one was cut off.")
@options.budget
@click.option(
    "--cron",
    is_flag=True,
    help="Run as a clock's: never beside another such night, into a log of its own, silent unless something is wrong.",
)
@options.calibrations_as_of
@click.option("--keep-pixels", is_flag=True, help="Keep the intermediate images: three times the disk space.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Processes side by side: cameras, and at the end their workers.  [default: the machine's cores]",
)
def nightly(  # noqa: PLR0913 - one for each option
    cameras: tuple[str, ...],
    registry: tuple[Path, ...],
    runs: Path | None,
    jobs: int | None,
    budget: float | None,
    calibrations_as_of: date | None,
    *,
    as_json: bool,
    quick: bool,
    fresh: bool,
    cron: bool,
    keep_pixels: bool,
) -> int:
    """Process every supported camera from raw exposures through coadd measurement, judge it and report it.

    A night that was cut off, by whatever, is continued by the next `obsqa nightly`: finished steps are not done again.
    Ends by printing where the report is.
    """
    from ci.settings import Settings  # noqa: PLC0415 - heavy, as what follows
    from qa.model import Lane, Trigger  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs, registry=registry)

    def night() -> int:
        from ci.wiring import make_context  # noqa: PLC0415

        context = make_context(
            settings,
            cameras,
            jobs=jobs,
            keep_pixels=keep_pixels,
            calibrations_as_of=calibrations_as_of,
            budget_hours=budget,
        )
        trigger = Trigger("cron") if cron else Trigger()
        return _run(context, Lane.COMMIT if quick else Lane.NIGHTLY, trigger, fresh=fresh, as_json=as_json)

    if not cron:
        return night()
    from ci.cron import under_cron  # noqa: PLC0415

    return under_cron(settings, night)


def _run(context: Context, lane: Lane, trigger: Trigger, *, fresh: bool, as_json: bool) -> int:
    from ci.lanes import open_run, run_steps  # noqa: PLC0415
    from ci.notify import tell, tell_begun, told_when_cut_off  # noqa: PLC0415
    from ci.publish import conclude, print_summary, reporting_when_interrupted  # noqa: PLC0415

    folder = open_run(context, lane=lane, trigger=trigger, fresh=fresh)
    tell_begun(context, folder)
    with told_when_cut_off(context, folder), context.console, reporting_when_interrupted(context, folder):
        run_steps(context, folder)
        record = conclude(context, folder, process=True)
        tell(context, folder, record)
    print_summary(context, folder, as_json=as_json)
    return record.exit_code or 0
