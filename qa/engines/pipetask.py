"""`pipetask run` as a command: its arguments, its progress, and what it says of quanta that failed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from qa.engines.commands import Command
from qa.engines.stack_ask import Asking
from qa.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from obs_registry.datasets import Config
    from obs_registry.model import Stored
    from qa.engines.commands import Exit

_DONE = re.compile(r"Executed (\d+) quanta successfully, (\d+) failed and (\d+) remain out of total (\d+) quanta")
_EMPTY = re.compile(r"quantum ?graph (?:is|was|contains) (?:empty|no quanta)", re.IGNORECASE)
_ERROR = re.compile(r"^(?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception|Failure|NotFound|NoWorkFound)\w*: \S.*")
_USAGE = re.compile(r"^Error: \S.*")
_SUMS_UP = "MPGraphExecutorError"
_SMALL = 300
_PARTS = 100
PARAMETERS = "parameters"
"""In the place of a task's label: the parameters of the pipeline itself."""


class Steering(Asking, Protocol):
    """What a run needs to know of its step."""

    @property
    def timeout(self) -> float:
        """Longest time for the step, in seconds."""
        ...

    def tick(self, done: int, total: int, /) -> None:
        """Tell how far it is."""
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """One `pipetask run`: its arguments, where its summary goes, and which part of the whole it is."""

    argv: tuple[str, ...]
    run: str
    summary: Path
    begun: bool
    before: float = 0.0
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it: how many quanta succeeded, and one line for each that failed."""

    succeeded: int
    failures: tuple[str, ...]


def attempts(
    dataset: Stored, found: Mapping[str, Any], runs: Sequence[str], *, folder: Path, workers: int
) -> tuple[Attempt, ...]:
    """Return the commands that process a data set, in order; each takes what those before it made as inputs, too.

    `found` is what the environment of the stack says: repository, pipeline, collections and queries with their
    variables filled in, and the runs that were begun before.
    """
    own, *queries = found["queries"]
    steps = dataset.steps or (None,)
    planned = []
    for number, (step, run) in enumerate(zip(steps, runs, strict=True)):
        pipeline = found["pipeline"] if step is None else f"{found['pipeline']}#{step.subset}"
        query = own if step is None else queries[number] or own
        most = step.processes if step is not None and step.processes is not None else workers
        summary, begun = folder / f"summary-{number}.json", run in found["begun"]
        again = ("--extend-run", "--skip-existing", "--clobber-outputs") if begun else ()
        argv = (
            *("pipetask", "--long-log", "--log-level", "INFO", "run"),
            *("--butler-config", found["repository"], "--pipeline", pipeline),
            *("--input", ",".join((*reversed(runs[:number]), *found["collections"])), "--output-run", run),
            *(("--data-query", query) if query else ()),
            *(("--instrument", dataset.instrument) if dataset.instrument else ()),
            *_config_files(dataset.config if step is None else step.config, folder, number),
            *("--register-dataset-types", "--processes", str(min(workers, most)), "--summary", str(summary)),
            *again,
        )
        planned.append(Attempt(argv, run, summary, begun))
    return tuple(planned)


def _config_files(config: Config, folder: Path, number: int) -> Iterator[str]:
    """Write the configuration of each task as a file, and yield the arguments that name it."""
    for place, (label, fields) in enumerate(config.items()):
        if label == PARAMETERS:
            yield from (part for name, value in fields.items() for part in ("--config", f"{label}:{name}={value}"))
            continue
        path = folder / "config" / f"{number}-{place}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"config.{name} = {value!r}\n" for name, value in fields.items()))
        yield from ("--config-file", f"{label}:{path}")


def run_attempt(steering: Steering, attempt: Attempt) -> Ran:
    """Run `pipetask` and read its summary.

    Raises
    ------
    EngineError
        If no quantum succeeded, or `pipetask` did not come to its end, with the first thing that went wrong. What was
        done is kept: the next attempt continues.
    """
    attempt.summary.unlink(missing_ok=True)
    heard = _Heard(steering, attempt)
    command = Command(
        attempt.argv,
        steering.job.folder,
        log=steering.log,
        timeout=steering.timeout,
        env=steering.env,
        reads=(*steering.reads, *_written(attempt.argv)),
        writes=on_disk(attempt.argv[attempt.argv.index("--butler-config") + 1]),
    )
    ended = steering.runner.run(command, stop=steering.stop, line=heard)
    steering.cpu_seconds += ended.cpu_seconds
    steering.peak_mib = max(steering.peak_mib, ended.peak_mib)
    whole = attempt.summary.is_file()
    succeeded, failures = of_summary(attempt.summary, heard.why)
    if heard.empty and attempt.begun:
        return Ran(0, ())  # an earlier attempt had done it all
    if succeeded and whole and not steering.stop.is_set():
        return Ran(succeeded, failures)
    raise EngineError(_why(heard, ended, failures))


def _why(heard: _Heard, ended: Exit, failures: tuple[str, ...]) -> str:
    """Word why nothing, or not all that could be, was done."""
    if failures:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        return f"no quantum succeeded: {failures[0]}{more}"
    if heard.empty:
        return "the pipeline must find something to do with these inputs and this query, found no quantum"
    done = f" after {heard.succeeded} quanta" if heard.succeeded else ""
    return f"pipetask {ended.reason or 'left no summary'}{done}" + (f": {heard.why}" if heard.why else "")


class _Heard:
    """What the lines of `pipetask` say: how far it is, and what is wrong."""

    def __init__(self, steering: Steering, attempt: Attempt) -> None:
        self._steering, self._attempt = steering, attempt
        self.succeeded, self.empty, self.why = 0, False, ""

    def __call__(self, line: str) -> None:
        text = line.strip()
        if done := _DONE.search(text):
            good, bad, _, total = map(int, done.groups())
            self.succeeded = good
            part = self._attempt.before + self._attempt.share * (good + bad) / max(total, 1)
            whole = total if self._attempt.share == 1 else _PARTS
            self._steering.tick(round(part * whole), whole)
        self.empty = self.empty or bool(_EMPTY.search(text))
        if (_ERROR.match(text) and (_SUMS_UP not in text or not self.why)) or _USAGE.match(text):
            self.why = text[:_SMALL]


def of_summary(path: Path, last: str) -> tuple[int, tuple[str, ...]]:
    """Return how many quanta succeeded, and a line for each that failed; the form of the file is not promised.

    Of quanta in processes of their own it does not say why they failed: then `last` is the last error of any.
    """
    try:
        reports = json.loads(path.read_text()).get("quantaReports") or []
        good = sum(one.get("status") == "success" for one in reports)
        return good, tuple(_failure(one, last) for one in reports if one.get("status") in {"failure", "timeout"})
    except (OSError, ValueError, AttributeError, TypeError):
        return 0, ()


def _failure(report: Mapping[str, Any], last: str) -> str:
    told = report.get("exceptionInfo") or {}
    name, message = str(told.get("className") or "").rpartition(".")[2], str(told.get("message") or "")
    why = ": ".join(part for part in (name, " ".join(message.split())) if part)
    data_id = " ".join(f"{key} {value}" for key, value in (report.get("dataId") or {}).items())
    return f"{report.get('taskLabel')} {data_id}: {why or last or report.get('status')}"[:_SMALL]


def _written(argv: Sequence[str]) -> tuple[Path, ...]:
    """Return the files of configuration that a command names."""
    named = [value for flag, value in pairwise(argv) if flag == "--config-file"]
    return tuple(Path(value.partition(":")[2]) for value in named)


def on_disk(repository: str) -> tuple[Path, ...]:
    """Return the repository as a folder that is written to, where it is one."""
    path = Path(repository)
    return (path,) if path.is_dir() else ()
