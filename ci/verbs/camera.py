"""`obsqa camera`: look at, check and renew the cameras of the registry."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from obs_registry.loader import Registry
    from obs_registry.model import Camera

COLUMNS = ("camera", "state", "package", "sponsor", "lease ends", "data sets")
STYLES = {"sponsored": "green", "lapsing": "yellow", "orphaned": "red", "proposed": "cyan", "retired": "dim"}
FAULTY = 2

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_on = click.option("--on", type=_DAY, metavar="DATE", help="Judge the leases on this day.  [default: today]")


@click.group(epilog="Example: obsqa camera list")
def camera() -> None:
    """Look at, check and renew the cameras of the registry."""


@camera.command("list", epilog="Example: obsqa camera list --on 2027-03-01")
@options.registry
@options.as_json
@_on
def list_cameras(registry: tuple[Path, ...], *, as_json: bool, on: datetime | None) -> None:
    """List every camera with its state, sponsor, end of lease and data sets."""
    known = _load(registry)
    today = _today(on)
    if as_json:
        _print_json([_summary(one, today) for one in known.values()])
    else:
        _print_table([_row(one, today) for one in known.values()])


@camera.command(epilog="Example: obsqa camera show hsc")
@click.argument("name")
@options.registry
@options.as_json
@_on
def show(name: str, registry: tuple[Path, ...], *, as_json: bool, on: datetime | None) -> None:
    """Show one camera: everything its file says, and the state that follows from it."""
    import yaml  # noqa: PLC0415 - only this verb prints YAML

    known = _load(registry)
    one = _find(known, name)
    summary, entry = _summary(one, _today(on)), one.model_dump(mode="json", exclude_none=True)
    missing = _unset(one)
    if as_json:
        facts = {"file": str(known.path(name)), "state": summary["state"], "entry": entry, "left_out": missing}
        _print_json(facts)
        return
    click.echo(f"# {known.path(name)}\n# {name} is {summary['state']}")
    for dataset, why in missing.items():
        click.echo(f"# {dataset} is left out here: {why}")
    click.echo(yaml.safe_dump(entry, sort_keys=False, allow_unicode=True), nl=False)


@camera.command(epilog="Example: obsqa camera check --registry cameras/")
@options.registry
@options.as_json
@_on
@click.pass_context
def check(context: click.Context, registry: tuple[Path, ...], *, as_json: bool, on: datetime | None) -> None:
    """Check every camera file and print every fault; exit code 2 if there is one.

    Requirements and waivers are checked, too; a waiver that has expired is told, and is no fault of the file.
    """
    from dataclasses import asdict  # noqa: PLC0415

    from obs_registry.loader import read_registry  # noqa: PLC0415 - pydantic takes a quarter of a second
    from qa.requirements.cameras import check_camera  # noqa: PLC0415

    reading = read_registry(_folders(registry))
    checked = [
        check_camera(one, reading.registry.path(name), today=_today(on)) for name, one in reading.registry.items()
    ]
    faults = [*reading.faults, *(fault for one in checked for fault in one.faults)]
    warnings = [warning for one in checked for warning in one.warnings]
    sound = [name for name, one in zip(reading.registry, checked, strict=True) if not one.faults]
    if as_json:
        listed = {"faults": [asdict(one) for one in faults], "warnings": [asdict(one) for one in warnings]}
        _print_json({"cameras": sound, **listed})
    else:
        for fault in faults:
            click.echo(str(fault))
        for warning in warnings:
            click.echo(f"{warning} (warning)")
        counts = [_count(len(sound), "camera"), _count(len(faults), "fault") if faults else "no fault"]
        click.echo(", ".join(counts + [_count(len(warnings), "warning")] * bool(warnings)))
    context.exit(FAULTY if faults else 0)


@camera.command(epilog="Example: obsqa camera schema > camera.schema.json")
def schema() -> None:
    """Print the JSON schema of a camera file, for editors."""
    from obs_registry.schema import camera_schema  # noqa: PLC0415

    _print_json(camera_schema())


@camera.command(epilog="Example: obsqa camera renew hsc --until 2029-10-31")
@click.argument("name")
@click.option("--until", required=True, type=_DAY, metavar="DATE", help="Last day of the new lease.")
@click.option("--contact", help="Whom to write to from now on: an e-mail or web address.")
@options.registry
@click.option("--on", type=_DAY, metavar="DATE", help="The day of the renewal.  [default: today]")
def renew(name: str, until: datetime, contact: str | None, registry: tuple[Path, ...], on: datetime | None) -> None:
    """Renew a camera's lease in its file; comments stay, and the change is yours to commit."""
    from qa.documents import atomic_open  # noqa: PLC0415

    known = _load(registry)
    one, path = _find(known, name), known.path(name)
    _insist_on_own_file(path, _folders(registry))
    text = _renewed(one, path.read_bytes().decode(), until=until.date(), contact=contact, today=_today(on))
    with atomic_open(path.resolve()) as stream:  # through a link, not over it
        stream.write(text.encode())
    click.echo(f"{name}: the lease now ends on {until.date()}; commit {path}")


def _unset(one: Camera) -> dict[str, str]:
    from qa.engines.availability import unset_here  # noqa: PLC0415

    return unset_here(one)


def _load(registry: tuple[Path, ...]) -> Registry:
    from obs_registry.loader import load_registry  # noqa: PLC0415 - pydantic takes a quarter of a second

    return load_registry(_folders(registry))


def _folders(registry: tuple[Path, ...]) -> tuple[Path, ...]:
    from ci.settings import Settings  # noqa: PLC0415

    return Settings.from_environment().override(registry=registry).registry


def _today(on: datetime | None) -> date:
    return (on or datetime.now(UTC)).date()


def _find(known: Registry, name: str) -> Camera:
    from qa.errors import UnknownNameError  # noqa: PLC0415

    if name not in known:
        raise UnknownNameError(kind="camera", name=name, known=sorted(known))
    return known[name]


def _summary(one: Camera, today: date) -> dict[str, object]:
    from obs_registry.lease import days_left, state_of  # noqa: PLC0415

    state = state_of(one, today)
    return {
        "camera": one.name,
        "state": state.value,
        "runs": state.runs,
        "gates": state.gates,
        "package": one.package.name,
        "sponsor": one.sponsor.team if one.sponsor else None,
        "lease_until": one.lease.until.isoformat() if one.lease else None,
        "days_left": days_left(one, today),
        "datasets": [dataset.name for dataset in one.datasets],
    }


def _row(one: Camera, today: date) -> tuple[str, ...]:
    summary = _summary(one, today)
    texts = (summary[key] for key in ("camera", "state", "package", "sponsor", "lease_until"))
    return (*(str(text or "-") for text in texts), " ".join(dataset.name for dataset in one.datasets) or "-")


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table: drawn on a terminal, aligned columns elsewhere."""
    if not sys.stdout.isatty():
        widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
        for row in (COLUMNS, *rows):
            click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.table import Table  # noqa: PLC0415

    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*row, style=STYLES[row[1]])
    Console().print(table)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=1, ensure_ascii=False))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _insist_on_own_file(path: Path, folders: Iterable[Path]) -> None:
    """Refuse to write where a change would be lost, or is not the user's to make: into an installed package."""
    from obs_registry.loader import SERVICES, SHIPPED  # noqa: PLC0415
    from qa.errors import DocumentError  # noqa: PLC0415

    checkout = [SHIPPED] if (SHIPPED.parents[1] / "pyproject.toml").is_file() else []
    folder_of_entry = path.parent.parent if path.parent.name == SERVICES else path.parent
    if folder_of_entry not in {folder.resolve() for folder in (*folders, *checkout)}:
        required = "a file of the checkout or of a --registry folder"
        raise DocumentError(path, required=required, found="a file of an installed package", action="renew it there")
    if not os.access(path, os.W_OK):
        raise DocumentError(path, required="a file that may be written", found="one that may only be read")


def _renewed(before: Camera, text: str, *, until: date, contact: str | None, today: date) -> str:
    """Return the text of the camera's file with the lease renewed; refuse what cannot be."""
    from pydantic import ValidationError  # noqa: PLC0415

    from obs_registry.errors import LeaseError  # noqa: PLC0415
    from obs_registry.lease import renewed  # noqa: PLC0415
    from obs_registry.rewrite import renewed_text  # noqa: PLC0415
    from qa.errors import RequestError  # noqa: PLC0415

    try:
        return renewed_text(text, renewed(before, until=until, contact=contact, today=today))
    except LeaseError as error:
        raise RequestError(str(error)) from None
    except ValidationError:
        message = f"--contact: must be an e-mail or web address, found {contact!r}"
        raise RequestError(message) from None
