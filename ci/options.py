"""Command-line options that several verbs share, each defined once."""

from __future__ import annotations

import re
from pathlib import Path

import click

registry = click.option(
    "--registry",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with further camera files; may be repeated. [env: OBSQA_REGISTRY]",
)
runs = click.option(
    "--runs",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of run directories and their history.  [env: OBSQA_RUNS; default: runs]",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
calibrations_as_of = click.option(
    "--calibrations-as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=lambda _context, _option, value: value and value.date(),
    metavar="DATE",
    help="Use the calibrations that would have been used on that day (UTC). The run is kept apart, in the folder "
    "as-of/DATE of the runs, and is no night of any history.",
)
camera = click.option("--camera", "cameras", multiple=True, help="Only this camera; may be repeated.")


class Duration(click.ParamType[float]):
    """A time span such as `90m`, `2h` or `1.5d`, in seconds; a bare number is seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a span."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", str(value).strip())
        if found is None or float(found[1]) <= 0:
            self.fail(f"must be a time span such as 90m or 2h, got {value!r}", param, ctx)
        return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


DURATION = Duration()


class Hours(Duration):
    """A time span in hours; a bare number is hours, and `90m` or `1.5d` are understood."""

    name = "hours"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a span."""
        text = str(value).strip()
        return super().convert(text if text[-1:].isalpha() else f"{text}h", param, ctx) / 3600


budget = click.option(
    "--budget",
    type=Hours(),
    metavar="HOURS",
    help="Take only the cameras that fit into these hours, those first whose week is over or soon will be.  "
    "[default: all cameras, however long it takes]",
)
