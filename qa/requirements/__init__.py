"""Science requirements as data: documents in YAML, and the ladder of levels a value can reach."""

from __future__ import annotations

from qa.requirements.ladder import UnitMismatchError, convert, reached
from qa.requirements.loader import Requirement, Requirements, RequirementsError, load, profiles

__all__ = [
    "Requirement",
    "Requirements",
    "RequirementsError",
    "UnitMismatchError",
    "convert",
    "load",
    "profiles",
    "reached",
]
