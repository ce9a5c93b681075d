"""Faults for people: those that say the same of many subjects are one entry, with their number and examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from os.path import commonpath
from pathlib import Path
from typing import TYPE_CHECKING

from qa.requirements.faults import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from qa.requirements.faults import Fault

EXAMPLES = 3
"""How many faults of a group are shown unless all are asked for."""


@dataclass(frozen=True, slots=True)
class Group:
    """The faults of one rule that say the same."""

    severity: Severity
    rule: str
    summary: str
    faults: tuple[Fault, ...]


def grouped(faults: Iterable[Fault]) -> tuple[Group, ...]:
    """Collect faults that say the same, in the order of the first of each."""
    groups: dict[tuple[Severity, str, str], list[Fault]] = {}
    for one in faults:
        groups.setdefault((one.severity, one.rule, one.summary or one.message), []).append(one)
    return tuple(Group(*key, tuple(members)) for key, members in groups.items())


def listing(faults: Sequence[Fault], *, examples: int | None = EXAMPLES) -> Iterator[str]:
    """Write faults as lines, groups in their order; `examples` is how many of a group are shown (None: all)."""
    folder = _common_folder(faults)
    if folder:
        yield f"files are in {folder}"
        yield ""
    for group in grouped(faults):
        yield from _lines(group, folder, len(group.faults) if examples is None else examples)
        yield ""
    yield counted(faults)


def counted(faults: Iterable[Fault]) -> str:
    """Say how many faults there are of each severity."""
    counts = Counter(one.severity for one in faults)
    if not counts:
        return "no fault"
    return ", ".join(
        f"{counts[severity]} {severity}{'s' if counts[severity] > 1 else ''}"
        for severity in Severity
        if counts[severity]
    )


def _lines(group: Group, folder: str, examples: int) -> Iterator[str]:
    number = len(group.faults)
    if number == 1:
        (one,) = group.faults
        yield f"{group.severity} [{group.rule}] {one.message}"
        yield f"    {_place(one, folder)}{_advice(one)}"
        return
    yield f"{group.severity} [{group.rule}] {number} times: {group.summary}"
    corrections = {one.correct for one in group.faults}
    if len(corrections) == 1 and group.faults[0].correct:
        yield f"    correct: {group.faults[0].correct}"
    if group.severity is Severity.NOTE and examples == EXAMPLES:
        yield f"    {', '.join(one.subject for one in group.faults[:EXAMPLES])}{', ...' if number > EXAMPLES else ''}"
        return
    for one in group.faults[:examples]:
        detail = one.message.removeprefix(f"{one.subject}: ").removeprefix(group.summary).removeprefix(": ")
        advice = _advice(one) if len(corrections) > 1 else ""
        yield f"    {_place(one, folder)} {one.subject}{': ' + detail if detail else ''}{advice}"
    if number > examples:
        yield f"    and {number - examples} more (--all lists them)"


def _advice(fault: Fault) -> str:
    return f" -> {fault.correct}" if fault.correct else ""


def _place(fault: Fault, folder: str) -> str:
    file = str(Path(fault.file).relative_to(folder)) if folder else fault.file
    return f"{file}:{fault.line}"


def _common_folder(faults: Sequence[Fault]) -> str:
    """Return the folder all files are in, nothing if there is only one file or no such folder."""
    files = {one.file for one in faults}
    if len(files) < 2 or len({Path(file).is_absolute() for file in files}) > 1:  # noqa: PLR2004 - one needs no folder
        return ""
    return commonpath(files)
