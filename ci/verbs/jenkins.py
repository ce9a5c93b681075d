"""`obsqa jenkins`: begin builds on a Jenkins server, wait for them, collect what they left."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from ci.jenkins import Build, Collected, Deadline, Server

_url = click.option("--url", envvar="OBSQA_JENKINS_URL", required=True, help="Server.  [env: OBSQA_JENKINS_URL]")
_deadline = click.option(
    "--deadline", type=options.DURATION, default="3h", show_default=True, help="When to give up, e.g. 90m."
)
_into = click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("jenkins"),
    show_default=True,
    help="Folder for what is collected.",
)
_number = click.argument("number", type=click.IntRange(min=1))


@click.group()
def jenkins() -> None:
    """Begin builds on a Jenkins server, wait for them, collect what they left.

    User and token are read from OBSQA_JENKINS_USER and OBSQA_JENKINS_TOKEN. A build's result becomes the exit code:
    SUCCESS 0, UNSTABLE 1, FAILURE 3, ABORTED and NOT_BUILT 4.
    """


@jenkins.command(epilog="Example: obsqa jenkins trigger nightly -p LANE=nightly -p CAMERA=hsc --watch")
@click.argument("job")
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--watch", "and_watch", is_flag=True, help="Wait for its end.")
@_url
@_deadline
@options.as_json
def trigger(job: str, parameters: tuple[str, ...], url: str, deadline: float, *, and_watch: bool, as_json: bool) -> int:
    """Begin a build of JOB (folders with /) and print its number once it has one."""
    server, end = _server(url), _end(deadline)
    place = server.trigger(job, _pairs(parameters), end)
    click.echo(f"{job}: item {place} of the queue", err=True)
    number = server.number(job, place, end)
    if and_watch:
        return _watched(server, job, number, end, as_json=as_json)
    click.echo(json.dumps({"job": job, "number": number}) if as_json else f"{job} #{number}")
    return 0


@jenkins.command(epilog="Example: obsqa jenkins watch nightly 117 --deadline 90m")
@click.argument("job")
@_number
@_url
@_deadline
@options.as_json
def watch(job: str, number: int, url: str, deadline: float, *, as_json: bool) -> int:
    """Wait for the end of build NUMBER of JOB; its result is the exit code."""
    return _watched(_server(url), job, number, _end(deadline), as_json=as_json)


@jenkins.command(epilog="Example: obsqa jenkins collect nightly 117 --into last-night")
@click.argument("job")
@_number
@_into
@_url
@_deadline
@options.as_json
def collect(job: str, number: int, into: Path, url: str, deadline: float, *, as_json: bool) -> int:
    """Wait for build NUMBER of JOB and fetch its artefacts, its console and its tests.

    What it should have left and did not is told; the exit code is then 4 at least.
    """
    from ci.jenkins import EXIT_CODES  # noqa: PLC0415 - only where a verb runs

    server, end = _server(url), _end(deadline)
    found = server.collect(server.wait(job, number, end, _tell), into, end)
    click.echo(json.dumps(_plain(found), indent=1, sort_keys=True) if as_json else "\n".join(_lines(found)))
    code = EXIT_CODES[found.build.result]
    return 4 if found.missing and code == 0 else code


def _server(url: str) -> Server:
    from ci.jenkins import Server  # noqa: PLC0415

    return Server(url, user=os.environ.get("OBSQA_JENKINS_USER", ""), token=os.environ.get("OBSQA_JENKINS_TOKEN", ""))


def _end(seconds: float) -> Deadline:
    from ci.jenkins import Deadline  # noqa: PLC0415

    return Deadline(seconds)


def _pairs(parameters: tuple[str, ...]) -> dict[str, str]:
    from qa.errors import RequestError  # noqa: PLC0415

    for one in parameters:
        if not one.partition("=")[0] or "=" not in one:
            msg = f"a parameter must be NAME=VALUE, got {one!r}"
            raise RequestError(msg)
    return {name: value for name, _, value in (one.partition("=") for one in parameters)}


def _watched(server: Server, job: str, number: int, end: Deadline, *, as_json: bool) -> int:
    from ci.jenkins import EXIT_CODES  # noqa: PLC0415

    build = server.wait(job, number, end, _tell)
    click.echo(json.dumps(_build(build), sort_keys=True) if as_json else _sentence(build))
    return EXIT_CODES[build.result]


def _tell(text: str) -> None:
    click.echo(text, err=True)


def _build(build: Build) -> dict[str, object]:
    return {"job": build.job, "number": build.number, "result": build.result.value, "seconds": build.seconds}


def _sentence(build: Build) -> str:
    return f"{build.job} #{build.number}: {build.result} after {build.seconds:.0f} s"


def _plain(found: Collected) -> dict[str, object]:
    files = [str(path) for path in found.files]
    more = {"tests": dict(found.tests), "failed": list(found.failed), "files": files, "missing": list(found.missing)}
    return _build(found.build) | more


def _lines(found: Collected) -> list[str]:
    tests = ", ".join(f"{count} {outcome}" for outcome, count in sorted(found.tests.items())) or "none"
    return [
        _sentence(found.build),
        f"tests: {tests}",
        *(f"  {name}" for name in found.failed),
        *(f"fetched {path}" for path in found.files),
        *(f"missing: {what}" for what in found.missing),
    ]
