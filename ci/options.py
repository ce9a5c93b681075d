"""Command-line options that several verbs share, each defined once."""

from __future__ import annotations

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
camera = click.option("--camera", "cameras", multiple=True, help="Only this camera; may be repeated.")
