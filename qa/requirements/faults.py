"""What the doctor says: one thing wrong in one file, on which line, and what would be right."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a fault is: only errors make the doctor's exit code 1."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        """Render as `file:line`."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where it is written, and the correct value.

    `rule` names the rule that was broken. `subject` is the metric or specification concerned; `summary` is the message
    without it, so that faults of one rule and summary are one line of a listing.
    """

    file: str
    line: int
    rule: str
    message: str
    correct: str
    severity: Severity = Severity.ERROR
    subject: str = ""
    summary: str = ""

    def __str__(self) -> str:
        """Render as `file:line: severity: message; correct: ...`."""
        advice = f"; correct: {self.correct}" if self.correct else ""
        return f"{self.file}:{self.line}: {self.severity}: {self.message}{advice} [{self.rule}]"
