"""`obsqa diff`: what changed between two runs, and how each metric moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from qa.blame.moves import Move

    Fact = Mapping[str, str | None]

SHOWN = 20


@click.command(epilog="Example: obsqa diff 20261122T020000Z latest")
@click.argument("one")
@click.argument("other")
@click.option("--all", "every", is_flag=True, help="List all metrics, also those that are the same to the last digit.")
@options.runs
@options.as_json
def diff(one: str, other: str, runs: Path | None, *, every: bool, as_json: bool) -> None:
    """Show which facts differ between two runs, and by how much each metric moved, largest first.

    ONE and OTHER are run ids, paths, or `latest`.
    """
    from ci.lanes import find_run  # noqa: PLC0415 - heavy
    from ci.settings import Settings  # noqa: PLC0415
    from qa.blame.moves import moves  # noqa: PLC0415
    from qa.foreign.definitions import definitions  # noqa: PLC0415
    from qa.journal import read_record  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs)
    before, after = (read_record(find_run(settings.runs, name)) for name in (one, other))
    names = sorted({*before.provenance, *after.provenance})
    facts = [
        {"fact": name, "before": before.provenance.get(name), "after": after.provenance.get(name)}
        for name in names
        if before.provenance.get(name) != after.provenance.get(name)
    ]
    found = moves(
        before.results,
        after.results,
        definitions={**definitions(before), **definitions(after)},
        comparisons=(*before.comparisons, *after.comparisons),
    )
    if as_json:
        click.echo(_json(before.run_id, after.run_id, facts, found))
    else:
        click.echo("\n".join((f"{before.run_id} -> {after.run_id}", *_facts(facts), *_moves(found, every=every))))


def _facts(facts: Sequence[Fact]) -> list[str]:
    if not facts:
        return ["all facts are the same"]
    width = max(len(fact["fact"] or "") for fact in facts)
    return [f"  {fact['fact']:<{width}}  {fact['before'] or '-'} -> {fact['after'] or '-'}" for fact in facts]


def _moves(found: Sequence[Move], *, every: bool) -> list[str]:
    moved = [move for move in found if not move.same]
    shown = found if every else moved[:SHOWN]
    lines = [f"{len(moved)} of {len(found)} metrics differ; sigma is in run-to-run spreads, positive when worse"]
    lines += [f"  {_sigma(move)}  {move.metric} ({move.scope})  {_values(move)}" for move in shown]
    if len(shown) < len(moved):
        lines.append(f"  and {len(moved) - len(shown)} more (--all)")
    return lines


def _sigma(move: Move) -> str:
    return f"{'missing' if move.sigma is None else f'{move.sigma:+.1f}':>9}"


def _values(move: Move) -> str:
    before, after = ("-" if value is None else f"{value:.6g}" for value in (move.before, move.after))
    return f"{before} -> {after} {move.unit}".rstrip()


def _json(one: str, other: str, facts: Sequence[Fact], found: Sequence[Move]) -> str:
    import json  # noqa: PLC0415

    from qa.blame.moves import Move as Kind  # noqa: PLC0415
    from qa.documents import SCHEMA, to_plain  # noqa: PLC0415

    body = {"schema": SCHEMA, "before": one, "after": other, "facts": facts}
    return json.dumps(body | {"moves": [to_plain(move, Kind) for move in found]}, sort_keys=True, indent=1)
