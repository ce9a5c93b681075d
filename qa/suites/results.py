"""From the files that a suite left to what the night takes from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.errors import DocumentError, EngineError
from qa.foreign.model import Definition
from qa.model import Measurement, Scope
from qa.suites import junit, metrics
from qa.suites.junit import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from qa.model import Result

MOST_FILES = 1000
NAMED = 5
"""How many failed tests are named in a line; all are in the suite's own report, which the run keeps."""

RUN, FAILED, SKIPPED, SECONDS = "tests_run", "tests_failed", "tests_skipped", "tests_seconds"

DEFINITIONS = (
    Definition(RUN, "", "higher", "Number of tests of a suite, those that were skipped among them.", "", "suite"),
    Definition(FAILED, "", "lower", "Number of tests of a suite that failed or broke.", "", "suite"),
    Definition(SKIPPED, "", "lower", "Number of tests of a suite that were skipped.", "", "suite"),
    Definition(SECONDS, "s", "lower", "Time that the tests of a suite took, one after another.", "", "suite"),
)
"""What is measured of every suite that leaves JUnit XML."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a suite left: results with definitions, its tests if it has any, and sentences about what is odd."""

    results: tuple[Result, ...]
    definitions: tuple[Definition, ...]
    tests: Tally | None
    caveats: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """Say in a line how the tests went and which failed."""
        tests = self.tests
        if tests is None:
            return f"{len(self.results)} metrics"
        if not tests.failures:
            return f"{tests.run} tests, none failed"
        names = [f"{one.name}: {one.message}" if one.message else one.name for one in tests.failed]
        names += [f"{tests.unnamed} of no test in particular"] if tests.unnamed else []
        more = f" (and {len(names) - NAMED} more)" if len(names) > NAMED else ""
        return f"{tests.failures} of {tests.run} tests failed: {'; '.join(names[:NAMED])}{more}"


def files_of(folder: Path, patterns: Iterable[str]) -> tuple[Path, ...]:
    """Return the files that match patterns, each once; what leads out of the folder is none of the suite's.

    Raises
    ------
    EngineError
        If there are none, or too many.
    """
    home = folder.resolve()
    asked = tuple(patterns)
    found = {path.resolve() for pattern in asked for path in folder.glob(pattern) if path.is_file()}
    inside = sorted(path for path in found if path.is_relative_to(home))
    if not inside:
        msg = f"the suite must leave files named {', '.join(asked)} in {folder}, found none"
        raise EngineError(msg)
    if len(inside) > MOST_FILES:
        msg = f"the suite must leave at most {MOST_FILES} files named {', '.join(asked)}, found {len(inside)}"
        raise EngineError(msg)
    return tuple(inside)


def collect(files: Iterable[Path], scope: Scope) -> Left:
    """Read all files of a suite that was measured on `scope`.

    Raises
    ------
    EngineError
        If one of them cannot be read, with what is wrong: what is missing might be what failed.
    """
    tests: Tally | None = None
    results: list[Result] = []
    definitions: list[Definition] = []
    caveats: list[str] = []
    faults: list[str] = []
    for path in files:
        try:
            if path.suffix.lower() == ".xml":
                tests = (tests or Tally()) + junit.read(path)
                continue
            found = metrics.read(path, scope)
        except DocumentError as error:
            faults.append(junit.line_of(str(error)) if "\n" in str(error) else str(error))
            continue
        results += found.results
        definitions += found.definitions
        caveats += found.caveats
    if faults:
        more = f" (and {len(faults) - 1} more files)" if len(faults) > 1 else ""
        raise EngineError(faults[0] + more)
    results += _measured(tests, scope) if tests else ()
    definitions += DEFINITIONS if tests else ()
    return Left(tuple(_once(results)), tuple(definitions), tests, tuple(caveats))


def _measured(tests: Tally, scope: Scope) -> Iterator[Measurement]:
    values = {RUN: tests.run, FAILED: tests.failures, SKIPPED: tests.skipped, SECONDS: round(tests.seconds, 6)}
    units = {one.name: one.unit for one in DEFINITIONS}
    for name, value in values.items():
        yield Measurement(name, scope, float(value), units[name], tests.run)


def _once(results: Iterable[Result]) -> Iterator[Result]:
    """Refuse a metric that two files measure: which of them counts would be a guess.

    Raises
    ------
    EngineError
        If there is one.
    """
    seen: set[tuple[str, Scope]] = set()
    for one in results:
        if (one.metric, one.scope) in seen:
            msg = f"each metric of a suite must be measured once, found {one.metric} of {one.scope} twice"
            raise EngineError(msg)
        seen.add((one.metric, one.scope))
        yield one
