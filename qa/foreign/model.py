"""The frozen values that a foreign file is read into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - pydantic resolves the annotations at run time
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qa.model import Ladder, Result


class Kind(StrEnum):
    """What wrote a file."""

    VERIFY = "verify"
    BUNDLE = "bundle"
    BENCHMARK = "benchmark"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that results were read from.

    `digest` is of what it says and of the place it was filed under, not of its bytes: laid out anew it is the same.
    """

    name: str
    kind: Kind
    digest: str


@dataclass(frozen=True, slots=True)
class Definition:
    """What a file says of a metric. `direction` is the name of a `qa.metrics.base.Direction`."""

    name: str
    unit: str
    direction: str
    text: str
    citation: str = ""
    family: str = "imported"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file says its numbers come from; what it does not say is None."""

    instrument: str | None = None
    dataset: str | None = None
    filter: str | None = None
    tract: int | None = None
    when: datetime | None = None


@dataclass(frozen=True, slots=True)
class Foreign:
    """What a file holds.

    The scopes of `results` have empty names of camera and data set until the file is filed, and the band only where
    the file gives one for each number. `ladders` are of no band: those of this file's filter. `facts` are the
    provenance, `caveats` whole sentences about what the file says and cannot be taken as it stands.
    """

    source: Source
    origin: Origin
    results: tuple[Result, ...]
    definitions: tuple[Definition, ...]
    ladders: tuple[Ladder, ...]
    facts: Mapping[str, str]
    caveats: tuple[str, ...] = ()
