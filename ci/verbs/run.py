"""`obsqa run`: a user's own raw exposures, processed like a night."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from datetime import date

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(epilog="Example: obsqa run --raws /data/m51 --camera decam --reference gaia.csv")
@click.option("--raws", required=True, type=_FOLDER, help="Folder with raw FITS files, which are only read.")
@click.option("--camera", required=True, help="The camera of the registry that took them.")
@click.option(
    "--reference",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Reference catalogue (Parquet, FITS table, CSV or ECSV) with the columns ra, dec (ICRS, deg), mag_<band> (AB) "
    "and, if known, ra_err, dec_err (mas), mag_err_<band>.  [default: exposures are tied to each other]",
)
@click.option(
    "--calibrations",
    type=_FOLDER,
    help="Another folder with biases, darks and flats.  [default: those among the raws]",
)
@click.option("--band", "bands", multiple=True, help="Only exposures in this band; may be repeated.")
@options.registry
@options.runs
@options.as_json
@click.option("--new", "fresh", is_flag=True, help="Begin anew even if the last run of these raws was cut off.")
@options.calibrations_as_of
@click.option("--keep-pixels", is_flag=True, help="Keep the intermediate images.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes side by side.  [default: the machine's cores]")
def run(  # noqa: PLR0913, PLR0917 - one for each option
    raws: Path,
    camera: str,
    reference: Path | None,
    calibrations: Path | None,
    bands: tuple[str, ...],
    registry: tuple[Path, ...],
    runs: Path | None,
    jobs: int | None,
    calibrations_as_of: date | None,
    *,
    as_json: bool,
    fresh: bool,
    keep_pixels: bool,
) -> int:
    """Process your own raw exposures of a camera: from signature removal to metrics on the coadds and their report.

    Exposures of the sky, biases, darks and flats are told apart by their headers. Without a reference catalogue,
    positions rest on a header and magnitudes are relative, and what needs the sky is not measured. Metrics that rest
    on knowing what was drawn are left out.
    """
    from ci.lanes import run_steps  # noqa: PLC0415 - heavy
    from ci.own_raws import open_own  # noqa: PLC0415
    from ci.publish import conclude, print_summary, reporting_when_interrupted  # noqa: PLC0415
    from ci.settings import Settings  # noqa: PLC0415
    from ci.wiring import make_context  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs, registry=registry)
    context = make_context(
        settings, (camera,), jobs=jobs, keep_pixels=keep_pixels, calibrations_as_of=calibrations_as_of
    )
    context, folder = open_own(
        context, raws, camera=camera, reference=reference, calibrations=calibrations, bands=bands, fresh=fresh
    )
    with context.console, reporting_when_interrupted(context, folder):
        run_steps(context, folder)
        record = conclude(context, folder, process=True)
    print_summary(context, folder, as_json=as_json)
    return record.exit_code or 0
