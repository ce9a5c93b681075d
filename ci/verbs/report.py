"""`obsqa report`: write the report of a run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog="Example: obsqa report latest")
@click.argument("run", default="latest")
@options.registry
@options.runs
def report(run: str, registry: tuple[Path, ...], runs: Path | None) -> None:
    """Write the HTML report, JUnit XML and summaries of a judged run again, and print where they are.

    RUN is a run id, a path, or `latest`.
    """
    from ci.lanes import find_run  # noqa: PLC0415 - heavy
    from ci.own_raws import with_own  # noqa: PLC0415
    from ci.publish import publish  # noqa: PLC0415
    from ci.settings import Settings  # noqa: PLC0415
    from ci.wiring import make_context  # noqa: PLC0415
    from qa.journal import read_record  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs, registry=registry)
    folder = find_run(settings.runs, run)
    click.echo(publish(with_own(make_context(settings), folder), folder, read_record(folder)))
