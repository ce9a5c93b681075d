"""A bisect from its plan to its answer: verify the ends, search, remember every trial."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ci.bisect.checkouts import UntestableError
from ci.bisect.journal import Done, key_of
from ci.bisect.runners import Order, Reading, value_of
from qa.bisect import Answer, NotReproducedError, Outcome, search, swaps, verify
from qa.bisect.answer import Trial
from qa.bisect.certainty import certainty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ci.bisect.checkouts import Checkouts
    from ci.bisect.journal import TrialJournal
    from ci.bisect.packages import Package
    from ci.bisect.plan import BisectPlan
    from ci.bisect.runners import Runner
    from qa.bisect import Changed, Combination, Ends, Probe, Swap


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything a bisect uses and does not make itself."""

    packages: Mapping[str, Package]
    runner: Runner
    checkouts: Checkouts
    journal: TrialJournal
    folder: Path
    clock: Callable[[], datetime]
    say: Callable[[str], None]
    keep: bool = False


@dataclass(slots=True)
class _Trials:
    """The trials of one probe: those of the journal are not made again; `depends` is what they have in common."""

    tools: Tools
    probe: Probe
    fixed: Mapping[str, str]
    used: dict[tuple[object, ...], Trial] = field(default_factory=dict)
    ends: Ends | None = None
    depends: dict[str, object] = field(init=False)

    def __post_init__(self) -> None:
        """Read once what belongs to every trial: it asks git about each package that is the same in both runs."""
        self.depends = self._depends()

    def value(self, combination: Combination, repeat: int = 0) -> float | str:
        """Return what a combination measures, or why it cannot be tested."""
        key = key_of(self._contents(combination), repeat, self.depends)
        known = self.tools.journal.known.get(key)
        done = known or self._make(key, combination, repeat)
        if known is None:
            self.tools.journal.append(done)
        value = done.reason or value_of(done.values, self.probe)
        place = (repeat, *sorted(combination.items()))
        if place not in self.used:
            self.used[place] = self._trial(_as(done, combination), value)
            self._tell(self.used[place], made=known is None)
        return value

    def outcome(self, combination: Combination) -> Outcome:
        """Judge a combination."""
        return self._judged(self.value(combination))

    def judged(self) -> tuple[Trial, ...]:
        """Return all trials in the order of their first use, judged by the ends."""
        return tuple(self._rejudged(trial) for trial in self.used.values())

    def _contents(self, combination: Mapping[str, str]) -> dict[str, str]:
        """Name what each package of a combination holds: commits that agree in all that is read need one trial."""
        return {name: self.tools.checkouts.content(name, revision) for name, revision in combination.items()}

    def _make(self, key: str, combination: Combination, repeat: int) -> Done:
        """Check out, build and run one combination."""
        tools = self.tools
        folder = _fresh_folder(tools.folder / "trials", key)
        try:
            reading = tools.runner.run(_order(tools, self.probe, {**self.fixed, **combination}, folder))
        except UntestableError as error:
            reading = Reading({}, str(error), 0.0, 0.0)
        if not tools.keep and not reading.reason:
            shutil.rmtree(folder, ignore_errors=True)
        seconds = (reading.cpu_seconds, reading.wall_seconds)
        return Done(key, combination, repeat, dict(reading.values), reading.reason, *seconds, tools.clock())

    def _depends(self) -> dict[str, object]:
        scope = self.probe.scope
        built = {name: (one.build, one.python, one.reads) for name, one in self.tools.packages.items()}
        data = {"camera": scope.camera, "dataset": scope.dataset, "lane": self.probe.lane.value}
        fixed, runner = self._contents(self.fixed), dict(self.tools.runner.depends)
        return {"data": data, "packages": built, "fixed": fixed, "runner": runner}

    def _judged(self, value: float | str) -> Outcome:
        if isinstance(value, str):
            return Outcome.SKIPPED
        return self.ends.outcome(value) if self.ends else Outcome.SKIPPED

    def _trial(self, done: Done, value: float | str) -> Trial:
        number, reason = (None, value) if isinstance(value, str) else (value, "")
        return Trial(
            done.combination, self._judged(value), number, done.cpu_seconds, done.wall_seconds, reason, done.repeat
        )

    def _rejudged(self, trial: Trial) -> Trial:
        return replace(trial, outcome=self._judged(trial.reason if trial.value is None else trial.value))

    def _tell(self, trial: Trial, *, made: bool) -> None:
        shown = trial.reason if trial.value is None else f"{trial.value:.6g} {self.probe.unit}".rstrip()
        judged = "" if self.ends is None else f"{trial.outcome}: "
        names = " ".join(f"{name}@{revision[:9]}" for name, revision in trial.combination.items())
        known = "" if made else "known already: "
        self.tools.say(f"trial {len(self.used)} ({names}): {known}{judged}{shown}")


def _as(done: Done, combination: Combination) -> Done:
    """Return a trial as that of another combination of the same content, which cost nothing."""
    if done.combination == combination:
        return done
    return replace(done, combination=combination, cpu_seconds=0.0, wall_seconds=0.0)


def carry_out(plan: BisectPlan, tools: Tools) -> tuple[Probe, Answer]:
    """Search, on the first probe whose ends show the change again; the checkouts are removed at the end.

    Raises
    ------
    NotReproducedError
        If no probe's do.
    """
    trials = _verified(plan, tools)
    found = search(plan.changed, plan.lineages, trials.outcome)
    made = trials.judged()
    ends = trials.ends
    assert ends is not None  # noqa: S101 - they were verified
    values = [trial.value for trial in made if trial.value is not None]
    if not tools.keep:
        tools.checkouts.remove()
    return trials.probe, Answer(found, ends, made, certainty(ends, values))


def trials(probe: Probe, changed: tuple[Changed, ...], answer: Answer) -> tuple[Swap, ...]:
    """Return a bisect's trials as evidence for blame: camera, packages swapped back, and whether that mended it."""
    good = {one.package: one.good for one in changed}
    bad = {one.package: one.bad for one in changed}
    return swaps(probe.scope.camera, bad, good, answer.trials)


def _verified(plan: BisectPlan, tools: Tools) -> _Trials:
    """Return the trials of the first probe that shows the change; a small data set may not."""
    failed: NotReproducedError | None = None
    for probe in plan.probes:
        trials = _Trials(tools, probe, plan.fixed)
        try:
            trials.ends = _ends(plan, trials)
        except NotReproducedError as error:
            failed = error
            tools.say(f"not on this data set: {error}")
        else:
            return trials
    assert failed is not None  # noqa: S101 - a plan has a probe
    raise failed


def _ends(plan: BisectPlan, trials: _Trials) -> Ends:
    good = {one.package: one.good for one in plan.changed}
    bad = {one.package: one.bad for one in plan.changed}
    # In turn, so that what drifts with the hours does not look like the change.
    pairs = [(_measured(trials, good, n, "good"), _measured(trials, bad, n, "bad")) for n in range(plan.repeats)]
    probe = trials.probe
    return verify(
        [pair[0] for pair in pairs],
        [pair[1] for pair in pairs],
        what=str(probe),
        learned=probe.spread if probe.learned else None,
        expected=probe.expected,
    )


def _measured(trials: _Trials, combination: Combination, repeat: int, end: str) -> float:
    value = trials.value(combination, repeat)
    if isinstance(value, str):
        raise NotReproducedError(
            str(trials.probe),
            required="be measured at both ends",
            found=f"that the {end} end cannot be: {value}",
            action=f"see the logs under {trials.tools.folder}",
        )
    return value


def _order(tools: Tools, probe: Probe, combination: Combination, folder: Path) -> Order:
    places = {name: tools.checkouts.path(name, revision).resolve() for name, revision in combination.items()}
    python = [tools.checkouts.python(name, place) for name, place in places.items()]
    return Order(places, python, probe, folder)


def _fresh_folder(parent: Path, key: str) -> Path:
    """Make a folder that nothing else writes to: a killed bisect may have left a command running in the last one."""
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=parent, prefix=f"{key[:12]}-")).resolve()
