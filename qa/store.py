"""The history of all runs: SQLite beside the runs by default, PostgreSQL where it is shared.

Everything in it can be rebuilt from the run folders; losing it loses no night.
"""

from __future__ import annotations

from qa.stores.base import Remembered, RunTakenError, Series, Store, StoreError
from qa.stores.sql import SqlStore

__all__ = ["Remembered", "RunTakenError", "Series", "SqlStore", "Store", "StoreError"]
