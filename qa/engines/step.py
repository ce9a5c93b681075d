"""`python -m qa.engines.step JOB.json`: one step in this process, for containers and batch jobs.

The report goes beside the job's file, also when the step failed, and the exit code says only whether there is one.
Progress is printed, a line `@progress DONE TOTAL` each time; all else that is printed goes to the step's log.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from qa.engines.jobfile import read_job, report_path, write_report
from qa.errors import ObsqaError

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROGRESS = re.compile(r"@progress (\d+) (\d+)")


def main(arguments: Sequence[str]) -> int:
    """Carry out the step of a job file and return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write(f"obsqa step: one job file must be named, found {len(arguments)} arguments\n")
        return 2
    path = Path(arguments[0])
    try:
        job = read_job(path)
        from qa.engines.worker import carry_out  # noqa: PLC0415 - loads what only steps need

        with os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1) as told:
            report = carry_out(job, lambda done, total: tell(told, done, total))
        write_report(report_path(path), report)
    except ObsqaError as error:
        sys.stderr.write(f"obsqa step: {error}\n")
        return error.exit_code
    return 0


def tell(stream: TextIO, done: int, total: int) -> None:
    """Print how far a step is."""
    with contextlib.suppress(OSError):  # who listened is gone, or the disk is full: the step goes on
        stream.write(f"@progress {done} {total}\n")


def read_progress(line: str) -> tuple[int, int] | None:
    """Return how much is done and how much there is to do, if that is what a line tells."""
    found = _PROGRESS.fullmatch(line)
    return (int(found[1]), int(found[2])) if found else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
