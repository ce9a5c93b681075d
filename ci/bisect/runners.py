"""The port `Runner`, which runs a pipeline on a combination of checkouts, and its two real forms.

`CommandRunner` runs anything that leaves numbers or an exit code: an EUPS stack, a container, a script.
`ObsqaRunner` runs `obsqa nightly` with the checkouts before everything else on PYTHONPATH.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from ci.bisect import git
from ci.bisect.journal import Value
from ci.bisect.packages import variable
from ci.bisect.processes import last_words, run_logged
from qa.documents import read_document
from qa.errors import DocumentError
from qa.journal import read_record, runs_under
from qa.model import Lane, Measurement, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from ci.bisect.processes import Ended
    from ci.settings import Settings
    from qa.bisect import Probe
    from qa.model import Scope

EXIT_CODE = "exit code"
"""The name under which a command's exit code is a metric: 0 good, 1 bad."""

SKIP = 125
"""The exit code that says, as to `git bisect run`, that a combination cannot be tested."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: checkouts by package, what of each goes on PYTHONPATH, the probe, and a folder to work in."""

    checkouts: Mapping[str, Path]
    python: Sequence[Path]
    probe: Probe
    folder: Path


@dataclass(frozen=True, slots=True)
class Reading:
    """What a run measured, by the name of the metric or `<metric> of <scope>`; or why it says nothing."""

    values: Mapping[str, Value]
    reason: str
    cpu_seconds: float
    wall_seconds: float


class Runner(Protocol):
    """Runs a pipeline once. A run that fails is a reading with a reason, never an exception."""

    @property
    def depends(self) -> Mapping[str, Any]:
        """What its results depend on besides the combination and the data set."""
        ...

    def run(self, order: Order) -> Reading:
        """Run on some checkouts and wait for the end."""
        ...


@dataclass(frozen=True, slots=True)
class CommandRunner:
    """Runs an argument list, in which {camera}, {dataset} and {out} are filled in; see docs/how-to/bisect.md.

    It leaves `metrics.json` (a number, or {"value", "unit"}, for each metric) or `measurements.json` in the folder
    {out}; with `by_exit_code` its exit code decides, as for `git bisect run`.
    """

    command: tuple[str, ...]
    by_exit_code: bool = False
    timeout: float | None = None

    @property
    def depends(self) -> Mapping[str, Any]:
        """The command."""
        return {"command": list(self.command), "by_exit_code": self.by_exit_code}

    def run(self, order: Order) -> Reading:
        """Run the command in a folder of its own."""
        words = {
            "camera": order.probe.scope.camera,
            "dataset": order.probe.scope.dataset,
            "out": str(order.folder),
        }
        env = git.environment() | {f"OBSQA_BISECT_{name.upper()}": value for name, value in words.items()}
        env |= {variable(name): str(path) for name, path in order.checkouts.items()} | _python_path(order.python)
        log = order.folder / "log.txt"
        command = [_filled(part, words) for part in self.command]
        ended = run_logged(command, cwd=order.folder, env=env, log=log, timeout=self.timeout)
        if self.by_exit_code:
            return _read_exit(ended, log)
        return _reading(ended, log, lambda: _read_files(order.folder))


@dataclass(frozen=True, slots=True)
class ObsqaRunner:
    """Runs one camera through `obsqa nightly`, from the checkout of obsqa itself if that is among the packages.

    Drawn pixels come from the cache that all runs share, and what is on the sky from the present regression data.
    """

    settings: Settings
    facts: Mapping[str, str]
    timeout: float | None = None

    @property
    def depends(self) -> Mapping[str, Any]:
        """The software that is not exchanged."""
        kept = {name: fact for name, fact in self.facts.items() if name.startswith("package ") or name in _OWN_FACTS}
        return {"obsqa": kept}

    def run(self, order: Order) -> Reading:
        """Process the camera into a folder that is removed once its results are read."""
        runs, log = order.folder / "runs", order.folder / "log.txt"
        quick = ["--quick"] if order.probe.lane is Lane.COMMIT else []
        camera = ["--camera", order.probe.scope.camera]
        registry = [part for folder in self.settings.registry for part in ("--registry", str(folder.resolve()))]
        start = [sys.executable, "-P", "-c", "from ci.cli import main; main()", "nightly", "--new"]
        env = git.environment() | _python_path(order.python)
        env |= {
            "OBSQA_CACHE": str(self.settings.cache.resolve()),
            "OBSQA_REGRESSION_DATA": str(self.settings.regression_data.resolve()),
            # A trial is nobody's night: it enters no shared history, is kept nowhere, and nobody is told of it.
            **dict.fromkeys(("OBSQA_STORE", "OBSQA_ARTIFACTS", "OBSQA_SUBSCRIPTIONS"), ""),
        }
        command = [*start, *quick, *camera, *registry, "--runs", str(runs)]
        ended = run_logged(command, cwd=order.folder, env=env, log=log, timeout=self.timeout)
        if ended.exit_code in {0, 1, 4}:  # it came to a verdict, whichever
            ended = replace(ended, ending="")
        try:
            # Its workers are not our children: what they took is in the journal.
            taken = replace(ended, cpu_seconds=max(ended.cpu_seconds, _cpu_seconds(runs)))
            return _reading(taken, log, lambda: _read_run(runs, order.probe.scope))
        finally:
            shutil.rmtree(runs, ignore_errors=True)


_OWN_FACTS = frozenset({"revision", "python", "machine", "cpu"})


def value_of(values: Mapping[str, Value], probe: Probe) -> float | str:
    """Return the probe's value in its unit, or why there is none.

    A value of the probe's very scope comes first, then one of the same band in whatever tract, then a plain one.
    """
    elsewhere = replace(probe.scope, tract=None)
    names = (str(probe), f"{probe.metric} of {elsewhere}", probe.metric)
    found = next((values[name] for name in names if name in values), None)
    if found is None:
        return f"{probe} was not measured"
    if found.unit is not None and found.unit != probe.unit and probe.unit:
        return f"{probe} was measured in {found.unit!r}, not {probe.unit!r}"
    return found.value


def values_of(results: Iterable[Result]) -> dict[str, Value]:
    """Name measurements by metric and scope, and once more without the tract where there is one of them only."""
    named: dict[str, Value] = {}
    without: dict[str, list[Value]] = {}
    for one in results:
        if isinstance(one, Measurement):
            value = Value(one.value, one.unit)
            named[f"{one.metric} of {one.scope}"] = value
            without.setdefault(f"{one.metric} of {replace(one.scope, tract=None)}", []).append(value)
    return {name: values[0] for name, values in without.items() if len(values) == 1} | named


def _filled(part: str, words: Mapping[str, str]) -> str:
    for name, word in words.items():
        part = part.replace(f"{{{name}}}", word)
    return part


def _python_path(folders: Iterable[Path]) -> dict[str, str]:
    parts = [*map(str, folders), *([os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else [])]
    return {"PYTHONPATH": os.pathsep.join(parts)}


def _reading(ended: Ended, log: Path, read: Callable[[], Mapping[str, Value]]) -> Reading:
    """Read what a run left, unless it failed."""
    values: Mapping[str, Value] = {}
    reason = f"{ended.ending}: {last_words(log)}" if ended.ending else ""
    if not reason:
        try:
            values = read()
        except DocumentError as error:
            reason = str(error)
    return Reading(values, reason, ended.cpu_seconds, ended.wall_seconds)


def _read_exit(ended: Ended, log: Path) -> Reading:
    reason = f"{ended.ending}: {last_words(log)}" if ended.exit_code >= SKIP or ended.exit_code < 0 else ""
    values = {} if reason else {EXIT_CODE: Value(float(ended.exit_code != 0))}
    return Reading(values, reason, ended.cpu_seconds, ended.wall_seconds)


def _read_files(folder: Path) -> dict[str, Value]:
    measured = folder / "measurements.json"
    if measured.is_file():
        return values_of(read_document(measured, "measurements", tuple[Result, ...]))
    return _read_plain(folder / "metrics.json")


def _read_plain(path: Path) -> dict[str, Value]:
    required = "a mapping from metrics to finite numbers, or to {value, unit}"
    try:
        body = json.loads(path.read_text())
    except OSError:
        raise DocumentError(path.name, required=required, found="no such file, and no measurements.json") from None
    except ValueError as error:
        raise DocumentError(path.name, required=required, found=f"text that is not JSON ({error})") from None
    if not isinstance(body, dict):
        raise DocumentError(path.name, required=required, found=type(body).__name__)
    return {name: _plain_value(path, required, name, entry) for name, entry in body.items()}


def _plain_value(path: Path, required: str, name: str, entry: object) -> Value:
    value, unit = (entry.get("value"), entry.get("unit")) if isinstance(entry, dict) else (entry, None)
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not isinstance(unit, str | None):
        raise DocumentError(path.name, required=required, found=f"{entry!r} for {name}")
    return Value(float(value), unit)  # type: ignore[arg-type]  # a number, as was just seen


def _cpu_seconds(runs: Path) -> float:
    records = [read_record(folder) for folder in runs_under(runs)[-1:]]
    return math.fsum(outcome.cpu_seconds for record in records for outcome in record.outcomes.values())


def _read_run(runs: Path, scope: Scope) -> dict[str, Value]:
    folders = runs_under(runs)
    if not folders:
        raise DocumentError(runs, required="a folder with a run", found="none")
    record = read_record(folders[-1])
    if failure := record.failure(scope.camera):
        raise DocumentError(failure.step.key, required="a step that is done", found=failure.message)
    return values_of(record.results)
