"""Accepted baselines and the ledger of their changes: the only writer of `regression_data/`.

`baselines/<camera>/<dataset>.json` holds one accepted value, or one accepted absence, a line; `ledger.yaml` holds
who moved them and why. A baseline moves only by a decision that leaves an entry in the ledger, and what the ledger's
entries make, one after another, is what the files say: where the two disagree, the ledger is right.

Writers take turns by a lock. An entry is written before the files it concerns; what was cut off in between is made up
for by the next writer.
"""

from __future__ import annotations

from qa.baselines.book import BusyError, Disagreement, DisagreementError, disagreements, ledger, restore
from qa.baselines.choice import Choice
from qa.baselines.decisions import (
    BelowMinimumError,
    CannotUndoError,
    accept,
    drop,
    droppable,
    expire,
    learn,
    proposals,
    undo,
)
from qa.baselines.files import load, load_all, path_of
from qa.baselines.standing import expired

__all__ = [
    "BelowMinimumError",
    "BusyError",
    "CannotUndoError",
    "Choice",
    "Disagreement",
    "DisagreementError",
    "accept",
    "disagreements",
    "drop",
    "droppable",
    "expire",
    "expired",
    "learn",
    "ledger",
    "load",
    "load_all",
    "path_of",
    "proposals",
    "restore",
    "undo",
]
