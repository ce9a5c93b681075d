"""Questions to the environment of the LSST stack, put to `stack_tool.py` there through a `Runner`."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from qa.engines.commands import Command
from qa.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from threading import Event

    from qa.engines.base import Job
    from qa.engines.commands import Exit, Runner

TOOL = Path(__file__).with_name("stack_tool.py")
SECONDS = 1800.0
"""Longest wait for an answer: setting up a whole stack takes minutes on a slow disk."""


class Asking(Protocol):
    """What a question needs to know of the step that puts it, and where what it costs is added."""

    cpu_seconds: float
    peak_mib: float

    @property
    def job(self) -> Job:
        """The step's job."""
        ...

    @property
    def runner(self) -> Runner:
        """What runs commands in the stack's environment."""
        ...

    @property
    def stop(self) -> Event:
        """Set when the night ends early."""
        ...

    @property
    def env(self) -> Mapping[str, str]:
        """The environment variables that the data set names and that are set here."""
        ...

    @property
    def reads(self) -> tuple[Path, ...]:
        """What of the data set lies on this machine."""
        ...

    @property
    def log(self) -> Path:
        """Where what commands print goes."""
        ...


def ask(asking: Asking, task: str, request: Mapping[str, object], *, writes: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Put a question and return the answer.

    Raises
    ------
    EngineError
        With one line that says what is wrong there.
    """
    answer, ended = put(
        asking.runner,
        {**request, "task": task},
        folder=asking.job.folder,
        log=asking.log,
        stop=asking.stop,
        reads=asking.reads,
        writes=writes,
        env=asking.env,
    )
    asking.cpu_seconds += ended.cpu_seconds
    asking.peak_mib = max(asking.peak_mib, ended.peak_mib)
    if "fault" in answer:
        raise EngineError(str(answer["fault"]))
    return answer


def put(
    runner: Runner,
    request: Mapping[str, object],
    *,
    folder: Path,
    log: Path,
    stop: Event,
    reads: tuple[Path, ...] = (),
    writes: tuple[Path, ...] = (),
    env: Mapping[str, str] = MappingProxyType({}),
) -> tuple[dict[str, Any], Exit]:
    """Put a question and return the answer, which has a `fault` where there is none, and what it cost."""
    asked, told = folder / "request.json", folder / "answer.json"
    told.unlink(missing_ok=True)
    asked.write_text(json.dumps(request))
    last = _Last()
    command = Command(
        ("python", str(TOOL), str(asked), str(told)),
        folder,
        log=log,
        timeout=SECONDS,
        env=env,
        reads=(TOOL, *reads),
        writes=writes,
    )
    ended = runner.run(command, stop=stop, line=last)
    with suppress(OSError, ValueError):
        return json.loads(told.read_text()), ended
    said = f" ({last.line})" if last.line else ""
    return {"fault": f"asking the environment of the stack: {ended.reason or 'no answer'}{said}"}, ended


class _Last:
    """Remembers the last line that says something."""

    line = ""

    def __call__(self, line: str) -> None:
        self.line = line.strip() or self.line
