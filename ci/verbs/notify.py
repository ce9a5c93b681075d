"""`obsqa notify`: send the notices of a run, or show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from pathlib import Path

    from ci.lanes import Context
    from ci.notify.outbox import Post
    from qa.record import RunRecord


@click.command(epilog="Example: obsqa notify latest --show")
@click.argument("run", default="latest")
@options.registry
@options.runs
@options.as_json
@click.option("--show", is_flag=True, help="Print what would be sent to whom, and send nothing.")
@click.option("--again", is_flag=True, help="Send also what was sent before.")
def notify(run: str, registry: tuple[Path, ...], runs: Path | None, *, as_json: bool, show: bool, again: bool) -> int:
    """Send the notices of a judged run that were not sent yet.

    RUN is a run id, a path, or `latest`. Who is told what is in the file that OBSQA_SUBSCRIPTIONS names; passwords,
    tokens and addresses of webhooks are read from OBSQA_SMTP_PASSWORD, OBSQA_GITHUB_TOKEN and OBSQA_WEBHOOK_... A
    nightly sends its notices itself: this is for those that did not get through. Ends with 3 if one did not again.
    """
    import json  # noqa: PLC0415

    from ci.lanes import find_run  # noqa: PLC0415 - heavy
    from ci.notify import send_all  # noqa: PLC0415
    from ci.settings import Settings  # noqa: PLC0415
    from ci.wiring import make_context  # noqa: PLC0415
    from qa.errors import RequestError  # noqa: PLC0415
    from qa.journal import read_record  # noqa: PLC0415

    settings = Settings.from_environment().override(runs=runs, registry=registry)
    if settings.subscriptions is None:
        msg = "OBSQA_SUBSCRIPTIONS must name the file that says who is told what, and is not set"
        raise RequestError(msg)
    folder = find_run(settings.runs, run)
    record = read_record(folder)
    if record.exit_code is None:
        msg = f"{record.run_id} must have ended to be told of, and has not; continue it, or judge it: obsqa compare"
        raise RequestError(msg)
    context = make_context(settings)
    if show:
        return _show(context, folder, record, as_json=as_json)
    faults = send_all(context, folder, record, again=again)
    for line in faults:
        click.echo(f"obsqa: {line}", err=True)
    if as_json:
        click.echo(json.dumps({"run": record.run_id, "faults": list(faults)}))
    return 3 if faults else 0


def _show(context: Context, folder: Path, record: RunRecord, *, as_json: bool) -> int:
    """Print the notices of a run."""
    import json  # noqa: PLC0415

    from ci.notify.dispatch import shown  # noqa: PLC0415 - heavy

    found, unreachable = shown(context, folder, record)
    if as_json:
        click.echo(json.dumps([_plain(post) for post in found], indent=1, sort_keys=True))
    else:
        click.echo("\n".join(_text(post) for post in found) or "nobody is told anything")
    for line in unreachable:
        click.echo(f"obsqa: notices: {line}", err=True)
    return 0


def _plain(post: Post) -> dict[str, str]:
    notice = post.notice
    said = {"subject": notice.subject, "text": notice.text, "state": notice.state.value, "link": notice.link}
    return {"service": post.service.value, "to": post.to, "name": post.name, **said}


def _text(post: Post) -> str:
    where = "" if post.to == post.name else f", {post.to}"
    lines = (post.notice.subject, *post.notice.text.splitlines())
    return "\n".join((f"{post}{where}", *(f"  {line}".rstrip() for line in lines), ""))
