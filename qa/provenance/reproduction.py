"""One value of one run, all that it rests on, and the answer that a rerun elsewhere gives. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime  # noqa: TC003 - pydantic resolves the annotations at run time
from typing import TYPE_CHECKING

from qa.blame.facts import LOCATIONS, PACKAGES
from qa.model import Measurement  # noqa: TC001 - likewise
from qa.provenance.difference import FactChange, changed_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENT = "reproduction"
_OWN = "package obsqa"
IGNORED = LOCATIONS | {PACKAGES}
"""Facts that say where things lie, or sum up others."""


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A value, and what a rerun needs to know beside the files of its archive.

    `digits` is the value to the last bit, as `float.hex` writes it; `facts` are those of the run. `code` is the
    revision of the code that comes along, '' where it is not known. `exposures` are those that are drawn, all if it is
    empty; `query` stands in for that of a data set in a Butler repository. `here` is what the same data gave when the
    archive was made. `files` are the archive's other files and their SHA-256, `outside` a user's own raws that it names
    and does not hold.
    """

    run: str
    camera: str
    dataset: str
    expected: Measurement
    digits: str
    facts: dict[str, str]
    made: datetime
    code: str = ""
    exposures: tuple[int, ...] = ()
    query: str | None = None
    calibrations_as_of: date | None = None
    here: Measurement | None = None
    files: dict[str, str] = field(default_factory=dict)
    outside: dict[str, str] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The expected value, to the last bit."""
        return float.fromhex(self.digits)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rerun gave: the measurement, or the reason why there is none, and the facts that differ from the run's.

    `cpu_seconds` is what it took. `failed` tells that the rerun did not get as far as measuring.
    """

    what: Reproduction
    found: Measurement | None
    reason: str = ""
    changed: tuple[FactChange, ...] = ()
    cpu_seconds: float = 0.0
    failed: bool = False

    @property
    def same(self) -> bool:
        """Tell whether the value came out again, to the last bit and in the same unit."""
        return (
            self.found is not None
            and self.found.value.hex() == self.what.digits
            and self.found.unit == self.what.expected.unit
        )

    @property
    def difference(self) -> float | None:
        """By how much the value differs, in its unit; None where it cannot be said."""
        if self.found is None or self.found.unit != self.what.expected.unit:
            return None
        return self.found.value - self.what.value


def answer(
    what: Reproduction,
    found: Measurement | None,
    *,
    facts: Mapping[str, str],
    reason: str = "",
    cpu_seconds: float = 0.0,
    failed: bool = False,
) -> Answer:
    """Compare what a rerun gave, in a world of these facts, with what it ought to give."""
    place = f"{what.camera}/{what.dataset}"
    changed = tuple(one for one in changed_facts(what.facts, facts, {place})[0] if _matters(one))
    return Answer(what, found, reason, changed, cpu_seconds, failed)


def _matters(one: FactChange) -> bool:
    """Tell whether a fact can be the cause of another value; obsqa that was not installed has a revision only."""
    return one.fact not in IGNORED and not (one.fact == _OWN and None in {one.before, one.after})
