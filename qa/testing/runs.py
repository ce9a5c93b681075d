"""Runs on disk, for tests of what reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.journal import FILE_NAME, Journal
from qa.record import RunFinished, RunStarted, StepFinished

if TYPE_CHECKING:
    from pathlib import Path

    from qa.record import RunRecord


def write_run(runs: Path, record: RunRecord) -> Path:
    """Write the journal of a run that gives its record, and return its folder."""
    folder = runs / record.run_id
    with Journal(folder / FILE_NAME, lambda: record.started) as journal:
        journal.append(RunStarted(record.plan, record.provenance))
        for measured in record.measured.values():
            journal.append(measured)
        for outcome in record.outcomes.values():
            journal.append(StepFinished(outcome))
        if record.exit_code is not None:
            journal.append(RunFinished(record.exit_code))
    return folder
