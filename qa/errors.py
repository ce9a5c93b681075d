"""Expected failures: each class holds the facts and words the message.

    ObsqaError                exit code
      RequestError            2   the request or a file is wrong
        DocumentError             a file is not what it should be
        UnknownNameError          a camera, metric or run that does not exist
      InfrastructureError     3   something outside obsqa failed
        DiskFullError
        EngineError               a step could not be carried out
        MissingExtraError         an optional part of obsqa is not installed

A message says what was required, what was found and what to do. Anything that is not an ObsqaError is a bug.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class ObsqaError(Exception):
    """An expected failure, worth one line."""

    exit_code: ClassVar[int] = 2


class RequestError(ObsqaError):
    """The request, or a file it names, is wrong."""


class DocumentError(RequestError):
    """A file is not what was expected."""

    def __init__(self, path: Path | str, *, required: str, found: str, action: str = "") -> None:
        self.path, self.required, self.found, self.action = path, required, found, action
        super().__init__(f"{path}: must be {required}, found {found}" + (f"; {action}" if action else ""))


class UnknownNameError(RequestError):
    """Nothing of that name exists."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        super().__init__(f"no {kind} is called {name!r}; known: {', '.join(self.known) or 'none'}")


class InfrastructureError(ObsqaError):
    """Something outside obsqa failed."""

    exit_code: ClassVar[int] = 3


class DiskFullError(InfrastructureError):
    """A file could not be written for want of space."""

    def __init__(self, path: Path | str) -> None:
        self.path = path
        super().__init__(f"{path}: no space left on the disk; free some or choose another folder")


class EngineError(InfrastructureError):
    """A step could not be carried out."""


class MissingExtraError(InfrastructureError):
    """An optional part of obsqa is needed and not installed."""

    def __init__(self, extra: str, module: str) -> None:
        self.extra, self.module = extra, module
        super().__init__(f"this needs the module {module}, which is not installed; run: pip install 'obsqa[{extra}]'")
