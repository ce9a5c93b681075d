"""Progress of a night on stderr: bars on a terminal, a line per step elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from qa.model import StepStatus
from qa.printable import printable

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from qa.model import Step, StepOutcome

QUIET_SECONDS = 10.0


class LineConsole:
    """One line when a step ends, and one now and then while it lasts. For logs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""

    def say(self, text: str) -> None:
        """Print one line."""
        with self._lock:
            print(printable(text), file=sys.stderr, flush=True)  # noqa: T201 - this is the console

    def progress(self, step: Step, done: int, total: int) -> None:
        """Say how far a step is, unless that was said a moment ago."""
        now = time.monotonic()
        last = self._last.setdefault(step.key, now)
        if now - last >= QUIET_SECONDS and done < total:
            self._last[step.key] = now
            self.say(f"{step.key}: {done} of {total}")

    def finished(self, outcome: StepOutcome) -> None:
        """Say how a step ended."""
        self.say(describe(outcome))


class BarConsole(LineConsole):
    """A bar per running step, for people."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console  # noqa: PLC0415 - 60 ms that only a terminal needs
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        text = TextColumn("{task.description}")
        self._bars: Bars = Progress(
            text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(stderr=True)
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bars away."""
        self._bars.stop()

    def say(self, text: str) -> None:
        """Print one line above the bars."""
        self._bars.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)

    def progress(self, step: Step, done: int, total: int) -> None:
        """Move the step's bar."""
        with self._lock:
            if step.key not in self._tasks:
                self._tasks[step.key] = self._bars.add_task(step.key, total=total)
        self._bars.update(self._tasks[step.key], completed=done, total=total)

    def finished(self, outcome: StepOutcome) -> None:
        """Take the step's bar away and say how it ended."""
        with self._lock:
            task = self._tasks.pop(outcome.step.key, None)
        if task is not None:
            self._bars.remove_task(task)
        super().finished(outcome)


def describe(outcome: StepOutcome) -> str:
    """Word an outcome as a line."""
    line = f"{outcome.step.key}: {outcome.status} in {outcome.wall_seconds:.1f} s"
    if outcome.status is StepStatus.FAILED:
        return f"{line}: {outcome.message} (log: {outcome.log})"
    return f"{line}: {outcome.message}" if outcome.message else line


def make_console() -> LineConsole:
    """Choose bars for a terminal and lines for anything else."""
    return BarConsole() if sys.stderr.isatty() else LineConsole()
