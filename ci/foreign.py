"""Files that others wrote, made into runs: opened here, judged and reported like any other."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ci.naming import claimed, new_run_id
from qa.documents import read_document, write_document
from qa.errors import DocumentError, RequestError
from qa.foreign.files import read_filed
from qa.journal import FILE_NAME, Journal, read_record
from qa.model import Lane, Plan, Stage, Step, StepOutcome, StepStatus, Trigger
from qa.record import Imported, Measured, RunStarted, StepFinished

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ci.lanes import Context
    from qa.foreign.files import Filed
    from qa.foreign.filing import Asked
    from qa.foreign.model import Kind
    from qa.judging.compare import Key
    from qa.requirements.verify import Specification

INDEX = "imported.json"
"""Written beside the journal of an imported run: what it was made from."""

SKEW = timedelta(days=1)
"""A file may be dated this far in the future: clocks differ."""


class TwoMeasurementsError(RequestError):
    """Two files measure the same thing."""

    def __init__(self, key: Key, one: str, other: str) -> None:
        self.key, self.one, self.other = key, one, other
        super().__init__(
            f"{key[0]} of {key[1]}: a run must hold one measurement of it, found one in {one} and one in {other}; "
            "tell the files apart with --dataset or --band"
        )


@dataclass(frozen=True, slots=True)
class Gathered:
    """Files that become one run (of one date, made with the same software), and that date."""

    when: datetime
    files: tuple[Filed, ...]


def gather(
    context: Context,
    paths: Sequence[Path],
    kind: Kind,
    asked: Asked,
    *,
    when: datetime | None = None,
    package: Sequence[Specification] = (),
) -> tuple[tuple[Gathered, ...], tuple[Path, ...]]:
    """Read files and return the runs to make of them, oldest first, and the runs that hold the others already.

    All files are read before anything is written. `when` is for files that say no date.

    Raises
    ------
    RequestError
        If a file cannot be read or filed, is of the future, or measures what another one of the run does.
    """
    known = dict(_known(context.settings.runs))
    earlier: list[Path] = []
    groups: dict[tuple[datetime, frozenset[tuple[str, str]]], list[Filed]] = {}
    for path in paths:
        one = read_filed(path, kind, asked, cameras=context.cameras, package=package)
        if one.source.digest in known:
            run = known[one.source.digest]
            earlier += [run] if run and run not in earlier else []
            where = f"imported already, as run {run.name}" if run else "named twice"
            context.console.say(f"{path} was {where}: it is not counted again")
            continue
        known[one.source.digest] = None
        moment = one.when or _without_date(context, path, when)
        _check_moment(context, path, moment)
        groups.setdefault((moment, frozenset(one.foreign.facts.items())), []).append(one)
    gathered = tuple(
        Gathered(key[0], tuple(files)) for key, files in sorted(groups.items(), key=lambda item: item[0][0])
    )
    for group in gathered:
        _check_once(group.files)
    return gathered, tuple(earlier)


def open_imported(context: Context, gathered: Gathered) -> Path:
    """Write the journal of a run of imported files, up to its judgement, and return its folder."""
    when, files = gathered.when, gathered.files
    places = tuple(dict.fromkeys((one.place.camera, one.place.dataset) for one in files))
    steps = tuple(Step(camera, dataset, Stage.MEASURE) for camera, dataset in places)
    runs, tag = context.settings.runs, context.settings.tag
    plan = claimed(runs, Plan(new_run_id(runs, when, tag=tag), Lane.IMPORTED, Trigger("import"), when, steps), tag=tag)
    imported = _imported(files)
    folder = runs / plan.run_id
    with Journal(folder / FILE_NAME, lambda: when) as journal:
        journal.append(RunStarted(plan, dict(files[0].foreign.facts)))
        journal.append(imported)
        for step in steps:
            journal.append(_measured(step, files))
            journal.append(StepFinished(StepOutcome(step, StepStatus.DONE, 0.0, 0.0, 0.0)))
    write_document(folder / INDEX, "imported", imported, Imported)
    return folder


def with_imported(context: Context, folder: Path) -> Context:
    """Return a context for an imported run: of its cameras those the registry knows, at the time of its files."""
    record = read_record(folder)
    cameras = [
        camera.model_copy(update={"datasets": ()}) for camera in context.cameras if camera.name in record.plan.cameras
    ]
    return replace(context, cameras=cameras, faulty=(), clock=lambda: record.plan.created)


def _known(runs: Path) -> Iterator[tuple[str, Path | None]]:
    """Yield the digests of everything imported so far, with the runs; a damaged index of another run is passed over."""
    for path in sorted(runs.glob(f"*/{INDEX}")):
        with suppress(DocumentError):
            imported: Imported = read_document(path, "imported", Imported)
            yield from ((source.digest, path.parent) for source in imported.sources)


def _without_date(context: Context, path: Path, when: datetime | None) -> datetime:
    if when is not None:
        return when
    changed = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    context.console.say(
        f"{path} says no date: taken as of {changed:%Y-%m-%d %H:%M} UTC, when it was last changed (--date)"
    )
    return changed


def _check_moment(context: Context, path: Path, moment: datetime) -> None:
    now = context.clock()
    if moment > now + SKEW:
        required = f"of a date that has come ({now:%Y-%m-%d})"
        raise DocumentError(path, required=required, found=f"{moment:%Y-%m-%d}", action="mend the clock that wrote it")


def _check_once(files: Sequence[Filed]) -> None:
    seen: dict[Key, str] = {}
    for one in files:
        for result in one.results:
            key = result.metric, result.scope
            if key in seen:
                raise TwoMeasurementsError(key, seen[key], one.source.name)
            seen[key] = one.source.name


def _imported(files: Sequence[Filed]) -> Imported:
    """Put together what the files say; what two of them say of one metric is taken from the first."""
    said = {one.name: one for item in reversed(files) for one in item.foreign.definitions}
    ladders = {(one.metric, one.band): one for item in reversed(files) for one in item.ladders}
    return Imported(
        sources=tuple(item.source for item in files),
        definitions=tuple(said[name] for name in sorted(said)),
        ladders=tuple(ladders[key] for key in sorted(ladders, key=str)),
    )


def _measured(step: Step, files: Sequence[Filed]) -> Measured:
    own = [one for one in files if (one.place.camera, one.place.dataset) == (step.camera, step.dataset)]
    bands = Counter(one.place.band for one in own)
    caveats = [
        f"{one.place.band}: {text}" if len(bands) > 1 and one.place.band else text
        for one in own
        for text in one.foreign.caveats
    ]
    results = tuple(result for one in own for result in one.results)
    return Measured(step.camera, step.dataset, results, tuple(caveats))
