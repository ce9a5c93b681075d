"""`obsqa compare`: judge a run's measurements again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog="Example: obsqa compare latest")
@click.argument("run", default="latest")
@options.registry
@options.runs
@options.as_json
def compare(run: str, registry: tuple[Path, ...], runs: Path | None, *, as_json: bool) -> int:
    """Judge a run again, with today's baselines and requirements, and write its report again.

    RUN is a run id, a path, or `latest`.
    """
    from ci.lanes import find_run  # noqa: PLC0415 - heavy
    from ci.own_raws import with_own  # noqa: PLC0415
    from ci.publish import conclude, print_summary  # noqa: PLC0415
    from ci.settings import Settings  # noqa: PLC0415
    from ci.wiring import make_context  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs, registry=registry)
    folder = find_run(settings.runs, run)
    context = with_own(make_context(settings), folder)
    record = conclude(context, folder)
    print_summary(context, folder, as_json=as_json)
    return record.exit_code or 0
