"""Options and outputs that several verbs of `obsqa baseline` share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from qa.baselines.ledger import Entry, Move, State

DAY = click.DateTime(["%Y-%m-%d"])

metric = click.option(
    "--metric", "metrics", multiple=True, help="Only this metric, or those that fit a pattern (PA*); may be repeated."
)
why = click.option("--why", required=True, help="Why, in a sentence for those who read the ledger.")
ticket = click.option("--ticket", help="Where the change is discussed.")
who = click.option("--who", help="Who decides, as 'Name <address>'.  [default: git's identity]")
dry_run = click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")


def tell(line: str) -> None:
    """Print a line on stderr."""
    click.echo(f"obsqa: {line}", err=True)


def day_of(moment: datetime | None) -> date | None:
    """Return the day of an option's date."""
    return moment.date() if moment else None


def print_json(value: object) -> None:
    """Print JSON for machines."""
    click.echo(json.dumps(value, indent=1, sort_keys=True, allow_nan=False))


def print_entries(entries: Sequence[Entry], *, as_json: bool) -> None:
    """Print entries of the ledger: a line for each, a line for each of its moves, and what they come to."""
    if as_json:
        print_json([entry.model_dump(mode="json") for entry in entries])
        return
    if not entries:
        click.echo("nothing to change")
    for entry in entries:
        for line in _entry_lines(entry):
            click.echo(line)


def move_lines(moves: Sequence[Move], *, notes: Sequence[str] = ()) -> Iterator[str]:
    """Write moves as a table: what, old -> new, change in spreads, level and margin spent, each with its note."""
    rows = [
        (
            str(move.place),
            f"{state_text(move.old)} -> {state_text(move.new)}",
            _sigma(move),
            move.level or "",
            _of(move),
        )
        for move in moves
    ]
    widths = [32, *(max(len(row[column]) for row in rows) for column in range(1, 5))] if rows else []
    for row, note in zip(rows, notes or [""] * len(rows), strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  " + "  ".join([" ".join(cells[:2]), *(cell for cell in cells[2:] if cell), note]).rstrip()


def totals(moves: Sequence[Move]) -> str:
    """Say in a line what moves come to."""
    worse = sum((move.sigma or 0) > 0 for move in moves)
    better = sum((move.sigma or 0) < 0 for move in moves)
    new = sum(move.old is None for move in moves)
    spent = sum((move.margin_spent or 0) > 0 for move in moves)
    parts = [f"{new} new" if new else "", f"{worse} worse" if worse else "", f"{better} better" if better else ""]
    parts.append(f"{spent} spending requirement margin" if spent else "")
    listed = ", ".join(part for part in parts if part)
    return f"{len(moves)} baseline{'s' if len(moves) != 1 else ''}" + (f": {listed}" if listed else "")


def state_text(state: State | None) -> str:
    """Write an accepted state for people."""
    from qa.baselines.ledger import Absent, Value  # noqa: PLC0415 - heavy
    from qa.judging.wording import quantity  # noqa: PLC0415

    match state:
        case Value(value=value, unit=unit):
            return quantity(value, unit)
        case Absent():
            return "absent"
        case _:
            return "nothing"


def percent(share: float) -> str:
    """Write a share for people."""
    return f"{100 * share:.3g}%"


def _entry_lines(entry: Entry) -> Iterator[str]:
    made = entry.decision
    of = f" of {entry.undoes}" if entry.undoes else ""
    what = f"{entry.action}{of}  {entry.camera}/{entry.dataset}"
    more = [f"ticket {made.ticket}" if made.ticket else "", f"until {made.expires}" if made.expires else ""]
    more += [f"waiver: {made.waiver}" if made.waiver else "", "the new reference" if made.reference else ""]
    tail = "".join(f"; {one}" for one in more if one)
    yield f"{entry.id}  {made.when:%Y-%m-%d %H:%M}  {what}  {made.who}: {made.why}{tail}"
    yield from move_lines(entry.moves, notes=[f"waived {move.waived}" if move.waived else "" for move in entry.moves])


def _sigma(move: Move) -> str:
    from qa.baselines.ledger import Value  # noqa: PLC0415

    old, new = move.old, move.new
    if (
        isinstance(old, Value)
        and isinstance(new, Value)
        and (old.tolerance, old.learned) != (new.tolerance, new.learned)
    ):
        spread = f"spread {old.tolerance:.2g} -> {new.tolerance:.2g} {new.unit}".rstrip()
        if new.learned and old.value == new.value:
            return f"{spread} (learned)"
    return "" if move.sigma is None else f"{move.sigma:+.3g} spreads"


def _of(move: Move) -> str:
    """Say how much of the margin that there was a move spent, or won back."""
    spent, left = move.margin_spent, move.margin_left
    if not spent or left is None:
        return ""
    before = left + spent
    share = f" ({percent(abs(spent) / before)} of what was left)" if before > 0 else ""
    return f"{'spends' if spent > 0 else 'wins'} {abs(spent):.3g} of margin{share}"
