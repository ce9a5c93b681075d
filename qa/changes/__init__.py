"""Changes in the history of a metric: steps, drifts, spikes and gaps, found online under a false-alarm budget.

`scan` reads a history at once, `advance` one more night with a small `State` kept in between; both find the same.
"""

from qa.changes.budget import Budget
from qa.changes.forecast import forecast
from qa.changes.series import HistoryError, Series, advance, extend, scan, scan_many
from qa.changes.state import State, dump, load

__all__ = [
    "Budget",
    "HistoryError",
    "Series",
    "State",
    "advance",
    "dump",
    "extend",
    "forecast",
    "load",
    "scan",
    "scan_many",
]
