"""Which history is used: the shared one that `OBSQA_STORE` names, backed by the one beside the runs, or that alone."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from qa.errors import InfrastructureError, ObsqaError
from qa.journal import runs_under
from qa.store import SqlStore
from qa.stores.backed import BackedStore
from qa.stores.sync import from_journals, from_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ci.lanes import Context
    from ci.settings import Settings

    T = TypeVar("T")


CAUGHT_UP = 10
"""How many of the last runs are looked at for what they could not send."""


def open_store(settings: Settings) -> SqlStore:
    """Open the history that is asked: the shared one where there is one.

    Raises
    ------
    StoreUrlError
        If `OBSQA_STORE` names no database.
    InfrastructureError
        If it cannot be opened.
    """
    return SqlStore.open(settings.store) if settings.store else SqlStore.beside(settings.runs)


def night_store(settings: Settings, say: Callable[[str], None]) -> BackedStore:
    """Open the histories of a night, and bring in what earlier nights could not; what fails is said, and left out."""
    own = _tried(lambda: SqlStore.beside(settings.runs), say)
    if own is not None:
        _tried(lambda: from_journals(own, settings.runs, only_missing=True), say)
    shared = _tried(lambda: SqlStore.open(settings.store), say) if settings.store else None
    if shared is not None and own is not None and _caught_up(shared, own, settings, say) is None:
        shared = None
    return BackedStore([store for store in (shared, own) if store is not None], say)


def keep(context: Context, folder: Path) -> None:
    """Send a run's report and record to where they are kept besides, and what the last runs could not send.

    Where that fails it costs a line, not the night. A run that enters no history, because it is apart, is not sent.
    """
    to = context.settings.artifacts
    if not to or context.store is None:
        return
    from qa.stores.artefacts import push, push_missing  # noqa: PLC0415 - only where they are kept

    try:
        for sent in chain([push(folder, to)], push_missing(runs_under(folder.parent)[-CAUGHT_UP:], to)):
            context.console.say(f"kept at {sent.place}: {sent.files} files, all read back")
    except ObsqaError as error:
        context.console.say(f"warning: {error}; complete it with: obsqa store push {folder.name}")


def _caught_up(shared: SqlStore, own: SqlStore, settings: Settings, say: Callable[[str], None]) -> SqlStore | None:
    """Bring into the shared history what this machine alone knows."""
    done = _tried(lambda: from_store(shared, own, settings.runs), say)
    if done is None:
        return None
    if done.brought:
        say(f"history {shared.name}: brought in runs that it lacked ({len(done.brought)}), the last {done.brought[-1]}")
    for line in done.left:
        say(f"warning: {line}")
    return shared


def _tried(work: Callable[[], T], say: Callable[[str], None]) -> T | None:
    """Return what works, or None and a warning; a wrong request is the user's to mend, and raised."""
    try:
        return work()
    except InfrastructureError as error:
        say(f"warning: {error}")
        return None
