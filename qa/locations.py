"""Where the data that come with obsqa lie: in a checkout, or inside the installed package."""

from __future__ import annotations

from pathlib import Path

PUBLISHED = "published-at"
"""A file in a copy of regression data that says where they are published: what it stands in is not written to."""

AS_OF = "as-of"
"""The folder among the runs in which those repeated as of a day lie, by that day."""


def regression_data() -> Path:
    """Return the folder of baselines, ledger and sky recipes that belongs to this code."""
    here = Path(__file__).resolve().parent
    packaged = here / "_regression_data"
    return packaged if packaged.is_dir() else here.parent / "regression_data"
