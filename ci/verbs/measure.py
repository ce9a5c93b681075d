"""`obsqa measure`: metrics of a catalogue of matched sources, of a verify job, or of a run's repositories again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from qa.model import Result


@click.command(epilog="Example: obsqa measure --catalog matchedCatalogTract_0_r.fits.gz --band r --metric PA1")
@click.argument("run", required=False)
@click.option(
    "--catalog",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A catalogue of matched sources of the LSST stack (afw SimpleCatalog, FITS).",
)
@click.option(
    "--job",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A Job of lsst.verify (JSON) of validate_drp: its numbers are made again from its blobs.",
)
@click.option("--metric", "metrics", multiple=True, help="Only this metric of the catalogue; may be repeated.")
@click.option("--band", default="r", show_default=True, help="The band of the catalogue.")
@options.camera
@options.registry
@options.runs
@options.as_json
def measure(  # noqa: PLR0913 - one argument for each option
    run: str | None,
    catalog: Path | None,
    job: Path | None,
    metrics: tuple[str, ...],
    band: str,
    cameras: tuple[str, ...],
    registry: tuple[Path, ...],
    runs: Path | None,
    *,
    as_json: bool,
) -> int:
    """Measure a catalogue of matched sources, recompute a job, or harvest the repositories of RUN again.

    RUN is a run id, a path, or `latest`; it is judged again and its report is written again. Exit code 1 says that a
    job's numbers are not those of its blobs.
    """
    if [run, catalog, job].count(None) != 2:  # noqa: PLR2004 - one of the three is given
        msg = "name one of RUN, --catalog and --job"
        raise click.UsageError(msg)
    if job is not None:
        return _recompute_job(job, metrics)
    if catalog is not None:
        _measure_catalog(catalog, band, metrics, as_json=as_json)
        return 0
    from ci.lanes import find_run, measure_again  # noqa: PLC0415 - heavy
    from ci.own_raws import with_own  # noqa: PLC0415
    from ci.publish import conclude, print_summary  # noqa: PLC0415
    from ci.settings import Settings  # noqa: PLC0415
    from ci.wiring import make_context  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs, registry=registry)
    context = make_context(settings, cameras)
    folder = find_run(settings.runs, str(run))
    context = with_own(context, folder)
    with context.console:
        measure_again(context, folder)
        record = conclude(context, folder)
    print_summary(context, folder, as_json=as_json)
    return record.exit_code or 0


def _recompute_job(job: Path, metrics: tuple[str, ...]) -> int:
    """Print what a job holds beside what its blobs give; return 1 if they differ."""
    import math  # noqa: PLC0415 - numpy is not needed for `--help`

    from qa.metrics.blobs import read_job, recompute  # noqa: PLC0415

    results = [one for one in recompute(read_job(job)) if not metrics or one.metric.rpartition(".")[2] in metrics]
    width = max((len(one.metric) for one in results), default=0)
    click.echo(f"{'metric':<{width}} {'in the job':>22} {'from its blobs':>22} unit")
    for one in results:
        stored, made = ("-" if value is None else repr(value) for value in (one.stored, one.value))
        click.echo(f"{one.metric:<{width}} {stored:>22} {made:>22} {one.unit} {one.reason}".rstrip())
    pairs = [(one.stored, one.value) for one in results if one.stored is not None and one.value is not None]
    return 0 if all(math.isclose(stored, made, rel_tol=1e-12) for stored, made in pairs) else 1


def _measure_catalog(catalog: Path, band: str, metrics: tuple[str, ...], *, as_json: bool) -> None:
    from qa.metrics.catalogs import measure_catalog  # noqa: PLC0415 - numpy is not needed for `--help`
    from qa.model import Scope  # noqa: PLC0415

    scope = Scope(camera="catalogue", dataset=catalog.name, band=band)
    show(measure_catalog(catalog, scope, names=metrics or None), as_json=as_json)


def show(results: tuple[Result, ...], *, as_json: bool) -> None:
    """Print results on stdout: as a table, or as the bundle that also leaves a pipeline."""
    from qa.metrics.bundle import to_bundle  # noqa: PLC0415

    if as_json:
        import json  # noqa: PLC0415

        dataset = results[0].scope.dataset if results else "none"
        click.echo(json.dumps(to_bundle(results, dataset=dataset), indent=1, sort_keys=True, allow_nan=False))
        return
    width = max((len(result.metric) for result in results), default=0)
    click.echo(f"{'metric':<{width}} {'value':>18} {'unit':<8} {'n':>8} {'stderr':>10}")
    for result in results:
        click.echo(f"{result.metric:<{width}} {_cells(result)}".rstrip())


def _cells(result: Result) -> str:
    from qa.model import Measurement  # noqa: PLC0415

    if not isinstance(result, Measurement):
        return f"{'-':>18} {result.reason}"
    stderr = "-" if result.stderr is None else f"{result.stderr:.3g}"
    # repr: every digit, so that two measurements can be told apart or found equal.
    return f"{result.value!r:>18} {result.unit:<8} {result.n:>8} {stderr:>10}"
