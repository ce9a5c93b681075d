"""`obsqa baseline margins`: what accepted changes have spent of the requirements, and what crept."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ci import options
from ci.verbs.baseline import shared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qa.baselines.margins import CameraSpent, Ratchet, Spent

SHOWN = 20


@click.command(epilog="Example: obsqa baseline margins --camera hsc")
@options.camera
@click.option("--all", "show_all", is_flag=True, help=f"List every series that got worse, not the first {SHOWN}.")
@options.as_json
def margins(cameras: tuple[str, ...], *, show_all: bool, as_json: bool) -> None:
    """Show the requirement margin spent by quarter, and the series that crept away from their first accepted level."""
    from ci.settings import Settings  # noqa: PLC0415 - only where a verb runs
    from qa import baselines  # noqa: PLC0415 - heavy
    from qa.baselines import margins  # noqa: PLC0415 - heavy
    from qa.metrics import catalogue  # noqa: PLC0415

    root = Settings.from_environment().regression_data
    entries = [one for one in baselines.ledger(root) if not cameras or one.camera in cameras]
    by_camera, series = margins.by_camera(entries), margins.spent(entries)
    crept = margins.ratchets(entries, baselines.load_all(root), definitions=catalogue())
    if as_json:
        shared.print_json(_plain(by_camera, series, crept))
        return
    for line in [*_spent_lines(by_camera), "", *_ratchet_lines(crept, len(crept) if show_all else SHOWN)]:
        click.echo(line)


def _plain(
    by_camera: Sequence[CameraSpent], series: Sequence[Spent], crept: Sequence[Ratchet]
) -> dict[str, list[dict[str, object]]]:
    return {
        "cameras": [asdict(one) for one in by_camera],
        "series": [asdict(one) | {"share": one.share} for one in series],
        "ratchets": [asdict(one) | {"since": one.since.isoformat(), "exceeded": one.exceeded} for one in crept],
    }


def _spent_lines(by_camera: Sequence[CameraSpent]) -> Iterator[str]:
    if not by_camera:
        yield "no requirement margin was spent or won by accepted changes"
        return
    yield f"{'quarter':<9}{'camera':<16}{'series':>7}{'moved':>7}{'mean share':>12}  largest share of a series"
    for one in by_camera:
        worst = one.worst
        of = f"{worst.metric} of {worst.scope}: {_signed(worst.share or 0.0)} ({worst.left:.3g} {worst.unit}".rstrip()
        yield (f"{one.quarter:<9}{one.camera:<16}{one.series:>7}{one.moved:>7}{_signed(one.mean):>12}  {of} left)")


def _ratchet_lines(crept: Sequence[Ratchet], most: int) -> Iterator[str]:
    """Write series that got worse, those that passed their limit in small steps first."""
    from qa.judging.wording import quantity  # noqa: PLC0415

    if not crept:
        yield "no series is worse than its first accepted level"
        return
    yield "worse than the first accepted level, or the last one named as the reference:"
    ordered = sorted(crept, key=lambda one: not one.exceeded)
    for one in ordered[:most]:
        limit = "no limit known" if one.allowed is None else f"limit {quantity(one.allowed, one.unit, digits=3)}"
        mark = "  PAST THE LIMIT IN SMALL STEPS" if one.exceeded else ""
        moves = f"{one.moves} change{'s' if one.moves != 1 else ''} since {one.since:%Y-%m-%d}"
        moved = f"{quantity(one.first, '')} -> {quantity(one.now, one.unit)}"
        yield f"  {one.metric:<24} {one.scope!s:<32} {moved}, {moves}, {limit}{mark}"
    if len(ordered) > most:
        yield f"  and {len(ordered) - most} more; see --all"


def _signed(share: float) -> str:
    """Write a share that was spent; what was won has a minus."""
    return f"{100 * share:.3g}%"
