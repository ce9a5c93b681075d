"""`obsqa requirements import`: a metrics package of lsst.verify as a requirements document of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from qa.requirements.verify.imported import ImportedDocument

SHOWN = 10
"""How many reasons are listed before the rest is counted."""


@click.command(
    "import",
    epilog="""\b
Examples:
  obsqa requirements import ../verify_metrics --output cameras/requirements/survey.yaml
  obsqa requirements import ../verify_metrics --json""",
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="The file to write, a new one.  [default: stdout]")
@click.option("--name", help="What the document is called where it is cited.  [default: the package's folder]")
@click.option("--as-version", "version", default="1", show_default=True, help="The version it is cited with.")
@click.option("--url", default="", help="Where the package is published.")
@options.as_json
def import_(path: Path, output: Path | None, name: str | None, version: str, url: str, *, as_json: bool) -> None:
    """Make a requirements document of PATH, a metrics package of lsst.verify (a folder with metrics and specs).

    Every metric with a minimum, a design and a stretch value is taken over, by bands; what is not is said on stderr.
    A camera can name the file as its profile.
    """
    from qa.errors import RequestError  # noqa: PLC0415 - heavy
    from qa.requirements.verify import is_package, load_package  # noqa: PLC0415
    from qa.requirements.verify.imported import as_plain, import_package  # noqa: PLC0415

    if not is_package(path):
        msg = f"{path}: must be a metrics package, a folder with metrics and specs, found none"
        raise RequestError(msg)
    if output is not None and output.exists():
        msg = f"{output}: must be a new file, and it exists; remove it, or give another name with --output"
        raise RequestError(msg)
    package = load_package(path)
    made = import_package(package, name=name or path.resolve().name, version=version, url=url)
    if output is not None:
        _write(output, made)
    if as_json:
        plain = {"document": as_plain(made.document), "left_out": made.left_out, "special": made.special}
        click.echo(json.dumps(plain, indent=1, allow_nan=False))
    elif output is None:
        click.echo(_text(made), nl=False)
    _tell(made)
    if package.faults:
        click.echo(f"obsqa: it has {len(package.faults)} faults; see: obsqa requirements doctor {path}", err=True)


def _write(output: Path, made: ImportedDocument) -> None:
    """Write the file, whole or not at all."""
    from qa.documents import atomic_open  # noqa: PLC0415 - heavy

    with atomic_open(output) as stream:
        stream.write(_text(made).encode())


def _text(made: ImportedDocument) -> str:
    import yaml  # noqa: PLC0415

    from qa.requirements.verify.imported import as_plain  # noqa: PLC0415 - heavy

    return yaml.safe_dump(as_plain(made.document), sort_keys=False, allow_unicode=True, width=110)


def _tell(made: ImportedDocument) -> None:
    """Say on stderr what was taken over, and what was not."""
    for line in made.left_out[:SHOWN]:
        click.echo(f"obsqa: left out: {line}", err=True)
    if len(made.left_out) > SHOWN:
        click.echo(f"obsqa: and {len(made.left_out) - SHOWN} more; --json has all", err=True)
    special = f", {made.special} specifications of milestones or single data sets left out" if made.special else ""
    click.echo(f"obsqa: {len(made.document.requirements)} metrics taken over{special}", err=True)
