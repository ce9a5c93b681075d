"""`obsqa export`: a run's results as others read them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ci import options


@click.group()
def export() -> None:
    """Write a run's results as others read them."""


@export.command(epilog="Example: obsqa export verify latest --to jobs")
@click.argument("run", default="latest")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder to write to.  [default: .]",
)
@options.runs
@options.as_json
def verify(run: str, folder: Path, runs: Path | None, *, as_json: bool) -> None:
    """Write Jobs of lsst.verify, one for each camera, data set, band, tract and task of RUN.

    Metrics go under the package `obsqa`, requirements as specifications of their levels. What was not measured is in
    the metadata, with its reason. `obsqa import verify` reads them back.
    """
    from ci.lanes import find_run  # noqa: PLC0415 - heavy
    from ci.settings import Settings  # noqa: PLC0415
    from qa.documents import atomic_open  # noqa: PLC0415
    from qa.foreign.definitions import definitions  # noqa: PLC0415
    from qa.foreign.export import exportable, file_name, to_jobs  # noqa: PLC0415
    from qa.journal import read_record  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs)
    record = read_record(find_run(settings.runs, run))
    written = []
    for scope, job in to_jobs(record, definitions(record)).items():
        path = folder / file_name(scope)
        with atomic_open(path) as stream:
            stream.write(json.dumps(job, sort_keys=True, indent=1, allow_nan=False).encode() + b"\n")
        written.append(str(path))
    left = sorted({one.metric for one in record.results if not exportable(one.metric)})
    if left:
        click.echo(f"left out, because lsst.verify names metrics package.metric: {', '.join(left)}", err=True)
    click.echo(json.dumps(written) if as_json else "\n".join(written))
