"""`obsqa nightly`: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog="Example: obsqa nightly --quick --camera hsc")
@options.camera
@options.registry
@options.runs
@options.as_json
@click.option("--quick", is_flag=True, help="Use the small data sets of the commit lane.")
@click.option("--new", "fresh", is_flag=True, help="Begin a new night even if the last one was cut off.")
@click.option("--keep-pixels", is_flag=True, help="Keep the intermediate images: three times the disk space.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Processes side by side: cameras, and at the end their workers.  [default: the machine's cores]",
)
def nightly(
    cameras: tuple[str, ...],
    registry: tuple[Path, ...],
    runs: Path | None,
    jobs: int | None,
    *,
    as_json: bool,
    quick: bool,
    fresh: bool,
    keep_pixels: bool,
) -> int:
    """Process every supported camera from raw exposures through coadd measurement, judge it and report it.

    A night that was cut off, by whatever, is continued by the next `obsqa nightly`: finished steps are not done again.
    Ends by printing where the report is.
    """
    from ci.lanes import open_run, run_steps  # noqa: PLC0415 - heavy
    from ci.publish import conclude, print_summary  # noqa: PLC0415
    from ci.settings import Settings  # noqa: PLC0415
    from ci.wiring import make_context  # noqa: PLC0415
    from qa.model import Lane, Trigger  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs, registry=registry)
    context = make_context(settings, cameras, jobs=jobs, keep_pixels=keep_pixels)
    lane = Lane.COMMIT if quick else Lane.NIGHTLY
    folder = open_run(context, lane=lane, trigger=Trigger(), fresh=fresh)
    with context.console:
        run_steps(context, folder)
        record = conclude(context, folder, process=True)
    print_summary(context, folder, as_json=as_json)
    return record.exit_code or 0
