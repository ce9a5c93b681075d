"""`obsqa requirements report`: a Job of lsst.verify beside the requirements and a release's targets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from qa.model import Level
    from qa.requirements.report import Row


@click.command(epilog="Example: obsqa requirements report matchedVisit_r.json --level design --release FY17 --rst")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--level", type=click.Choice(["minimum", "design", "stretch"]), default="design", show_default=True, help="Level."
)
@click.option("--release", default="ORR", show_default=True, help="Release whose targets to show: FY17 ... ORR.")
@click.option(
    "--package",
    type=click.Path(path_type=Path),
    help="Metrics package of lsst.verify to take the release's targets from, and the requirements of a Job that quotes "
    "none.  [default: what the Job quotes]",
)
@click.option("--rst", "as_rst", is_flag=True, help="Write reStructuredText.")
@options.as_json
def report(
    files: tuple[Path, ...], level: str, release: str, package: Path | None, *, as_rst: bool, as_json: bool
) -> None:
    """Show the metrics of LPM-17 in FILES of lsst.verify beside what is required and a release's targets.

    This is the table of validate_drp's reportPerformance.py: `**` was not measured, `nan` has no target. The limits
    are those that the files or the package quote, right or wrong (see `obsqa requirements doctor`).
    """
    from qa.model import Level  # noqa: PLC0415 - heavy
    from qa.requirements.report import plain, rst  # noqa: PLC0415

    wanted = Level(level)
    rows = [row for path in files for row in _rows(path, wanted, release, package)]
    if as_json:
        click.echo(json.dumps({"level": level, "release": release, "rows": plain(rows)}, indent=1, allow_nan=False))
    elif as_rst:
        click.echo(rst(rows, level=wanted, release=release), nl=False)
    else:
        _print(rows, wanted, release)


def _rows(path: Path, level: Level, release: str, package: Path | None) -> tuple[Row, ...]:
    from qa.foreign.jobs import origin_of, read_job  # noqa: PLC0415 - heavy
    from qa.requirements.report import Value, table  # noqa: PLC0415
    from qa.requirements.verify import load_package  # noqa: PLC0415

    job, _ = read_job(path)
    given = load_package(package).specifications if package else None
    own = {one.name: one for one in job.specifications}
    return table(
        {one.metric: Value(one.value, one.unit or "") for one in job.measurements},
        origin_of(job.meta).filter or "",
        own or given or {},
        level=level,
        release=release,
        targets=given,
        name=str(path),
    )


def _print(rows: list[Row], level: Level, release: str) -> None:
    from rich.console import Console  # noqa: PLC0415 - only for people
    from rich.table import Table  # noqa: PLC0415

    from qa.requirements.report import columns  # noqa: PLC0415

    shown = Table(box=None, pad_edge=False)
    for index, name in enumerate(columns(level, release)[:-1]):
        shown.add_column(name, justify="left" if index in {0, 1, 2, 3} else "right")
    for row in rows:
        shown.add_row(*row.cells[:-1])
    Console().print(shown)
