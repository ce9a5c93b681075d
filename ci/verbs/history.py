"""`obsqa history`: how a metric moved over the nights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pandas as pd

    from qa.changes.hindsight import Level
    from qa.judging.judged import Shift
    from qa.model import HistoryPoint
    from qa.store import Series

SHOWN_NIGHTS = 6


@click.command(epilog="Example: obsqa history PA1 --camera hsc")
@click.argument("metric", required=False)
@click.option("--camera", help="Only this camera.")
@click.option("--rebuild", is_flag=True, help="Read all run folders into the history anew first.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, a line per night and series.")
@click.option("--changes", is_flag=True, help="Show the steps, drifts, spikes and gaps instead of the values.")
@click.option("--levels", is_flag=True, help="Show into which levels the whole history falls, looking back on it.")
@click.option("--false-reports", default=1.0, help="How many false ones to allow a month over 500 series (1).")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the history of METRIC, with its changes (or --levels), into this .png, .pdf or .svg file.",
)
@options.runs
@options.as_json
def history(  # noqa: PLR0913 - an argument for each option
    metric: str | None,
    camera: str | None,
    runs: Path | None,
    plot: Path | None,
    *,
    rebuild: bool,
    as_csv: bool,
    as_json: bool,
    changes: bool,
    levels: bool,
    false_reports: float,
) -> None:
    """Show each night's value of a metric, oldest first: the last nights as a table, or all as CSV or JSON.

    With --changes, show where a series left its level, as it was seen night after night, under a budget of false alarms
    for all series together. With --levels, show what it looks like afterwards: since when each level held, and what it
    was; a slow drift is seen as several levels.
    """
    if changes and levels:
        msg = "--changes are as they were seen, --levels looking back: ask for one of them"
        raise click.UsageError(msg)
    from ci.settings import Settings  # noqa: PLC0415
    from ci.stores import open_store  # noqa: PLC0415 - heavy
    from qa.journal import read_record, runs_under  # noqa: PLC0415

    settings = Settings.without_data().override(runs=runs)
    store = open_store(settings)
    if rebuild:
        for folder in runs_under(settings.runs):
            store.save(read_record(folder))
    series = store.history(camera=camera, metric=metric)
    if plot is not None:
        _draw(plot, metric, series, false_reports, levels=levels)
        return
    frame = as_levels(series) if levels else _changes_of(series, false_reports) if changes else as_frame(series)
    if as_json:
        click.echo(frame.to_json(orient="records", date_format="iso", indent=1))
    elif as_csv:
        click.echo(frame.to_csv(index=False), nl=False)
    elif frame.empty:
        click.echo("nothing changed" if changes and series else "no run has measured that yet", err=True)
    elif changes or levels:
        click.echo(frame.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
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


def _draw(
    path: Path,
    metric: str | None,
    series: Mapping[Series, list[HistoryPoint]],
    false_reports: float,
    *,
    levels: bool,
) -> None:
    from qa.metrics import catalogue  # noqa: PLC0415
    from reports.plots import plot_history  # noqa: PLC0415
    from reports.wording import unit_name  # noqa: PLC0415

    if metric is None:
        msg = "--plot must be given with a METRIC: a plot shows one"
        raise click.UsageError(msg)
    definition = catalogue().get(metric)
    title = f"{metric}: {definition.title}" if definition else metric
    ylabel = f"{metric} ({unit_name(definition.unit)})" if definition and definition.unit else metric
    lines = {scope: points for (_, scope), points in series.items()}
    if levels:
        found = {scope: _levels_of(points) for scope, points in lines.items()}
        plot_history(path, title, lines, ylabel=ylabel, levels=found)
    else:
        plot_history(path, title, lines, ylabel=ylabel, shifts=_shifts(series, false_reports))
    click.echo(path)


def _changes_of(series: Mapping[Series, list[HistoryPoint]], false_reports: float) -> pd.DataFrame:
    return as_changes(_shifts(series, false_reports))


def _shifts(series: Mapping[Series, list[HistoryPoint]], false_reports: float) -> tuple[Shift, ...]:
    from qa.changes import Budget  # noqa: PLC0415 - heavy
    from qa.judging.shifts import changes  # noqa: PLC0415
    from qa.metrics import catalogue  # noqa: PLC0415

    try:
        budget = Budget(false_reports)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    directions = {name: definition.direction for name, definition in catalogue().items()}
    told = changes(series, directions, budget=budget)
    for note in told.notes:
        click.echo(note, err=True)
    return told.shifts


def as_changes(shifts: tuple[Shift, ...]) -> pd.DataFrame:
    """Lay changes out, the last found first: what, of which kind, between which levels, and how sure.

    `sigma` is in units of the series' noise, positive when worse; `chance` the probability that any series does as
    much in one night by chance.
    """
    import pandas as pd  # noqa: PLC0415 - half a second

    rows = [
        (one.found, one.metric, str(one.scope), str(one.kind), one.began, one.before, one.after, one.sigma, one.chance)
        for one in sorted(shifts, key=lambda one: (one.found, one.metric, str(one.scope)), reverse=True)
    ]
    columns = ["found", "metric", "scope", "kind", "began", "before", "after", "sigma", "chance"]
    return pd.DataFrame(rows, columns=columns)


def as_levels(series: Mapping[Series, list[HistoryPoint]]) -> pd.DataFrame:
    """Lay levels out, oldest first: from which night to which, of how many values, mean and scatter.

    `change` is the difference to the level before.
    """
    import pandas as pd  # noqa: PLC0415 - half a second

    rows = []
    for (name, scope), points in series.items():
        before = float("nan")
        for since, until, one in _levels_of(points):
            nights = one.stop - one.start
            rows.append((name, str(scope), since, until, nights, one.mean, one.scatter, one.mean - before))
            before = one.mean
    columns = ["metric", "scope", "since", "until", "nights", "level", "scatter", "change"]
    return pd.DataFrame(rows, columns=columns)


def _levels_of(points: Sequence[HistoryPoint]) -> list[tuple[datetime, datetime, Level]]:
    """Return the levels of a series, each with the nights of its first and its last value."""
    from qa.changes.hindsight import levels  # noqa: PLC0415 - numpy

    known = [(point.when, point.value) for point in points if point.value is not None]
    found = levels([value for _, value in known])
    return [(known[one.start][0], known[one.stop - 1][0], one) for one in found]


def as_table(frame: pd.DataFrame) -> str:
    """Lay the last nights out with a row per series and a column per run; a night without a value shows a dash."""
    table = frame.pivot_table(index=["metric", "scope"], columns="run", values="value", dropna=False, observed=True)
    return table.iloc[:, -SHOWN_NIGHTS:].to_string(na_rep="-", float_format=lambda value: f"{value:.4g}")
