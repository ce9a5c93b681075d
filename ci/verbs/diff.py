"""`obsqa diff`: what changed between two runs, and how each metric moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qa.blame.moves import Move
    from qa.model import Scope
    from qa.provenance.difference import RunDifference

SHOWN = 20


@click.command(epilog="Example: obsqa diff 20261122T020000Z latest")
@click.argument("one")
@click.argument("other")
@click.option("--camera", help="Only metrics of this camera.")
@click.option("--metric", help="Only this metric.")
@click.option("--all", "every", is_flag=True, help="List everything, also metrics that are the same to the last digit.")
@options.runs
@options.as_json
def diff(
    one: str, other: str, runs: Path | None, camera: str | None, metric: str | None, *, every: bool, as_json: bool
) -> None:
    """Show which facts differ between two runs, and by how much each metric moved, largest first.

    ONE and OTHER are run ids, paths, or `latest`. Of cameras that neither run took no facts are shown.
    """
    from ci.lanes import find_run  # noqa: PLC0415 - heavy
    from ci.settings import Settings  # noqa: PLC0415
    from qa.journal import read_record  # noqa: PLC0415
    from qa.provenance.difference import difference  # noqa: PLC0415

    def wanted(name: str, scope: Scope) -> bool:
        return metric in {None, name} and camera in {None, scope.camera}

    settings = Settings.from_environment().override(runs=runs)
    before, after = (read_record(find_run(settings.runs, name)) for name in (one, other))
    found = difference(before, after, wanted=wanted)
    click.echo(_json(found) if as_json else "\n".join(_lines(found, every=every)))


def _lines(found: RunDifference, *, every: bool) -> Iterator[str]:
    yield f"{found.before} -> {found.after}"
    yield from _facts(found)
    if found.child:
        yield f"{found.after} is a child of {found.before}: the configuration changed"
    for word, places in (("no longer", found.gone), ("newly", found.come)):
        if places:
            yield f"{word} processed: {', '.join(places)}"
    yield from _moves(found, every=every)
    yield from _verdicts(found, every=every)
    yield from (f"  not compared: {one.metric} ({one.scope})  {one.reason}" for one in found.incomparable)


def _facts(found: RunDifference) -> Iterator[str]:
    if not found.facts:
        yield "all facts are the same" + (" that concern these runs" if found.elsewhere else "")
    width = max((len(one.fact) for one in found.facts), default=0)
    for one in found.facts:
        yield f"  {one.fact:<{width}}  {one.before or '-'} -> {one.after or '-'}"
    if found.elsewhere and found.facts:
        yield f"  and {found.elsewhere} facts of other cameras"


def _moves(found: RunDifference, *, every: bool) -> Iterator[str]:
    moved = [move for move in found.moves if not move.same]
    shown = found.moves if every else moved[:SHOWN]
    yield f"{len(moved)} of {len(found.moves)} metrics differ; sigma is in run-to-run spreads, positive when worse"
    for move in shown:
        reason = found.reasons.get((move.metric, move.scope), "") if move.sigma is None else ""
        yield f"  {_sigma(move)}  {move.metric} ({move.scope})  {_values(move)}" + (f"  ({reason})" if reason else "")
    if len(shown) < len(moved):
        yield f"  and {len(moved) - len(shown)} more (--all)"


def _verdicts(found: RunDifference, *, every: bool) -> Iterator[str]:
    if not found.verdicts:
        return
    yield f"{len(found.verdicts)} metrics are judged otherwise"
    shown = found.verdicts if every else found.verdicts[:SHOWN]
    for one in shown:
        yield f"  {one.metric} ({one.scope})  {one.before or 'not judged'} -> {one.after or 'not judged'}"
    if len(shown) < len(found.verdicts):
        yield f"  and {len(found.verdicts) - len(shown)} more (--all)"


def _sigma(move: Move) -> str:
    return f"{'missing' if move.sigma is None else f'{move.sigma:+.1f}':>9}"


def _values(move: Move) -> str:
    """Word two values, in so many digits that different ones look different."""
    before, after = ("-" if value is None else f"{value:.6g}" for value in (move.before, move.after))
    if before == after and not move.same:
        before, after = repr(move.before), repr(move.after)
    return f"{before} -> {after} {move.unit}".rstrip()


def _json(found: RunDifference) -> str:
    import json  # noqa: PLC0415

    from qa.blame.moves import Move as Kind  # noqa: PLC0415
    from qa.documents import SCHEMA, to_plain  # noqa: PLC0415
    from qa.provenance.difference import FactChange, Incomparable, VerdictChange  # noqa: PLC0415

    body = {
        "schema": SCHEMA,
        "before": found.before,
        "after": found.after,
        "child": found.child,
        "gone": found.gone,
        "come": found.come,
        "facts": to_plain(found.facts, tuple[FactChange, ...]),
        "facts_of_other_cameras": found.elsewhere,
        "moves": to_plain(found.moves, tuple[Kind, ...]),
        "verdicts": to_plain(found.verdicts, tuple[VerdictChange, ...]),
        "incomparable": to_plain(found.incomparable, tuple[Incomparable, ...]),
    }
    return json.dumps(body, sort_keys=True, indent=1)
