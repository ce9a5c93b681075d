"""Who decides what, as the ledger wants it: identity, reason, and the rules an acceptance answers to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ci.comparing import processor_of, runs_alike
from ci.identity import git_identity
from obs_registry.loader import read_registry
from qa import baselines
from qa.baselines.acceptance import Rules
from qa.baselines.ledger import Decision
from qa.errors import DocumentError, RequestError
from qa.foreign.definitions import ImportedTargets, definitions
from qa.journal import FILE_NAME, read_record
from qa.metrics import catalogue
from qa.model import Baseline
from qa.requirements import load
from qa.requirements.cameras import waivers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from ci.settings import Settings
    from obs_registry.model import Camera
    from qa.baselines.acceptance import Asking
    from qa.model import Result
    from qa.record import RunRecord


class UnreadableCameraError(RequestError):
    """A camera's results cannot be accepted while its file has a fault: what it answers to is not known."""

    def __init__(self, camera: str, fault: object) -> None:
        self.camera = camera
        super().__init__(f"{camera}: its file must be without fault to accept its results, found {fault}")


def today() -> date:
    """Return the day on which it is decided, in UTC as all times of obsqa."""
    return datetime.now(UTC).date()


def decision(
    who: str | None,
    why: str,
    *,
    ticket: str | None = None,
    waiver: str | None = None,
    expires: date | None = None,
    reference: bool = False,
) -> Decision:
    """Make a decision of now, by git's identity unless someone is named.

    Raises
    ------
    RequestError
        If a text that must say something is empty, or it expires before it is made.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    for option, text in (("--why", why), ("--who", who), ("--waiver", waiver), ("--ticket", ticket)):
        if text is not None and not text.strip():
            msg = f"{option} must give {'a reason' if option == '--why' else 'something'}, got an empty text"
            raise RequestError(msg)
    if expires is not None and expires < now.date():
        msg = f"--expires must not be before today ({now.date()}), got {expires}"
        raise RequestError(msg)
    return Decision(
        who=who or git_identity(),
        when=now,
        why=why,
        ticket=ticket,
        waiver=waiver,
        expires=expires,
        reference=True if reference else None,
    )


def rules(
    settings: Settings, results: Sequence[Result], *, record: RunRecord | None = None, keep_spreads: bool = True
) -> Rules:
    """Return what results answer to when they are accepted; `record` is that of their run, if there is one.

    A camera that left the registry answers to the default requirements. Faults of other cameras' files do not matter.

    Raises
    ------
    UnreadableCameraError
        If the file of one of the cameras has a fault.
    """
    known = _cameras(settings, sorted({one.scope.camera for one in results}))
    return Rules(
        definitions=definitions(record) if record is not None else catalogue(),
        requirements={name: _asking(one, record) for name, one in known.items()},
        waivers={name: waivers_of(one.requirements) for name, one in known.items() if one is not None},
        same_processor=_same_processor(settings, results, record),
        keep_spreads=keep_spreads,
        processor="" if record is None else processor_of(record.provenance),
    )


def _cameras(settings: Settings, names: Sequence[str]) -> dict[str, Camera | None]:
    """Return the cameras of some names, None for one that the registry does not have."""
    reading = read_registry(settings.registry)
    known = {name: reading.registry.get(name) for name in names}
    for fault in reading.faults:
        if fault.camera in known and known[fault.camera] is None:
            raise UnreadableCameraError(fault.camera, fault)
    return known


def _asking(camera: Camera | None, record: RunRecord | None) -> Asking:
    if record is not None and record.imported is not None:
        return ImportedTargets(load(camera.requirements.profile) if camera else load(), record.imported)
    return load(camera.requirements.profile) if camera else load()


def _same_processor(settings: Settings, results: Sequence[Result], record: RunRecord | None) -> frozenset[str]:
    """Return the runs of learned baselines that are known to have been made on a processor like this run's."""
    if record is None:
        return frozenset()
    data_sets = {(one.scope.camera, one.scope.dataset) for one in results}
    accepted = [one for of in data_sets for one in baselines.load(settings.regression_data, *of).values()]
    return runs_alike(settings.runs, accepted, record)


def processors(settings: Settings, records: Sequence[RunRecord]) -> dict[str, str]:
    """Return by run what kind of processor it was made on: of the runs given, and of the accepted ones still there."""
    accepted = baselines.load_all(settings.regression_data).values()
    silent = {one.run for one in accepted if isinstance(one, Baseline) and not one.processor}
    known = {run: _facts(settings.runs / run) for run in silent} | {one.run_id: one.provenance for one in records}
    return {run: processor_of(facts) for run, facts in known.items()}


def _facts(folder: Path) -> Mapping[str, str]:
    """Return the facts of a run, none where its folder is gone or cannot be read."""
    try:
        return read_record(folder).provenance if (folder / FILE_NAME).is_file() else {}
    except DocumentError:
        return {}
