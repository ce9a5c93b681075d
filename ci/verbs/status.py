"""`obsqa status`: the last run and every camera, at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from obs_registry.model import Camera
    from qa.record import RunRecord

OVERDUE_DAYS = 7


@click.command(epilog="Example: obsqa status --json")
@options.registry
@options.runs
@options.as_json
def status(registry: tuple[Path, ...], runs: Path | None, *, as_json: bool) -> None:
    """Show how the last run went, and when each camera was last measured on coadds."""
    import json  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from ci.settings import Settings  # noqa: PLC0415
    from ci.stores import night_store  # noqa: PLC0415
    from ci.wiring import read_cameras  # noqa: PLC0415 - heavy
    from qa.journal import read_record, runs_under  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs, registry=registry)
    known = runs_under(settings.runs)
    record = read_record(known[-1]) if known else None
    now = datetime.now(UTC)
    store = night_store(settings, lambda line: click.echo(line, err=True)) if known or settings.store else None
    last_coadds = store.last_coadds() if store else {}
    rows = [_row(camera, record, last_coadds.get(camera.name), now) for camera in read_cameras(settings)[0]]
    if as_json:
        click.echo(json.dumps({"run": _run(record), "cameras": rows}, indent=1, sort_keys=True))
        return
    _print(record, rows)


def _run(record: RunRecord | None) -> dict[str, object] | None:
    if record is None:
        return None
    finished = record.finished.isoformat() if record.finished else None
    return {"id": record.run_id, "lane": record.plan.lane, "finished": finished, "exit_code": record.exit_code}


def _row(camera: Camera, record: RunRecord | None, last: datetime | None, now: datetime) -> dict[str, object]:
    from obs_registry.lease import state_of  # noqa: PLC0415
    from obs_registry.services import Service  # noqa: PLC0415

    findings = [one for one in record.comparisons if one.scope.camera == camera.name] if record else []
    has_coadds = bool(camera.datasets) and not isinstance(camera, Service)
    return {
        "camera": camera.name,
        "state": state_of(camera, now.date()).value,
        "last_measured_on_coadds": last.isoformat() if last else None,
        "overdue": has_coadds and (last is None or (now - last).days >= OVERDUE_DAYS),
        **{kind: sum(one.status == kind for one in findings) for kind in ("pass", "warn", "fail")},
    }


def _print(record: RunRecord | None, rows: list[dict[str, object]]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    if record is None:
        click.echo("no run yet; start one with: obsqa nightly")
    else:
        ended = f"ended with exit code {record.exit_code}" if record.finished else "has not ended"
        click.echo(f"run {record.run_id} ({record.plan.lane}) {ended}")
    table = Table("camera", "state", "last measured on coadds", "pass", "warn", "fail")
    for row in rows:
        last = str(row["last_measured_on_coadds"] or "never")[:16].replace("T", " ")
        late = " (overdue)" if row["overdue"] else ""
        counts = [str(row[kind]) for kind in ("pass", "warn", "fail")]
        table.add_row(str(row["camera"]), str(row["state"]), last + late, *counts)
    Console().print(table)
