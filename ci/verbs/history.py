"""`obsqa history`: how a metric moved over the nights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from qa.model import HistoryPoint
    from qa.store import Series

SHOWN_NIGHTS = 6


@click.command(epilog="Example: obsqa history PA1 --camera hsc")
@click.argument("metric", required=False)
@click.option("--camera", help="Only this camera.")
@click.option("--rebuild", is_flag=True, help="Read all run folders into the history anew first.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, a line per night and series.")
@options.runs
@options.as_json
def history(
    metric: str | None, camera: str | None, runs: Path | None, *, rebuild: bool, as_csv: bool, as_json: bool
) -> None:
    """Show each night's value of a metric, oldest first: the last nights as a table, or all as CSV or JSON."""
    from ci.settings import Settings  # noqa: PLC0415
    from qa.journal import read_record, runs_under  # noqa: PLC0415 - heavy
    from qa.store import SqlStore  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs)
    store = SqlStore.beside(settings.runs)
    if rebuild:
        for folder in runs_under(settings.runs):
            store.save(read_record(folder))
    frame = as_frame(store.history(camera=camera, metric=metric))
    if as_json:
        click.echo(frame.to_json(orient="records", date_format="iso", indent=1))
    elif as_csv:
        click.echo(frame.to_csv(index=False), nl=False)
    elif frame.empty:
        click.echo("no run has measured that yet", err=True)
    else:
        click.echo(as_table(frame))


def as_frame(series: Mapping[Series, list[HistoryPoint]]) -> pd.DataFrame:
    """Lay a history out with a row per night and series: metric, scope, run, when, value, stderr."""
    import pandas as pd  # noqa: PLC0415 - half a second

    rows = [
        (name, str(scope), point.run_id, point.when, point.value, point.stderr)
        for (name, scope), points in series.items()
        for point in points
    ]
    return pd.DataFrame(rows, columns=["metric", "scope", "run", "when", "value", "stderr"])


def as_table(frame: pd.DataFrame) -> str:
    """Lay the last nights out with a row per series and a column per run; a night without a value shows a dash."""
    table = frame.pivot_table(index=["metric", "scope"], columns="run", values="value", dropna=False, observed=True)
    return table.iloc[:, -SHOWN_NIGHTS:].to_string(na_rep="-", float_format=lambda value: f"{value:.4g}")
