"""Attribution of a run: from the journals of the run folders to incidents. No store is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci.bisect.evidence import known
from obs_registry.select import packages_of
from qa.blame import CameraFacts, Rerun, attribute, windows
from qa.blame.moved import is_moved
from qa.errors import DocumentError
from qa.foreign.definitions import definitions
from qa.journal import read_record, runs_under
from qa.model import Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from obs_registry.model import Camera
    from qa.judging.judged import Incident, Shift
    from qa.model import Comparison, Result
    from qa.record import RunRecord

MOST_RUNS = 30
"""How far back the last good run is looked for."""

ENOUGH = 4
"""Nights in which a series was well, after which no more of them are read."""


def incidents_of(
    record: RunRecord,
    comparisons: Sequence[Comparison],
    *,
    runs: Path,
    cameras: Iterable[Camera],
    shifts: Sequence[Shift] = (),
    again: Iterable[Result] = (),
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Incident, ...]:
    """Say what caused that which moved in a run.

    `runs` is the folder of all runs, in which bisects leave what they learnt, too; `again` is what a second processing
    of the same data gave. `say` is told of journals that cannot be read.
    """
    moved = {(one.metric, one.scope) for one in comparisons if is_moved(one)}
    moved |= {(one.metric, one.scope) for one in shifts}
    earlier = list(_earlier(record, runs, moved, say)) if moved else []
    return attribute(
        comparisons,
        windows=windows(record, comparisons, earlier=earlier, shifts=shifts),
        cameras={camera.name: CameraFacts(packages_of(camera)) for camera in cameras},
        definitions=definitions(record),
        shifts=shifts,
        trials=tuple(known(runs, record.run_id, say)),
        reruns=_reruns(comparisons, again),
    )


def _earlier(
    record: RunRecord, runs: Path, moved: Iterable[tuple[str, object]], say: Callable[[str], None]
) -> Iterator[RunRecord]:
    """Yield the runs before this one, newest first, until enough is known of all that moved."""
    lacking = dict.fromkeys(moved, 0)
    folders = [folder for folder in runs_under(runs) if folder.name < record.run_id]
    for folder in folders[: -MOST_RUNS - 1 : -1]:
        try:
            one = read_record(folder)
        except DocumentError as error:
            say(f"warning: {folder.name} is not looked at for the last good run: {error}")
            continue
        yield one
        for comparison in one.comparisons:
            key = (comparison.metric, comparison.scope)
            if key in lacking and not is_moved(comparison):
                lacking[key] += 1
        if all(count >= ENOUGH for count in lacking.values()):
            return


def _reruns(comparisons: Iterable[Comparison], again: Iterable[Result]) -> Iterator[Rerun]:
    """Tell which series came out moved again: nearer to tonight's value than to the baseline."""
    second = {(one.metric, one.scope): one for one in again if isinstance(one, Measurement)}
    for one in comparisons:
        new = second.get((one.metric, one.scope))
        if new is None or one.baseline is None or not isinstance(one.result, Measurement):
            continue
        value = new.value
        yield Rerun(*(one.metric, one.scope), repeated=abs(value - one.result.value) < abs(value - one.baseline.value))
