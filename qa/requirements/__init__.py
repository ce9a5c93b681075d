"""Science requirements as data: documents in YAML, and the ladder of levels a value can reach."""

from __future__ import annotations

from qa.requirements.ladder import UnitMismatchError, convert, reached
from qa.requirements.loader import Requirement, Requirements, RequirementsError, load, profiles
from qa.requirements.waivers import Waiver, waiver_of

__all__ = [
    "Requirement",
    "Requirements",
    "RequirementsError",
    "UnitMismatchError",
    "Waiver",
    "convert",
    "load",
    "profiles",
    "reached",
    "waiver_of",
]
