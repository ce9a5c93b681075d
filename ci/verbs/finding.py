"""`obsqa finding`: what is wrong since when, and who lets it stand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from qa.judging.judged import Finding

_run = click.option("--run", default="latest", help="Run id, path, or `latest`.  [default: latest]")
_who = click.option("--who", help="Who says so, as 'Name <address>'.  [default: git's identity]")


@click.group()
def finding() -> None:
    """Show the findings of a run, and let one stand for a while."""


@finding.command("list", epilog="Example: obsqa finding list --camera hsc")
@options.camera
@click.option("--all", "with_fixed", is_flag=True, help="Also those that are fixed.")
@_run
@options.runs
@options.as_json
def list_(cameras: tuple[str, ...], run: str, runs: Path | None, *, with_fixed: bool, as_json: bool) -> None:
    """List the findings that stand after a run."""
    from qa.judging.judged import FindingState  # noqa: PLC0415 - only where a verb runs

    found = [
        one
        for one in _findings(run, runs)
        if (not cameras or one.scope.camera in cameras) and (with_fixed or one.state is not FindingState.FIXED)
    ]
    _print(found, as_json=as_json)


@finding.command(epilog="Example: obsqa finding show 3f2a1c09")
@click.argument("id_", metavar="ID")
@_run
@options.runs
@options.as_json
def show(id_: str, run: str, runs: Path | None, *, as_json: bool) -> None:
    """Show all that is known of a finding."""
    one = _one(_findings(run, runs), id_)
    if as_json:
        _print([one], as_json=True)
        return
    for line in _lines(one):
        click.echo(line)


@finding.command(
    epilog="Example: obsqa finding acknowledge 3f2a1c09 --until 2027-01-15 --why 'new reference catalogue comes then'"
)
@click.argument("id_", metavar="ID")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The last day on which it may stand.")
@click.option("--why", required=True, help="Why, in a sentence for those who read the file.")
@_who
@_run
@options.runs
def acknowledge(id_: str, *, until: datetime, why: str, who: str | None, run: str, runs: Path | None) -> None:
    """Let a finding stand until a day: it fails no night until then, unless it gets worse."""
    from ci.identity import git_identity  # noqa: PLC0415
    from ci.settings import Settings  # noqa: PLC0415
    from qa.errors import RequestError  # noqa: PLC0415
    from qa.judging.acknowledged import FILE_NAME, Line, moment  # noqa: PLC0415
    from qa.judging.acknowledged import acknowledge as write  # noqa: PLC0415

    if not why.strip():
        msg = "--why must give a reason, got an empty text"
        raise RequestError(msg)
    one = _one(_findings(run, runs), id_)
    when = moment(datetime.now(UTC))
    root = Settings.from_environment().regression_data
    line = Line(
        finding=one.id, of=_series(one), who=who or git_identity(), when=when, until=until.date(), why=why.strip()
    )
    write(root, line)
    click.echo(f"{one.id} {_series(one)} may stand until {line.until}; commit {root / FILE_NAME}")


@finding.command(epilog="Example: obsqa finding withdraw 3f2a1c09")
@click.argument("id_", metavar="ID")
def withdraw(id_: str) -> None:
    """Take the acknowledgement of a finding back: it is open again when the next run is judged."""
    from ci.settings import Settings  # noqa: PLC0415
    from qa.judging.acknowledged import FILE_NAME  # noqa: PLC0415
    from qa.judging.acknowledged import withdraw as take_back  # noqa: PLC0415

    root = Settings.from_environment().regression_data
    taken = take_back(root, id_)
    click.echo(f"{taken.finding} {taken.of} is acknowledged no longer; commit {root / FILE_NAME}")


def _findings(run: str, runs: Path | None) -> tuple[Finding, ...]:
    from ci.lanes import find_run  # noqa: PLC0415 - heavy
    from ci.settings import Settings  # noqa: PLC0415
    from qa.journal import read_record  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs)
    return read_record(find_run(settings.runs, run)).findings


def _one(findings: Sequence[Finding], id_: str) -> Finding:
    """Return a finding by its id."""
    from qa.errors import UnknownNameError  # noqa: PLC0415

    for one in findings:
        if one.id == id_:
            return one
    kind = "finding of this run"
    raise UnknownNameError(kind, id_, [one.id for one in findings])


def _series(one: Finding) -> str:
    return f"{one.metric} of {one.scope} ({one.kind})"


def _print(findings: Sequence[Finding], *, as_json: bool) -> None:
    from qa.documents import to_plain  # noqa: PLC0415
    from qa.judging.judged import Finding  # noqa: PLC0415

    if as_json:
        plain = to_plain(tuple(findings), tuple[Finding, ...])
        click.echo(json.dumps(plain, indent=1, sort_keys=True, allow_nan=False))
        return
    if not findings:
        click.echo("no findings")
    for one in findings:
        known = " known" if one.known else ""
        click.echo(f"{one.id}  {one.state.value + known:<18} since {_day(one.since or one.first)}  {_series(one)}")


def _lines(one: Finding) -> Iterator[str]:
    yield f"{one.id}  {_series(one)}"
    yield f"state         {one.state.value}{', known' if one.known else ''}, since {_day(one.since or one.first)}"
    yield f"seen          first {_day(one.first)}, last {_day(one.last)}, on {one.nights} night{'s' * (one.nights > 1)}"
    yield f"reason        {one.reason}"
    if one.incident:
        yield f"incident      {one.incident}"
    if one.acknowledgement:
        known = one.acknowledgement
        yield f"acknowledged  until {known.until} by {known.who}: {known.why}"
    if one.forecast:
        ahead = one.forecast
        latest = ahead.latest or "perhaps never"
        yield f"forecast      crosses {ahead.level} on {ahead.when} (68 %: {ahead.earliest} to {latest})"


def _day(when: datetime) -> str:
    return when.date().isoformat()
