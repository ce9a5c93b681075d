"""`obsqa store`: the history in databases, and what of runs and baselines is kept elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from collections.abc import Sequence

INCOMPLETE = 4

_to = click.option(
    "--to",
    metavar="URI",
    help="Folder or URI to send to, such as s3://bucket/folder.  [env: OBSQA_ARTIFACTS]",
)


@click.group()
def store() -> None:
    """Look after the history of all runs, and keep reports, records and baselines elsewhere.

    The history is in `history.sqlite` beside the runs, or in the PostgreSQL database that OBSQA_STORE names. All of it
    can be rebuilt from the folders of the runs.
    """


@store.command(epilog="Example: OBSQA_STORE=postgresql://obsqa@db.example.org/qa obsqa store migrate")
@options.runs
@options.as_json
def migrate(runs: Path | None, *, as_json: bool) -> None:
    """Bring the tables of the history up to date with this version of obsqa.

    A history in a file is brought up to date when it is opened; one that is shared waits until somebody says so here,
    because others may use it with an older version. What is in it stays.
    """
    from ci.settings import Settings  # noqa: PLC0415 - heavy
    from qa.stores.connect import connect, file_url  # noqa: PLC0415
    from qa.stores.schema import upgrade  # noqa: PLC0415
    from qa.stores.sql import FILE  # noqa: PLC0415

    settings = Settings.without_data().override(runs=runs)
    database = connect(settings.store or file_url(settings.runs / FILE))
    before, after = upgrade(database)
    if as_json:
        click.echo(json.dumps({"history": database.name, "before": before, "after": after}))
    elif before == after:
        click.echo(f"{database.name}: up to date, of revision {after}")
    else:
        click.echo(f"{database.name}: of revision {after}, before: {before or 'none'}")


@store.command(epilog="Example: obsqa store sync")
@options.runs
@options.as_json
def sync(runs: Path | None, *, as_json: bool) -> int:
    """Bring into the history what it lacks, from the journals of all runs and the history beside them.

    Where the history is shared, this brings in what nights could not save because it was not there. A night does that
    for itself when it begins; this also finds runs of which the history says something else than their journals.
    """
    from ci.settings import Settings  # noqa: PLC0415 - heavy
    from ci.stores import open_store  # noqa: PLC0415
    from qa.store import SqlStore  # noqa: PLC0415
    from qa.stores.sync import from_journals, from_store  # noqa: PLC0415

    settings = Settings.without_data().override(runs=runs)
    history = open_store(settings)
    done = from_journals(history, settings.runs)
    if settings.store:
        # Runs whose folders are gone are known to the history beside them only.
        own = SqlStore.beside(settings.runs)
        done += from_journals(own, settings.runs, only_missing=True)
        done += from_store(history, own, settings.runs)
    if as_json:
        click.echo(json.dumps({"history": history.name, "brought": done.brought, "left": done.left}))
    else:
        click.echo(f"{history.name}: {_counted(done.brought, 'run')} brought in")
        _warn(done.left)
    return INCOMPLETE if done.left else 0


@store.command(epilog="Example: obsqa store check")
@options.runs
@options.as_json
def check(runs: Path | None, *, as_json: bool) -> int:
    """Compare the history with the journals of all runs, and every run in it with its digest.

    Ends with 4 when a run is missing, otherwise than its journal, or damaged.
    """
    from dataclasses import asdict  # noqa: PLC0415

    from ci.settings import Settings  # noqa: PLC0415 - heavy
    from ci.stores import open_store  # noqa: PLC0415
    from qa.stores.sync import check as checked  # noqa: PLC0415

    settings = Settings.without_data().override(runs=runs)
    history = open_store(settings)
    found = checked(history, settings.runs)
    if as_json:
        click.echo(json.dumps({"history": history.name, **asdict(found)}, sort_keys=True))
        return 0 if found.whole else INCOMPLETE
    click.echo(f"{history.name}: {_counted(range(found.runs), 'run')}")
    for names, what in (
        (found.missing, "missing, though its journal is here"),
        (found.different, "otherwise than its journal"),
        (found.damaged, "damaged: its rows are not those that were written"),
    ):
        for name in names:
            click.echo(f"{name}: {what}; mend it with: obsqa store sync")
    _warn(found.unread)
    return 0 if found.whole else INCOMPLETE


@store.group()
def export() -> None:
    """Write the history as others read it."""


@export.command(epilog="Example: obsqa store export parquet --to history")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder to write to.  [default: .]",
)
@options.runs
@options.as_json
def parquet(folder: Path, runs: Path | None, *, as_json: bool) -> None:
    """Write the history as Parquet: `runs.parquet`, `cameras.parquet` and `results.parquet`, for pandas or DuckDB.

    Each column says in its metadata what it holds and in which unit.
    """
    from ci.settings import Settings  # noqa: PLC0415 - heavy
    from ci.stores import open_store  # noqa: PLC0415
    from qa.stores.parquet import export as exported  # noqa: PLC0415

    written = exported(open_store(Settings.without_data().override(runs=runs)), folder)
    if as_json:
        click.echo(json.dumps({str(path): count for path, count in written.items()}))
        return
    for path, count in written.items():
        click.echo(f"{path}: {count} rows")


@store.command(epilog="Example: obsqa store push latest --to s3://qa-reports/nightly")
@click.argument("run", default="latest")
@_to
@options.runs
@options.as_json
def push(run: str, to: str | None, runs: Path | None, *, as_json: bool) -> None:
    """Send the report and the record of RUN to a folder or a URI, and read them back.

    Every file is compared by its digest with what came there. Pixels and repositories stay. A sending that was cut off
    is completed by sending again.
    """
    from ci.lanes import find_run  # noqa: PLC0415 - heavy
    from ci.settings import Settings  # noqa: PLC0415
    from qa.stores.artefacts import push as pushed  # noqa: PLC0415

    settings = Settings.without_data().override(runs=runs)
    sent = pushed(find_run(settings.runs, run), _place(to, settings.artifacts))
    if as_json:
        click.echo(json.dumps({"place": sent.place, "files": sent.files, "sent": sent.written, "bytes": sent.size}))
        return
    size = f"{sent.size / 1e6:.1f} MB"
    click.echo(f"{sent.place}: {sent.files} files, {size}, {sent.written} of them sent now, all read back")


@store.command(epilog="Example: obsqa store verify 20260301T010000Z --at s3://qa-reports/nightly")
@click.argument("run")
@click.option("--at", metavar="URI", help="Folder or URI it was sent to.  [env: OBSQA_ARTIFACTS]")
@options.as_json
def verify(run: str, at: str | None, *, as_json: bool) -> int:
    """Read RUN, which was sent to a folder or a URI, and compare every file with its digest.

    Ends with 4 when a file is missing or not what was sent.
    """
    from ci.settings import Settings  # noqa: PLC0415 - heavy
    from qa.stores.artefacts import verify as verified  # noqa: PLC0415

    files, faults = verified(run, _place(at, Settings.without_data().artifacts))
    if as_json:
        click.echo(json.dumps({"run": run, "files": files, "faults": faults}))
    else:
        click.echo("\n".join(faults) if faults else f"{run}: {files} files as they were sent")
    return INCOMPLETE if faults else 0


@store.command(epilog="Example: obsqa store publish --to s3://qa/regression-data")
@click.option("--to", metavar="URI", required=True, help="Folder or URI to publish at.")
@options.as_json
def publish(to: str, *, as_json: bool) -> None:
    """Publish the accepted baselines, the ledger and the skies of this checkout for machines without one.

    They read them with OBSQA_REGRESSION_DATA=URI. What is accepted is decided in git; this sends a copy, and readers
    never see half of it.
    """
    from ci.settings import Settings  # noqa: PLC0415 - heavy
    from qa.baselines.lock import check_checkout  # noqa: PLC0415
    from qa.stores.regression import publish as published  # noqa: PLC0415

    root = Settings.from_environment().regression_data
    check_checkout(root)
    sent = published(root, to)
    if as_json:
        click.echo(json.dumps({"place": sent.place, "files": sent.files, "sent": sent.written}))
        return
    click.echo(f"{sent.place}: {sent.files} files of {root}, {sent.written} of them sent now, all read back")


def _place(given: str | None, known: str) -> str:
    place = given or known
    if not place:
        msg = "a place must be given, by --to, --at or the environment variable OBSQA_ARTIFACTS"
        raise click.UsageError(msg)
    return place


def _counted(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _warn(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(f"warning: {line}", err=True)
