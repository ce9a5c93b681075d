"""`obsqa commit`: the checks of the cameras that a change concerns, in minutes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog="Example: obsqa commit --base origin/main --budget 10m")
@options.camera
@click.option(
    "--changed",
    multiple=True,
    metavar="PKG",
    help="A package that changed: a camera's own concerns that camera, any other all sponsored ones; may be repeated.",
)
@click.option("--base", metavar="REV", help="What changed since this commit in the checkout you are in.")
@click.option("--budget", type=options.DURATION, metavar="SPAN", help="Only what fits this time, such as 10m.")
@click.option(
    "-k", "expression", metavar="EXPR", help="Only checks whose names fit, as pytest has it: isr, 'not speed'."
)
@click.option("--fail-fast", is_flag=True, help="End with the first check that fails.")
@click.option("--list", "list_only", is_flag=True, help="Only show the checks, in their order.")
@options.registry
@options.runs
@options.as_json
@click.option("--junit", type=_FILE, help="Copy the JUnit XML of the report there.")
@click.option("--markdown", type=_FILE, help="Copy the summary for a pull request there.")
@click.option("--new", "fresh", is_flag=True, help="Begin a new run even if the last one was cut off.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes side by side.  [default: the machine's cores]")
def commit(  # noqa: PLR0913, PLR0917 - one for each option
    cameras: tuple[str, ...],
    changed: tuple[str, ...],
    base: str | None,
    budget: float | None,
    expression: str | None,
    registry: tuple[Path, ...],
    runs: Path | None,
    junit: Path | None,
    markdown: Path | None,
    jobs: int | None,
    *,
    fail_fast: bool,
    list_only: bool,
    as_json: bool,
    fresh: bool,
) -> int:
    """Check the cameras that a change concerns: instrument, headers, filters, geometry, raw to coadd, metrics, speed.

    Without --changed and --base all cameras that run are checked, or those named. What is likeliest to fail and
    cheapest comes first. Raw to coadd is done on the small data sets; the run and its report are like a night's.
    """
    from ci.commit import INTERRUPTED, copy_out, run_session  # noqa: PLC0415 - heavy

    single = {"base": base, "budget": budget, "runs": runs, "jobs": jobs}
    many = {"camera": cameras, "changed": changed, "registry": registry}
    wanted = [
        "--obsqa",
        *(f"--obsqa-{name}={value}" for name, value in single.items() if value is not None),
        *(f"--obsqa-{name}={value}" for name, values in many.items() for value in values),
        *_flags(fresh=fresh, fail_fast=fail_fast, list_only=list_only),
        *(() if expression is None else ("-k", expression)),
    ]
    left = run_session(wanted, quiet=as_json)
    copy_out(left, junit=junit, markdown=markdown)
    if left.code == INTERRUPTED:
        raise KeyboardInterrupt
    if as_json and left.report is not None and (left.report / "summary.json").is_file():
        click.echo((left.report / "summary.json").read_text().rstrip())
    return left.code


def _flags(*, fresh: bool, fail_fast: bool, list_only: bool) -> Iterator[str]:
    flags = {"--obsqa-new": fresh, "--exitfirst": fail_fast, "--collect-only": list_only}
    yield from (flag for flag, given in flags.items() if given)
    yield "--quiet"
