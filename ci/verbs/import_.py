"""`obsqa import`: judge measurements that others made."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ci import options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ci.lanes import Context
    from qa.requirements.verify import Specification

_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))


def _place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say where the numbers belong."""
    for option in (
        click.option("--date", "when", help="Date (ISO 8601, UTC) of files that say none.  [default: their own time]"),
        click.option("--band", help="Band of the numbers.  [default: the file's filter]"),
        click.option("--dataset", help="Data set to file them under.  [default: the file's]"),
        click.option("--camera", help="Camera to file them under.  [default: the file's instrument]"),
    ):
        command = option(command)
    return command


_PACKAGE = click.option(
    "--package",
    type=click.Path(path_type=Path),
    help="Metrics package of lsst.verify with the specifications to judge by.  [default: those the file quotes]",
)


@click.group(name="import")
def import_() -> None:
    """Judge measurements that others made, and add them to the history.

    Each date becomes a run: its results are compared with the baselines of its camera and data set and with what is
    required, and reported. Metrics of the LSST requirements by validate_drp's names answer to the camera's
    requirements, others to the specifications that come with them. A file that was imported before is not counted
    again.
    """


@import_.command(epilog="Example: obsqa import verify matchedVisit_r.json --dataset rc2")
@_FILES
@_place
@_PACKAGE
@options.registry
@options.runs
@options.as_json
def verify(files: tuple[Path, ...], *, as_json: bool, **given: Any) -> int:  # noqa: ANN401 - the options
    """Import FILES of lsst.verify: Jobs (JSON), or measurements of a Butler (YAML).

    A value that its own blob does not give is said, in the report too; NaN is a metric that was not measured.
    """
    return _import("verify", files, as_json=as_json, **given)


@import_.command(epilog="Example: obsqa import bundle objectTableCore_metrics.json --camera lsstcam --band i")
@_FILES
@_place
@_PACKAGE
@options.registry
@options.runs
@options.as_json
def bundle(files: tuple[Path, ...], *, as_json: bool, **given: Any) -> int:  # noqa: ANN401 - the options
    """Import FILES of analysis_tools: bundles of measurements (JSON)."""
    return _import("bundle", files, as_json=as_json, **given)


@import_.command(epilog="Example: obsqa import benchmark .benchmarks/*/*.json")
@_FILES
@_place
@options.registry
@options.runs
@options.as_json
def benchmark(files: tuple[Path, ...], *, as_json: bool, **given: Any) -> int:  # noqa: ANN401 - the options
    """Import FILES of pytest-benchmark (JSON): the median time of each benchmark, with its error and machine."""
    return _import("benchmark", files, as_json=as_json, **given)


def _import(  # noqa: PLR0913 - one for each option
    kind: str,
    files: Sequence[Path],
    *,
    camera: str | None,
    dataset: str | None,
    band: str | None,
    when: str | None,
    registry: tuple[Path, ...],
    runs: Path | None,
    as_json: bool,
    package: Path | None = None,
) -> int:
    from ci.foreign import gather, open_imported  # noqa: PLC0415 - heavy
    from ci.settings import Settings  # noqa: PLC0415
    from ci.wiring import make_context  # noqa: PLC0415
    from qa.foreign.filing import Asked  # noqa: PLC0415
    from qa.foreign.model import Kind  # noqa: PLC0415

    asked, moment, specifications = Asked(camera, dataset, band), _moment(when), _specifications(package)
    context = make_context(Settings.from_environment().override(runs=runs, registry=registry))
    gathered, earlier = gather(context, files, Kind(kind), asked, when=moment, package=specifications)
    made = [open_imported(context, one) for one in gathered]
    return _conclude(context, earlier, made, as_json=as_json)


def _conclude(context: Context, earlier: Sequence[Path], made: Sequence[Path], *, as_json: bool) -> int:
    """Judge the new runs, and what was cut off before, and return the worst exit code: a failed verdict comes first."""
    from ci.foreign import with_imported  # noqa: PLC0415 - heavy
    from ci.publish import REPORT, conclude, print_summary  # noqa: PLC0415
    from qa.journal import read_record  # noqa: PLC0415

    ended = {folder: read_record(folder).exit_code for folder in earlier}
    codes = [code for code in ended.values() if code is not None]
    for folder in (*(one for one, code in ended.items() if code is None), *made):
        own = with_imported(context, folder)
        record = conclude(own, folder)
        codes.append(record.exit_code or 0)
        if not as_json:
            _say_caveats(record.measured.values())
            print_summary(own, folder, as_json=False)
    if as_json:
        summaries = [json.loads((folder / REPORT / "summary.json").read_text()) for folder in (*earlier, *made)]
        click.echo(json.dumps(summaries if len(summaries) > 1 else summaries[0], indent=1, allow_nan=False))
    return min(codes, key=lambda code: code or 100)


def _say_caveats(measured: Any) -> None:  # noqa: ANN401 - values of `qa.record.Measured`
    for one in measured:
        for text in one.caveats:
            click.echo(f"{one.camera}/{one.dataset}: {text}", err=True)


def _moment(when: str | None) -> datetime | None:
    """Read a date given on the command line."""
    if when is None:
        return None
    try:
        moment = datetime.fromisoformat(when)
    except ValueError:
        msg = f"must be a date of ISO 8601 such as 2026-03-01 or 2026-03-01T12:00:00, got {when!r}"
        raise click.BadParameter(msg, param_hint="--date") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _specifications(package: Path | None) -> tuple[Specification, ...]:
    """Read the specifications of a metrics package; one with faults is read as far as it goes, as lsst.verify does."""
    if package is None:
        return ()
    from qa.requirements.verify import load_package  # noqa: PLC0415 - heavy

    return tuple(load_package(package).specifications.values())
