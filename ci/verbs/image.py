"""`obsqa image`: images in which cameras are processed."""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from ci import options


@click.group()
def image() -> None:
    """Make and look at images in which cameras are processed."""


@image.command(epilog="Example: obsqa image build --tag obsqa:night")
@click.option("--tag", help="What the image is called.  [default: obsqa:VERSION]")
@click.option(
    "--tar",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the files here, for `docker import` elsewhere; then no Docker Engine is needed.",
)
@options.as_json
def build(tag: str | None, tar: Path | None, *, as_json: bool) -> None:
    """Make an image of obsqa with all that is installed here, without a registry and without the network.

    With --tar, the files are written and nothing is imported.
    """
    from ci.images.build import IMPORT_SECONDS, default_tag, import_tar, make_tar  # noqa: PLC0415 - heavy
    from qa.engines.docker_client import connect  # noqa: PLC0415

    if tar is not None:
        made = make_tar(tar)
        facts = {"tar": str(made.path), "layer": made.digest, "files": made.files, "bytes": made.size}
        _print(facts, as_json=as_json)
        return
    with closing(connect(seconds=IMPORT_SECONDS)) as client, tempfile.TemporaryDirectory() as folder:
        found = import_tar(client, make_tar(Path(folder, "obsqa.tar")), tag or default_tag())
    _print(asdict(found), as_json=as_json)


@image.command(epilog="Example: obsqa image show obsqa:night")
@click.argument("name")
@options.as_json
def show(name: str, *, as_json: bool) -> None:
    """Show the id of an image and the digests of its layers, as a run's provenance has them."""
    from qa.engines.docker_client import connect  # noqa: PLC0415 - heavy
    from qa.engines.docker_images import find_image  # noqa: PLC0415

    with closing(connect()) as client:
        found = find_image(client, name)
    _print(asdict(found), as_json=as_json)


@image.command(epilog="Example: obsqa image clean")
def clean() -> None:
    """Remove the containers that killed nights left behind."""
    from qa.engines.docker_client import connect  # noqa: PLC0415 - heavy
    from qa.engines.docker_sweep import sweep  # noqa: PLC0415

    with closing(connect()) as client:
        removed = sweep(client)
    for step in removed:
        click.echo(f"removed the container of {step}")


def _print(facts: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts, sort_keys=True))
        return
    for name, value in facts.items():
        click.echo(f"{name}: {' '.join(value) if isinstance(value, tuple) else value}")
