"""`obsqa history`: how a metric moved over the nights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from pathlib import Path


@click.command(epilog="Example: obsqa history PA1 --camera hsc")
@click.argument("metric", required=False)
@click.option("--camera", help="Only this camera.")
@click.option("--rebuild", is_flag=True, help="Read all run folders into the history anew first.")
@options.runs
@options.as_json
def history(metric: str | None, camera: str | None, runs: Path | None, *, rebuild: bool, as_json: bool) -> None:
    """Show each night's value of a metric, oldest first."""
    import json  # noqa: PLC0415

    from ci.settings import Settings  # noqa: PLC0415
    from qa.journal import read_record, runs_under  # noqa: PLC0415 - heavy
    from qa.store import SqlStore  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs)
    store = SqlStore.beside(settings.runs)
    if rebuild:
        for folder in runs_under(settings.runs):
            store.save(read_record(folder))
    series = store.history(camera=camera, metric=metric)
    if as_json:
        rows = [
            {"metric": name, "scope": str(scope), "run": p.run_id, "when": p.when.isoformat(), "value": p.value}
            | {"stderr": p.stderr}
            for (name, scope), points in series.items()
            for p in points
        ]
        click.echo(json.dumps(rows, indent=1))
        return
    for (name, scope), points in sorted(series.items()):
        values = "  ".join("-" if point.value is None else f"{point.value:.4g}" for point in points)
        click.echo(f"{name} {scope}: {values}")
    if not series:
        click.echo("no run has measured that yet", err=True)
