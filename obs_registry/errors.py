"""What can be wrong in the registry: faults are collected over all files and raised once.

RegistryError     camera files have faults; the command line ends with exit code 2
LeaseError        a lease cannot be renewed as asked
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong in one camera file: where, what was required, what was found.

    `line` counts from 1 and is 0 where no line can be named; `key` is dotted, empty for the file as a whole.
    """

    file: str
    line: int
    key: str
    required: str
    found: str

    @property
    def camera(self) -> str:
        """Name of the camera the file is about, as its file name tells."""
        return Path(self.file).stem

    def __str__(self) -> str:
        """Render as `file:line: key: required ..., found ...`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.key, f"required {self.required}, found {self.found}") if part)


class RegistryError(Exception):
    """Camera files have faults: all of them, one line each."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__("\n".join([f"the registry has {count}", *map(str, self.faults)]))


class LeaseError(Exception):
    """A lease cannot be renewed as asked."""

    def __init__(self, camera: str, *, required: str, found: str) -> None:
        self.camera, self.required, self.found = camera, required, found
        super().__init__(f"the lease of {camera}: required {required}, found {found}")
