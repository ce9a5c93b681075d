"""A file of JSON lines that only grows, held open by the one process that may add to it.

A process killed in mid-write leaves a torn last line, which the next one to open the file drops.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from typing import TYPE_CHECKING, Any

from qa.errors import DiskFullError, EngineError, InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class RunFolderError(InfrastructureError):
    """The folder of a run cannot be written to."""

    def __init__(self, folder: Path, found: str) -> None:
        self.folder, self.found = folder, found
        super().__init__(f"{folder}: must be a folder that can be written to, found: {found}; choose another --runs")


class BusyError(EngineError):
    """Another process is writing this run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path.parent}: another obsqa is working on this run; wait for it or end it")


class LineFile:
    """An open file of lines; its folder is made where it is missing.

    Raises
    ------
    RunFolderError
        If the file cannot be written.
    BusyError
        If another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RunFolderError(path.parent, error.strerror or str(error)) from error
        self._lock()
        self._drop_torn_line()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

    def append(self, body: Mapping[str, Any]) -> None:
        """Write one line; it is on the disk when this returns.

        Raises
        ------
        DiskFullError
            If there is no space; what was written before stays readable.
        """
        line = json.dumps(body, sort_keys=True, allow_nan=False, ensure_ascii=False).encode() + b"\n"
        end = os.lseek(self._handle, 0, os.SEEK_END)
        try:
            written = os.write(self._handle, line)
            os.fsync(self._handle)
        except OSError as error:
            os.ftruncate(self._handle, end)
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise DiskFullError(self._path) from error
            raise
        if written != len(line):
            os.ftruncate(self._handle, end)
            raise DiskFullError(self._path)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise BusyError(self._path) from None

    def _drop_torn_line(self) -> None:
        text = self._path.read_bytes()
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            os.ftruncate(self._handle, whole)
