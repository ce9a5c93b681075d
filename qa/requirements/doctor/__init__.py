"""The doctor of requirements: examines our profiles or a metrics package of lsst.verify, and names the right value.

Each rule is a function that yields faults; a new rule is one entry in `RULES` (packages) or `PROFILE_RULES` (profiles).
What is asked of a metric is taken from one requirements document, LPM-17 unless told otherwise.
"""

from __future__ import annotations

from qa.requirements.doctor.examine import RULES, examine, examine_package, examine_profile
from qa.requirements.doctor.listing import EXAMPLES, Group, grouped, listing
from qa.requirements.doctor.profile import PROFILE_RULES

RULE_NAMES = frozenset(
    {
        *("bands", "base", "defined-twice", "direction", "document", "document-value", "inherited-bands"),
        *("inherited-milestone", "ladder-order", "milestone-laxer", "milestone-order", "name", "no-metric"),
        *("orphan-metric", "orphan-partial", "orphan-requirement", "orphan-specification", "page", "prefix"),
        *("repeated-key", "replaced-list", "text-number", "threshold", "unit-kind", "unit-spelling", "unit-unknown"),
        *("unknown-key", "unresolved", "yaml"),
    }
)
"""The rules by name, those of reading included."""

__all__ = [
    "EXAMPLES",
    "PROFILE_RULES",
    "RULES",
    "RULE_NAMES",
    "Group",
    "examine",
    "examine_package",
    "examine_profile",
    "grouped",
    "listing",
]
