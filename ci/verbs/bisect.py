"""`obsqa bisect`: which commits of which packages brought the change between two runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from ci.bisect.plan import BisectPlan
    from ci.bisect.session import Tools

FOUND, NARROWED = 0, 4
_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog="Example: obsqa bisect 20260301T010000Z latest --packages stack.yaml --metric PA1 -- ./measure.sh {out}"
)
@click.argument("good")
@click.argument("bad")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--metric", help="The metric that tells good from bad.  [default: the one that moved most]")
@click.option("--camera", help="Only this camera.")
@click.option("--dataset", help="Only this data set.  [default: the cheapest that shows the change]")
@click.option("--packages", "file", type=_EXISTING, help="YAML file that says where the packages' repositories are.")
@click.option("--package", "given", multiple=True, metavar="NAME=FOLDER", help="A package's repository; repeatable.")
@click.option("--by-exit-code", is_flag=True, help="Let the command's exit code decide: 0 good, 1-124 bad, 125 skip.")
@click.option("--first-parent", is_flag=True, help="Take a merge for one step, and do not look into what it merged.")
@click.option("--repeat", "repeats", type=click.IntRange(min=1), default=2, show_default=True, help="Runs of each end.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), help="Longest time of a build or a run, in seconds."
)
@click.option("--keep", is_flag=True, help="Keep the checkouts and the folders of the trials.")
@click.option("--retry", is_flag=True, help="Make trials again that could not be built or run at an earlier attempt.")
@click.option("--yes", is_flag=True, help="Do not ask before beginning.")
@click.option("--dry-run", is_flag=True, help="Print the plan and its cost, and run nothing.")
@options.registry
@options.runs
@options.as_json
def bisect(  # noqa: PLR0913, PLR0917 - one for each option
    good: str,
    bad: str,
    command: tuple[str, ...],
    metric: str | None,
    camera: str | None,
    dataset: str | None,
    file: Path | None,
    given: tuple[str, ...],
    repeats: int,
    timeout: float | None,
    registry: tuple[Path, ...],
    runs: Path | None,
    *,
    by_exit_code: bool,
    first_parent: bool,
    keep: bool,
    retry: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Find the smallest set of commits that brought what moved between the runs GOOD and BAD.

    Each trial runs COMMAND (or, without one, `obsqa nightly` on one camera) on checkouts of the packages, whose folders
    are in variables like OBSQA_PACKAGE_MEAS_BASE, and reads metrics.json or measurements.json from the folder {out}. No
    trial is made twice: a bisect that was cut off is continued by the same command.

    Exit codes: 0 found, 4 narrowed down as far as could be tested, or the two ends do not show the change.
    """
    from ci.bisect.plan import Wish  # noqa: PLC0415 - heavy
    from ci.bisect.wiring import open_session, plan_of  # noqa: PLC0415
    from ci.settings import Settings  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs, registry=registry)
    wish = Wish(metric, camera, dataset, by_exit_code=by_exit_code, first_parent=first_parent, repeats=repeats)
    plan, packages = plan_of(settings, (good, bad), wish=wish, file=file, given=given, command=command)
    if dry_run:
        _print_plan(plan, as_json=as_json)
        return FOUND
    session = open_session(
        settings, plan, packages, command=command, wish=wish, timeout=timeout, keep=keep, retry=retry
    )
    with session as tools:
        _ask(plan, tools, yes=yes)
        return _answer(plan, tools, as_json=as_json)


def _print_plan(plan: BisectPlan, *, as_json: bool) -> None:
    from ci.bisect.text import plan_plain, plan_text  # noqa: PLC0415

    click.echo(json.dumps(plan_plain(plan), indent=1, sort_keys=True) if as_json else plan_text(plan))


def _ask(plan: BisectPlan, tools: Tools, *, yes: bool) -> None:
    """Show the plan on stderr, and ask whether to go on."""
    from ci.bisect.text import plan_text  # noqa: PLC0415
    from qa.errors import RequestError  # noqa: PLC0415

    click.echo(plan_text(plan, known=len(tools.journal.known)) + "\n", err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        msg = "a bisect without a terminal must be told to begin; give --yes, or --dry-run to see the plan only"
        raise RequestError(msg)
    click.confirm("Begin?", abort=True, err=True)


def _answer(plan: BisectPlan, tools: Tools, *, as_json: bool) -> int:
    from ci.bisect.evidence import keep  # noqa: PLC0415
    from ci.bisect.session import carry_out, trials  # noqa: PLC0415
    from ci.bisect.text import answer_plain, answer_text  # noqa: PLC0415

    probe, answer = carry_out(plan, tools)
    keep(tools.folder, trials(probe, plan.changed, answer))
    if as_json:
        click.echo(json.dumps(answer_plain(plan, probe, answer), indent=1, sort_keys=True))
    else:
        click.echo(answer_text(plan, probe, answer))
    return FOUND if answer.exact else NARROWED
