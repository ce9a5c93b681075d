"""Which packages, and which commits of them, brought a change: the search, its plan and its certainty. Pure.

`changed` says which packages differ between two runs, `probes` which data set and metric shows it cheapest, `cost` how
many trials that takes, `search` finds the smallest set of commits, and `certainty` how sure that is. What a trial is,
is the caller's: `ci.bisect` checks out, builds, runs and remembers.
"""

from __future__ import annotations

from qa.bisect.answer import Answer, Culprit, swaps
from qa.bisect.certainty import Certainty, Ends, NotReproducedError, verify
from qa.bisect.changed import Changed, changed_packages
from qa.bisect.commits import Commit, History, Narrowed, narrow
from qa.bisect.cost import Cost, cost_of
from qa.bisect.outcome import Combination, Outcome
from qa.bisect.packages import ddmin, most_trials
from qa.bisect.probes import Probe, choose
from qa.bisect.search import search
from qa.blame.model import Trial as Swap

__all__ = [
    "Answer",
    "Certainty",
    "Changed",
    "Combination",
    "Commit",
    "Cost",
    "Culprit",
    "Ends",
    "History",
    "Narrowed",
    "NotReproducedError",
    "Outcome",
    "Probe",
    "Swap",
    "changed_packages",
    "choose",
    "cost_of",
    "ddmin",
    "most_trials",
    "narrow",
    "search",
    "swaps",
    "verify",
]
