"""An engine that replays what it was given: for tests, and to try a night's other half without pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qa.engines.base import StepReport
from qa.model import StepOutcome, StepStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qa.engines.base import Job, Progress


@dataclass(slots=True)
class RecordedEngine:
    """Replays reports by step key; a step without one succeeds with no results. `ran` lists what was asked."""

    reports: Mapping[str, StepReport]
    ran: list[str] = field(default_factory=list)

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Return the recorded report of a step."""
        self.ran.append(job.step.key)
        progress(job.step, 1, 1)
        default = StepReport(StepOutcome(job.step, StepStatus.DONE, 0.0, 0.0, 0.0))
        return self.reports.get(job.step.key, default)
