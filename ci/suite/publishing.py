"""What a session says at its end, and leaves for `obsqa commit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ci.assemble import night_of
from ci.publish import REPORT
from qa.documents import atomic_open
from reports.text import terminal
from reports.view import build
from reports.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from ci.suite.hooks import Suite


def write_note(config: pytest.Config, folder: Path, code: int) -> None:
    """Tell `obsqa commit` where the run is and how it ended."""
    if config.option.obsqa_note:
        with atomic_open(Path(config.option.obsqa_note)) as stream:
            stream.write(json.dumps({"report": str(folder / REPORT), "exit_code": code}).encode())


def say(suite: Suite) -> Iterator[str]:
    """Yield the lines of the summary."""
    if suite.left_out:
        yield f"{plural(len(suite.left_out), 'check')} left out for the budget"
    if suite.error:
        yield f"obsqa: {suite.error}"
    if suite.record is None:
        return
    folder, context = suite.night.folder, suite.night.context
    yield from _drawn(terminal(build(night_of(context, folder, suite.record)))).splitlines()
    yield ""
    yield f"report: {(folder / REPORT / 'index.html').resolve()}"


def _drawn(summary: object) -> str:
    from rich.console import Console  # noqa: PLC0415 - slow to import

    console = Console(width=110, no_color=True, highlight=False)
    with console.capture() as capture:
        console.print(summary)
    return capture.get()
