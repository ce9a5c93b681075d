"""The command `obsqa`: verbs are imported only when called, expected failures become one line."""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

VERBS = {
    "nightly": "Process every supported camera through coadd measurement, judge it, report it.",
    "run": "Process a folder of your own raw exposures, judge and report it.",
    "camera": "Look at, check and renew the cameras of the registry.",
    "commit": "Check the cameras that a change concerns, in minutes.",
    "plan": "Show what a night would do.",
    "measure": "Measure a matched catalogue, or a finished run again.",
    "compare": "Judge a run's measurements again.",
    "report": "Write the report of a run again.",
    "blame": "Say what is to blame for what moved in a run.",
    "diff": "Show what changed between two runs, and how each metric moved.",
    "finding": "Show what is wrong since when, and let a finding stand for a while.",
    "import": "Judge measurements that others made.",
    "export": "Write a run's results as others read them.",
    "baseline": "Show, accept and undo baselines.",
    "requirements": "Show the science requirements, and examine documents of them.",
    "history": "Show how a metric moved over the nights.",
    "bisect": "Find the commits that brought a change between two runs.",
    "image": "Make and look at images in which cameras are processed.",
    "reproduce": "Rerun the smallest data that show one value, elsewhere.",
    "jenkins": "Begin builds on a Jenkins server, wait for them, collect what they left.",
    "notify": "Send the notices of a run, or show them.",
    "store": "Look after the history, and keep reports, records and baselines elsewhere.",
    "status": "Show the state of the last run and of every camera.",
}
INTERRUPTED = 130


def command_of(verb: str) -> click.Command:
    """Import the command of a verb: the module and the function of its name, with `_` behind a word of Python's own."""
    name = f"{verb}_" if iskeyword(verb) else verb
    command: click.Command = getattr(import_module(f"ci.verbs.{name}"), name)
    return command


class _Verbs(click.Group):
    """A group that knows its commands' names and imports each on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        return command_of(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(f"no command is called {args[0]!r}; known: {', '.join(VERBS)}")
        return super().resolve_command(ctx, args)


# Nothing printed by click has colours: escapes could only come from the words of others, and are cut out.
_SETTINGS = {"help_option_names": ["-h", "--help"], "color": False}


@click.group(cls=_Verbs, context_settings=_SETTINGS)
@click.version_option(package_name="obsqa")
def obsqa() -> None:
    """Continuous integration and nightly QA for survey-camera pipelines.

    Exit codes: 0 pass, 1 a verdict failed, 2 the request or a file is wrong, 3 infrastructure failed,
    4 incomplete, 130 interrupted.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    given = list(arguments) if arguments is not None else None
    try:
        result = obsqa.main(args=given, prog_name="obsqa", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        click.echo("obsqa: interrupted; what was finished is kept", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:
        code = _expected(error)
        if code is None:
            raise
        return code
    return result if isinstance(result, int) else 0


def _expected(error: Exception) -> int | None:
    """Print an expected failure as lines on stderr; return None for anything else."""
    from obs_registry.errors import RegistryError  # noqa: PLC0415 - only after a failure
    from qa.errors import ObsqaError  # noqa: PLC0415

    match error:
        case RegistryError():
            click.echo(f"obsqa: {error}", err=True)
            return 2
        case ObsqaError():
            click.echo(f"obsqa: {error}", err=True)
            return error.exit_code
        case _:
            return None


def main() -> None:
    """Run as the console script; a night that is told to end, as by a CI server, ends as one that is interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run())
