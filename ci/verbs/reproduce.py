"""`obsqa reproduce`: put one value of a run into an archive, and rerun such an archive."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from ci.reproduce.make import Made
    from qa.provenance.reproduction import Answer

SAME, DIFFERENT, FAILED = 0, 1, 3
_KB = 1000
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog="Example: obsqa reproduce latest hsc PA1 --band r, and elsewhere: obsqa reproduce ARCHIVE")
@click.argument("what")
@click.argument("camera", required=False)
@click.argument("metric", required=False)
@click.option("--band", help="The band, where the metric was measured in several.")
@click.option("--dataset", help="The data set, where several were measured.")
@click.option("--task", help="The task, of a metric that is measured for each.")
@click.option("--out", type=_FILE, help="The archive.  [default: named after the value, here]")
@click.option("--whole", is_flag=True, help="Put in the whole data set, without looking for less.")
@click.option("--trust", is_flag=True, help="Run a pipeline, script or image that an archive brings or names.")
@click.option("--raws", type=_FOLDER, help="Where the raw files lie that an archive names and does not hold.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Keep all that a rerun makes, here.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes side by side.  [default: the machine's cores]")
@options.registry
@options.runs
@options.as_json
def reproduce(  # noqa: PLR0913, PLR0917 - one for each option
    what: str,
    camera: str | None,
    metric: str | None,
    band: str | None,
    dataset: str | None,
    task: str | None,
    out: Path | None,
    raws: Path | None,
    keep: Path | None,
    jobs: int | None,
    registry: tuple[Path, ...],
    runs: Path | None,
    *,
    whole: bool,
    trust: bool,
    as_json: bool,
) -> int:
    """Make an archive that reruns the smallest data which show a value, or rerun one.

    With a run (its id, path, or `latest`), a camera and a metric: looks for the smallest data that give the value of
    that run to the last bit, and packs them as recipe and seed, with the code, the configuration and what to install.
    With an archive, or the folder of one: processes it, and says whether the value comes out again to the last bit, or
    by how much it differs and which facts do.

    Exit codes: 0 the same to the last bit, 1 not the same, 3 the rerun failed.
    """
    if camera is None:
        return _rerun(Path(what), trust=trust, raws=raws, keep=keep, jobs=jobs, as_json=as_json)
    if metric is None:
        msg = "a run needs a camera and a metric: obsqa reproduce RUN CAMERA METRIC; an archive stands alone"
        raise click.UsageError(msg)
    from ci.lanes import find_run  # noqa: PLC0415 - heavy
    from ci.reproduce.make import Wish, make  # noqa: PLC0415
    from ci.settings import Settings  # noqa: PLC0415
    from ci.wiring import make_context  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs, registry=registry)
    wish = Wish(camera, metric, band, dataset, task)
    folder = find_run(settings.runs, what)
    made = make(make_context(settings, jobs=jobs), folder, wish, out=out, whole=whole, jobs=jobs)
    _print_made(made, as_json=as_json)
    return _exit_code(made.answer)


def _rerun(path: Path, *, trust: bool, raws: Path | None, keep: Path | None, jobs: int | None, as_json: bool) -> int:
    from ci.reproduce.archive import unpack  # noqa: PLC0415 - heavy
    from ci.reproduce.rerun import rerun  # noqa: PLC0415

    with TemporaryDirectory(prefix="obsqa-reproduce-") as place:
        work = keep or Path(place) / "work"
        (Path(place) / "archive").mkdir()
        folder = path if path.is_dir() else unpack(path, Path(place) / "archive")
        found = rerun(folder.resolve(), work.resolve(), trust=trust, raws=raws, jobs=jobs)
    _print_answer(found, as_json=as_json)
    return _exit_code(found)


def _exit_code(found: Answer) -> int:
    if found.failed:
        return FAILED
    return SAME if found.same else DIFFERENT


def _print_answer(found: Answer, *, as_json: bool) -> None:
    from ci.reproduce.text import lines, plain  # noqa: PLC0415

    click.echo(json.dumps(plain(found), sort_keys=True, indent=1) if as_json else "\n".join(lines(found)))


def _print_made(made: Made, *, as_json: bool) -> None:
    from ci.reproduce.text import lines, plain  # noqa: PLC0415

    if as_json:
        body = {
            "archive": str(made.path),
            "bytes": made.size,
            "exposures_in_all": made.whole,
            "raws_outside": list(made.outside),
            **plain(made.answer),
        }
        click.echo(json.dumps(body, sort_keys=True, indent=1))
        return
    some = len(made.answer.what.exposures)
    data = f"{some} of {made.whole} exposures" if some else made.answer.what.query or "the whole data set"
    click.echo("\n".join(lines(made.answer)))
    again = f"obsqa reproduce {made.path.name}"
    if made.outside:
        data += f", of which {len(made.outside)} raw files are named and not packed, being large"
        again += " --raws FOLDER"
    click.echo(f"{made.path}: {made.size / _KB:.0f} kB, {data}; elsewhere: {again}")
