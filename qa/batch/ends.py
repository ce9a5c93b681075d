"""How jobs of a batch system ended, as far as they could tell: their output, and what `bps` said meanwhile."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qa.batch.config import ENDED, SUBMITTED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_EXIT = re.compile(rf"^{ENDED} (\d+)$", re.MULTILINE)
_CPU = re.compile(r"(\d+)m(\d+\.\d+)s (\d+)m(\d+\.\d+)s")
_TASK = re.compile(r"\bTask (\d+) (?:completed|failed)\b")
# What tells most of a fault comes first: the batch system's own words, an exception, a line of a log.
_FAULTS = (
    re.compile(r"\b(?:sbatch|squeue|scancel): (?:error|fatal): .*"),
    re.compile(r"^(?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception): .*"),
    re.compile(r"(?<=ERROR )\S.*"),
)
_JOBS = re.compile(r"\bGenericWorkflow contains (\d+) job")
_RUN_ID = re.compile(r"^Run Id: (\S+)$")


@dataclass(frozen=True, slots=True)
class End:
    """How a job ended: its exit code, None where it was killed before it could tell; CPU in seconds; its last line."""

    code: int | None
    cpu_seconds: float = 0.0
    last: str = ""

    def __str__(self) -> str:
        """Say it as what follows `its job`."""
        if self.code is None:
            return "was killed or lost its machine"
        return f"ended with exit code {self.code}" + (f": {self.last}" if self.last and self.code else "")


def read_end(output: str, errors: str) -> End:
    """Read what a job printed to its standard output and error; all attempts of the batch system count as one job."""
    codes, lines = _EXIT.findall(output), errors.strip().splitlines()
    cpu = sum(60 * (int(m) + int(n)) + float(s) + float(t) for m, s, n, t in _CPU.findall(output))
    return End(int(codes[-1]) if codes else None, cpu, lines[-1].strip() if lines else "")


def read_ends(folder: Path) -> Mapping[str, End]:
    """Return how each job ended of those that began in a submission of Parsl, by the name of the job."""
    found = {}
    for path in (folder / SUBMITTED / "logs").rglob("*.stdout"):
        errors = path.with_suffix(".stderr")
        text = errors.read_text(errors="replace") if errors.is_file() else ""
        found[path.stem] = read_end(path.read_text(errors="replace"), text)
    return found


@dataclass(slots=True)
class Listener:
    """Listens to what `bps submit` says: which jobs are over, the id of the run, and what may be wrong."""

    jobs: int
    tick: Callable[[int, int], None]
    run_id: str = ""
    fault: str = ""
    _rank: int = len(_FAULTS)
    _over: set[str] = field(default_factory=set)

    def __call__(self, line: str) -> None:
        """Take in a line."""
        if over := _TASK.search(line):
            self._over.add(over[1])
            self.tick(len(self._over), max(self.jobs, len(self._over)))
        elif (count := _JOBS.search(line)) and not self.jobs:
            self.jobs = int(count[1])
        elif told := _RUN_ID.match(line):
            self.run_id = "" if told[1] == "None" else told[1]
        else:
            self._fault(line)

    def _fault(self, line: str) -> None:
        for rank, pattern in enumerate(_FAULTS[: self._rank + 1]):
            if wrong := pattern.search(line):
                self.fault, self._rank = wrong[0].strip(), rank
                return
