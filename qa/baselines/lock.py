"""Taking turns at writing `regression_data/`."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from qa.errors import EngineError, RequestError
from qa.locations import PUBLISHED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = ".lock"
PATIENCE = 60.0
"""Seconds to wait for another writer, who should need one."""

_PAUSE = 0.05


class NotWritableError(RequestError):
    """The baselines cannot be written where they are."""

    def __init__(self, root: Path, error: OSError) -> None:
        self.root = root
        super().__init__(
            f"{root}: must be a folder that can be written to, found: {error.strerror or error}; "
            "work in a checkout, or name a folder by OBSQA_REGRESSION_DATA"
        )


class PublishedError(RequestError):
    """The regression data are a copy of published ones."""

    def __init__(self, root: Path, place: str) -> None:
        self.root, self.place = root, place
        super().__init__(
            f"{root}: must be a checkout, found a copy of what is published at {place}; what is accepted is decided in "
            f"git: set OBSQA_REGRESSION_DATA to a checkout's folder, and then: obsqa store publish --to {place}"
        )


class BusyError(EngineError):
    """Another process is writing the baselines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path}: another obsqa is writing the baselines; wait for it or end it")


def check_checkout(root: Path) -> None:
    """Refuse to change regression data that are a copy.

    Raises
    ------
    PublishedError
        If they are.
    """
    mark = root / PUBLISHED
    if mark.is_file():
        raise PublishedError(root, mark.read_text(encoding="utf-8").strip())


@contextmanager
def writing(root: Path, *, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the right to write the baselines and the ledger; nothing is left behind.

    Raises
    ------
    BusyError
        If another process holds it for longer than `patience` seconds.
    NotWritableError, PublishedError
        If there is no writing at all.
    """
    check_checkout(root)
    path, until = root / NAME, time.monotonic() + patience
    made = not root.exists()
    while (handle := _taken(path)) is None:
        if time.monotonic() > until:
            raise BusyError(path)
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)
        if made:
            with suppress(OSError):  # there is something in it now, or another writer has come
                root.rmdir()


def _taken(path: Path) -> int | None:
    """Try to lock the file once.

    Who holds the lock takes the file away, so a lock counts only on the file that is still at its place.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except FileNotFoundError:  # the folder went away with another writer
        return None
    except OSError as error:
        raise NotWritableError(path.parent, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), path.stat()):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None
