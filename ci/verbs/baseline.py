"""`obsqa baseline`: show what was accepted, accept a run's results, undo that."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ci.settings import Settings
    from qa.compare import Accepted
    from qa.ledger import Decision, Entry, Move
    from qa.model import Result
    from qa.requirements import Requirements

_metric = click.option("--metric", "metrics", multiple=True, help="Only this metric; may be repeated.")
_why = click.option("--why", required=True, help="Why, in a sentence for those who read the ledger.")
_ticket = click.option("--ticket", help="Where the change is discussed.")
_who = click.option("--who", help="Who decides, as 'Name <address>'.  [default: git's identity]")


@click.group()
def baseline() -> None:
    """Show, accept and undo the baselines that a night is compared with."""


@baseline.command(epilog="Example: obsqa baseline show --camera hsc --metric PA1")
@options.camera
@_metric
@click.option("--ledger", "as_ledger", is_flag=True, help="Show who changed baselines, and why.")
@options.as_json
def show(cameras: tuple[str, ...], metrics: tuple[str, ...], *, as_ledger: bool, as_json: bool) -> None:
    """Show the accepted baselines, or the ledger of their changes."""
    from ci.settings import Settings  # noqa: PLC0415 - only where a verb runs
    from qa import baselines  # noqa: PLC0415 - heavy

    root = Settings.from_environment().regression_data
    if as_ledger:
        entries = [one for one in baselines.ledger(root) if not cameras or one.camera in cameras]
        _print_entries(entries, as_json=as_json)
        return
    accepted = baselines.load_all(root).values()
    wanted = [one for one in accepted if _is_wanted(one, cameras, metrics)]
    _print_baselines(wanted, as_json=as_json)


@baseline.command(
    epilog="Example: obsqa baseline accept latest --camera hsc --metric PA1 --why 'new aperture correction'"
)
@click.argument("run")
@options.camera
@_metric
@_why
@_ticket
@click.option("--waiver", help="Why a value below the minimum of its requirement is accepted all the same.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="Until when this is meant to hold.")
@_who
@options.registry
@options.runs
@options.as_json
def accept(  # noqa: PLR0913 - an argument for each option
    run: str,
    cameras: tuple[str, ...],
    metrics: tuple[str, ...],
    *,
    why: str,
    ticket: str | None,
    waiver: str | None,
    expires: datetime | None,
    who: str | None,
    registry: tuple[Path, ...],
    runs: Path | None,
    as_json: bool,
) -> None:
    """Make the results of RUN (an id, a path or `latest`) the baselines.

    What is steady keeps its baseline, and so does what was not measured this time, unless it is named by --metric.
    """
    from ci.lanes import find_run  # noqa: PLC0415 - heavy
    from ci.settings import Settings  # noqa: PLC0415
    from qa import baselines  # noqa: PLC0415
    from qa.metrics import catalogue  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs, registry=registry)
    folder = find_run(settings.runs, run)
    results = read_results(folder, cameras)
    entries = baselines.accept(
        settings.regression_data,
        results,
        run=folder.name,
        decision=_decision(who, why, ticket, waiver, expires),
        definitions=catalogue(),
        requirements=_requirements(settings, {one.scope.camera for one in results}),
        metrics=metrics,
    )
    _print_entries(entries, as_json=as_json)


@baseline.command(epilog="Example: obsqa baseline undo --why 'accepted by mistake'")
@click.argument("entry", required=False)
@_why
@_ticket
@_who
@options.as_json
def undo(entry: str | None, *, why: str, ticket: str | None, who: str | None, as_json: bool) -> None:
    """Take an ENTRY of the ledger back; without one, the last that still holds."""
    from ci.settings import Settings  # noqa: PLC0415
    from qa import baselines  # noqa: PLC0415

    root = Settings.from_environment().regression_data
    made = baselines.undo(root, decision=_decision(who, why, ticket), entry_id=entry)
    _print_entries([made], as_json=as_json)


def read_results(run: Path, cameras: tuple[str, ...]) -> list[Result]:
    """Read the measurements of a run's data sets.

    Raises
    ------
    RequestError
        If the run, or one of the cameras, has none.
    """
    from qa.documents import read_document  # noqa: PLC0415
    from qa.errors import RequestError, UnknownNameError  # noqa: PLC0415
    from qa.model import Result  # noqa: PLC0415

    paths = sorted(run.glob("*/*/measurements.json"))
    if not paths:
        msg = f"{run}: the run must have measured something, found no measurements.json; run: obsqa measure {run.name}"
        raise RequestError(msg)
    measured = {path.parent.parent.name for path in paths}
    for camera in cameras:
        if camera not in measured:
            kind = "camera measured in this run"
            raise UnknownNameError(kind, camera, sorted(measured))
    wanted = [path for path in paths if not cameras or path.parent.parent.name in cameras]
    return [one for path in wanted for one in read_document(path, "measurements", tuple[Result, ...])]


def _requirements(settings: Settings, cameras: Iterable[str]) -> dict[str, Requirements]:
    """Return the requirements each camera answers to; one that left the registry answers to the default ones."""
    from obs_registry.loader import load_registry  # noqa: PLC0415
    from qa.requirements import load  # noqa: PLC0415

    known = load_registry(settings.registry)
    return {name: load(known[name].requirements.profile) if name in known else load() for name in cameras}


def git_identity() -> str:
    """Return the name and address that git would put on a commit made here.

    Raises
    ------
    RequestError
        If git is absent or has no identity.
    """
    import subprocess  # noqa: PLC0415

    from qa.errors import RequestError  # noqa: PLC0415

    try:
        found = subprocess.run(["git", "var", "GIT_AUTHOR_IDENT"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        msg = "the ledger must say who decides, and git gives no identity here; set git's user.name and user.email, or give --who"  # noqa: E501
        raise RequestError(msg) from None
    return found.stdout[: found.stdout.rindex(">") + 1]


def _decision(
    who: str | None,
    why: str,
    ticket: str | None,
    waiver: str | None = None,
    expires: datetime | None = None,
) -> Decision:
    from qa.errors import RequestError  # noqa: PLC0415
    from qa.ledger import Decision  # noqa: PLC0415

    if not why.strip():
        msg = "--why must give a reason, got an empty text"
        raise RequestError(msg)
    return Decision(
        who=who or git_identity(),
        when=datetime.now(UTC).replace(microsecond=0),
        why=why,
        ticket=ticket,
        waiver=waiver,
        expires=expires.date() if expires else None,
    )


def _is_wanted(one: Accepted, cameras: tuple[str, ...], metrics: tuple[str, ...]) -> bool:
    return (not cameras or one.scope.camera in cameras) and (not metrics or one.metric in metrics)


def _print_baselines(accepted: list[Accepted], *, as_json: bool) -> None:
    from qa.documents import to_plain  # noqa: PLC0415
    from qa.model import Baseline, Unmeasured  # noqa: PLC0415

    if as_json:
        kind = tuple[Baseline | Unmeasured, ...]
        click.echo(json.dumps(to_plain(tuple(accepted), kind), indent=1, sort_keys=True, allow_nan=False))
        return
    if not accepted:
        click.echo("no baselines; accept a run's results with: obsqa baseline accept latest --why '...'")
    for one in accepted:
        click.echo(f"{one.metric:<24} {one.scope!s:<32} {_worded(one)}")


def _worded(one: Accepted) -> str:
    from qa.model import Unmeasured  # noqa: PLC0415
    from qa.wording import quantity  # noqa: PLC0415

    if isinstance(one, Unmeasured):
        return f"accepted as not measurable: {one.reason}"
    error = "" if one.stderr is None else f" +- {one.stderr:.2g}"
    spread = quantity(one.tolerance, one.unit, digits=2)
    return f"{quantity(one.value, '')}{error} {one.unit}".rstrip() + f"  (spread {spread}, run {one.run})"


def _print_entries(entries: Sequence[Entry], *, as_json: bool) -> None:
    if as_json:
        plain = [entry.model_dump(mode="json") for entry in entries]
        click.echo(json.dumps(plain, indent=1, sort_keys=True, allow_nan=False))
        return
    if not entries:
        click.echo("nothing to change")
    for line in (line for entry in entries for line in _entry_lines(entry)):
        click.echo(line)


def _entry_lines(entry: Entry) -> Iterator[str]:
    made = entry.decision
    of = f" of {entry.undoes}" if entry.undoes else ""
    what = f"{entry.action}{of}  {entry.camera}/{entry.dataset}"
    yield f"{entry.id}  {made.when:%Y-%m-%d %H:%M}  {what}  {made.who}: {made.why}"
    for move in entry.moves:
        yield f"  {move.place!s:<32} {_state_text(move, 'old')} -> {_state_text(move, 'new')}"


def _state_text(move: Move, which: str) -> str:
    from qa.ledger import Absent, Value  # noqa: PLC0415
    from qa.wording import quantity  # noqa: PLC0415

    match move.old if which == "old" else move.new:
        case Value(value=value, unit=unit):
            return quantity(value, unit)
        case Absent():
            return "absent"
        case _:
            return "nothing"
