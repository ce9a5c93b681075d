"""Reads JUnit XML of any origin: how many tests there were, which failed, how long they took.

The file is somebody else's: entities and document types are refused, and what is no XML to its end is told in one line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError  # nosec B405 - names of its types; defusedxml parses

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from qa.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

REQUIRED = "JUnit XML (testsuites or testsuite)"
LARGEST_MIB = 32
"""Largest file that is read: room for a hundred thousand tests. One hostile token of this length is half a minute."""

LONGEST = 200
"""Characters of a test's name or message that are kept."""

ROOTS = frozenset({"testsuite", "testsuites"})
BAD = frozenset({"failure", "error"})
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Failed:
    """A test that failed or broke: its name, and the first line of what it says."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What test reports say together; `seconds` is the time of all, `unnamed` failures of no test in particular."""

    run: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failed: tuple[Failed, ...] = ()
    unnamed: int = 0

    @property
    def failures(self) -> int:
        """How many failed or broke."""
        return len(self.failed) + self.unnamed

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.run + other.run,
            self.skipped + other.skipped,
            self.seconds + other.seconds,
            self.failed + other.failed,
            self.unnamed + other.unnamed,
        )


def read(path: Path) -> Tally:
    """Read a report.

    Raises
    ------
    DocumentError
        If it is none: not XML to its end, something else, one that declares entities, or too large.
    """
    try:
        if path.stat().st_size > LARGEST_MIB * _MIB:
            raise DocumentError(path, required=f"{REQUIRED} of at most {LARGEST_MIB} MiB", found="a larger file")
        return _tests(path)
    except OSError as error:
        raise DocumentError(path, required=REQUIRED, found=(error.strerror or str(error)).lower()) from None
    except DefusedXmlException as error:
        found = f"one that declares entities or a document type ({type(error).__name__})"
        raise DocumentError(path, required=REQUIRED, found=found, action="nothing of it is read") from None
    except (ParseError, ValueError, LookupError) as error:
        raise DocumentError(
            path, required=REQUIRED, found=f"text that is not whole XML ({line_of(str(error))})"
        ) from None


def line_of(text: str) -> str:
    """Return the first line of a text, in printable characters and not too long."""
    first = next((line for line in text.splitlines() if line.strip()), "").strip()
    shown = "".join(one if one.isprintable() else "?" for one in first)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}..."


def _tests(path: Path) -> Tally:
    """Count test cases as they come; what is over is forgotten, however much there is of it."""
    found, open_elements, with_suites = _Found(), list[Element](), set[Element]()
    for event, element in iterparse(path, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            if not open_elements and _tag(element) not in ROOTS:
                raise DocumentError(path, required=REQUIRED, found=f"XML that begins with <{line_of(element.tag)}>")
            open_elements.append(element)
            continue
        open_elements.pop()
        parent = open_elements[-1] if open_elements else None
        tag, of_case = _tag(element), parent is not None and _tag(parent) == "testcase"
        if tag == "testcase":
            found.add(element)
        elif tag == "testsuite" and element not in with_suites:
            # A suite of suites says nothing new; a crash at the start of one fails no test.
            found.claimed += sum(_whole(element.get(name)) for name in ("failures", "errors"))
        if parent is not None and tag == "testsuite":
            with_suites.add(parent)
        if parent is not None and not (of_case and tag in BAD | {"skipped"}):
            parent.remove(element)
    return found.tally()


@dataclass(slots=True)
class _Found:
    """What was counted so far."""

    run: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failed: list[Failed] = field(default_factory=list)
    claimed: int = 0

    def add(self, case: Element) -> None:
        """Count a test case."""
        children = {_tag(child) for child in case}
        self.run += 1
        self.seconds += _seconds(case.get("time"))
        self.skipped += "skipped" in children
        if children & BAD:
            self.failed.append(_failed(case))

    def tally(self) -> Tally:
        """Return the sum."""
        unnamed = max(0, self.claimed - len(self.failed))
        return Tally(self.run, self.skipped, self.seconds, tuple(self.failed), unnamed)


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _failed(case: Element) -> Failed:
    name = ".".join(part for part in (case.get("classname"), case.get("name")) if part)
    said = next(child for child in case if _tag(child) in BAD)
    return Failed(line_of(name) or "a test without name", line_of(said.get("message") or said.text or ""))


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < len("1000000000") else 0


def _seconds(text: str | None) -> float:
    """Return a duration in seconds; some write thousands with commas, some nothing of use."""
    try:
        found = float((text or "0").replace(",", ""))
    except ValueError:
        return 0.0
    return found if 0 <= found < float("inf") else 0.0
