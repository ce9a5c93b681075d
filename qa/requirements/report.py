"""The table of validate_drp's `reportPerformance.py`: a Job's metrics beside the requirements and a release's targets.

It says what was measured and asked, and judges nothing: `obsqa import verify` does. Rows, columns and digits are those
of the original, which people and scripts know: `**` is not measured, `nan` no target of that release.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.errors import RequestError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from qa.model import Level
    from qa.requirements.verify import Specification

ASTROMETRY = tuple(f"{name}{number}" for number in (1, 2, 3) for name in ("AM", "AD", "AF"))
METRICS = (*ASTROMETRY, "PA1", "PA2", "PF1", "TE1", "TE2")
"""The rows, in the order of the original."""

PACKAGE = "validate_drp"
LEVELLED = ("AD", "AF", "PA2", "PF1")
"""Metrics that are measured once for each level: `AD1_design`."""

BANDED = ("PA1", "PA2", "PF1")
"""Metrics whose limits differ between g, r, i and u, z, y."""

NOT_MEASURED = "**"


class NoSpecificationsError(RequestError):
    """There is nothing to compare a Job with."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"{name}: a Job must quote its specifications, and this one has none; "
            "name a metrics package that has them with --package"
        )


@dataclass(frozen=True, slots=True)
class Value:
    """A measured value of a Job, None where it is none, and its unit."""

    value: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Row:
    """One metric in one filter: the requirement and the release's target as the specifications have them."""

    metric: str
    filter: str
    unit: str
    operator: str
    requirement: float | None
    release: float | None
    value: float | None

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as the original prints it; the last column is for comments."""
        value = NOT_MEASURED if self.value is None else f"{self.value:.3g}"
        asked = (_float(self.requirement), _float(self.release))
        return (self.metric, self.filter, self.unit, self.operator, *asked, value, "")


def table(
    measured: Mapping[str, Value],
    filter_name: str,
    specifications: Mapping[str, Specification],
    *,
    level: Level,
    release: str,
    targets: Mapping[str, Specification] | None = None,
    name: str = "this file",
) -> tuple[Row, ...]:
    """Return the table of a Job.

    Parameters
    ----------
    measured
        Values by complete name (`validate_drp.PA1`).
    filter_name
        The Job's filter; `HSC-R` is in the group of r.
    specifications
        The requirements, by complete name.
    level
        Which level to compare with.
    release
        Which release's targets to show: `FY17`.
    targets
        Where the release's targets are, if not among `specifications`.
    name
        What to call the Job in an error.

    Raises
    ------
    NoSpecificationsError
        If there are no specifications at all.
    UnknownNameError
        If no specification is a target of that release.
    """
    if not specifications:
        raise NoSpecificationsError(name)
    targets = specifications if targets is None else targets
    _insist_on(release, targets.values())
    group = _group(filter_name)
    return tuple(
        _row(metric, measured, filter_name, group, specifications, targets, (level, release)) for metric in METRICS
    )


def rst(rows: Iterable[Row], *, level: Level, release: str) -> str:
    """Return the table in reStructuredText, as the original wrote it."""
    cells = [columns(level, release), *(row.cells for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = " ".join("=" * width for width in widths)
    head, *body = [" ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join([rule, head, rule, *body, rule]) + "\n"


def columns(level: Level, release: str) -> tuple[str, ...]:
    """Return the heads of the columns."""
    asked = (f"SRD Requirement: {level}", f"Release Target: {release}")
    return ("Metric", "Filter", "Unit", "Operator", *asked, "Value", "Comments")


def _row(
    metric: str,
    measured: Mapping[str, Value],
    filter_name: str,
    group: str,
    specifications: Mapping[str, Specification],
    targets: Mapping[str, Specification],
    asked: tuple[Level, str],
) -> Row:
    level, release = asked
    banded, levelled = metric in BANDED, metric.startswith(LEVELLED)
    complete = f"{PACKAGE}.{metric}"
    if levelled:
        complete += f"_{level}{f'_{group}' if banded else ''}"
    suffix = f"_{group}" if banded and not levelled else ""
    required = specifications.get(f"{complete}.{'srd' if levelled else f'{level}{suffix}'}")
    target = targets.get(f"{complete}.{release}{suffix}")
    found = measured.get(complete, Value(None, ""))
    value = None if found.value is None or not math.isfinite(found.value) else found.value
    return Row(
        metric=metric,
        filter=filter_name,
        unit=found.unit or (required.unit if required else ""),
        operator=required.operator if required else "",
        requirement=required.value if required else None,
        release=target.value if target else None,
        value=value,
    )


def _insist_on(release: str, targets: Iterable[Specification]) -> None:
    known = {part for one in targets if "release" in one.tags for part in one.name.rpartition(".")[2].split("_")}
    releases = sorted(part for part in known if part[:2] in {"FY", "OR"})
    if release not in releases:
        kind = "release with targets"
        raise UnknownNameError(kind, release, releases)


def _group(filter_name: str) -> str:
    """Return the group of bands a filter is of, by the last letter of its name as of `HSC-R`."""
    band = filter_name[-1:].lower() if "." not in filter_name else filter_name[:1].lower()
    return next((group for group in ("gri", "uzy") if band and band in group), "")


def _float(value: float | None) -> str:
    return "nan" if value is None else str(float(value))


def plain(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Return the rows as plain JSON values; what is not there is null."""
    names = ("metric", "filter", "unit", "operator", "requirement", "release", "value")
    return [{name: getattr(row, name) for name in names} for row in rows]
