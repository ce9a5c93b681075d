"""`obsqa baseline show`: what was accepted, and by whom; `restore`: the files as the ledger has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options
from ci.verbs.baseline import shared

if TYPE_CHECKING:
    from pathlib import Path

    from qa.judging.compare import Accepted

SHOWN = 5
"""Disagreements that are listed before the rest is counted."""


@click.command(epilog="Example: obsqa baseline show --camera hsc --metric PA1")
@options.camera
@shared.metric
@click.option("--ledger", "as_ledger", is_flag=True, help="Show who changed baselines, and why.")
@options.as_json
def show(cameras: tuple[str, ...], metrics: tuple[str, ...], *, as_ledger: bool, as_json: bool) -> None:
    """Show the accepted baselines, or the ledger of their changes.

    Where files and ledger disagree, and where a decision has outlived its day, that is said on stderr.
    """
    from ci.settings import Settings  # noqa: PLC0415 - only where a verb runs
    from qa import baselines  # noqa: PLC0415 - heavy

    root = Settings.from_environment().regression_data
    if as_ledger:
        entries = [one for one in baselines.ledger(root) if not cameras or one.camera in cameras]
        shared.print_entries(entries, as_json=as_json)
    else:
        accepted = baselines.load_all(root).values()
        _print_baselines([one for one in accepted if _is_wanted(one, cameras, metrics)], as_json=as_json)
    _tell_what_is_wrong(root)


@click.command(epilog="Example: obsqa baseline restore")
def restore() -> None:
    """Write the baseline files as the ledger has them: what was changed without a decision goes."""
    from ci.settings import Settings  # noqa: PLC0415
    from qa import baselines  # noqa: PLC0415

    changed = baselines.restore(Settings.from_environment().regression_data)
    for path in changed:
        click.echo(f"written anew: {path}")
    if not changed:
        click.echo("nothing to change")


def _tell_what_is_wrong(root: Path) -> None:
    from ci.decisions import today  # noqa: PLC0415 - heavy
    from qa import baselines  # noqa: PLC0415

    found = baselines.disagreements(root)
    for one in found[:SHOWN]:
        shared.tell(f"warning: {one}")
    if found:
        more = f"{len(found) - SHOWN} more like this; " if len(found) > SHOWN else ""
        cut_off = all(one.cut_off for one in found)
        who = "the next accept completes that" if cut_off else "put it right with `obsqa baseline restore`, or `drop`"
        shared.tell(f"warning: {more}{who}")
    for standing in baselines.expired(baselines.ledger(root), today()):
        entry = standing.entry
        shared.tell(
            f"warning: entry {entry.id} of {entry.camera}/{entry.dataset} was to hold until {entry.decision.expires}; "
            "take it back with `obsqa baseline expire`, or accept anew"
        )


def _is_wanted(one: Accepted, cameras: tuple[str, ...], metrics: tuple[str, ...]) -> bool:
    from qa.baselines.acceptance import matches  # noqa: PLC0415

    by_camera = not cameras or one.scope.camera in cameras
    return by_camera and (not metrics or any(matches(one.metric, metric) for metric in metrics))


def _print_baselines(accepted: list[Accepted], *, as_json: bool) -> None:
    from qa.documents import to_plain  # noqa: PLC0415
    from qa.model import Baseline, Unmeasured  # noqa: PLC0415

    if as_json:
        shared.print_json(to_plain(tuple(accepted), tuple[Baseline | Unmeasured, ...]))
        return
    if not accepted:
        click.echo("no baselines; accept a run's results with: obsqa baseline accept latest --why '...'")
    for one in accepted:
        click.echo(f"{one.metric:<24} {one.scope!s:<32} {_worded(one)}")


def _worded(one: Accepted) -> str:
    from qa.judging.wording import quantity  # noqa: PLC0415
    from qa.model import Unmeasured  # noqa: PLC0415

    if isinstance(one, Unmeasured):
        return f"accepted as not measurable: {one.reason}"
    error = "" if one.stderr is None else f" +- {one.stderr:.2g}"
    spread = quantity(one.tolerance, one.unit, digits=2) + (" learned" if one.learned else "")
    return f"{quantity(one.value, '')}{error} {one.unit}".rstrip() + f"  (spread {spread}, run {one.run})"
