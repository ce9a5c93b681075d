"""Groups of detections of one star: which of them repeatability may rest on, and sums over groups.

The cuts are those of the LSST stack's faro (`lsst.faro.utils.filtermatches`). Cost and memory are linear in detections.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from qa.metrics.base import CannotMeasureError, column, radians

if TYPE_CHECKING:
    from collections.abc import Callable

    from astropy.table import Table
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Codes = NDArray[np.int32]
    Flags = NDArray[np.bool_]

T = TypeVar("T")
EXTENDED = 0.9
# Above so many detections the rows are put in order by compiled loops, where numba is installed.
LARGE = 300_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Which groups are taken: median S/N at least `snr`, median magnitude in `magnitudes` (bright end included).

    A group always needs two detections with finite magnitudes, none of them extended. Unless `flagged`, it is
    dropped when any of its detections is flagged.
    """

    snr: float
    magnitudes: tuple[float, float] | None = None
    flagged: bool = False

    def __str__(self) -> str:
        """Say in words what is selected."""
        range_text = "" if self.magnitudes is None else " of magnitude {:g} to {:g}".format(*self.magnitudes)
        return f"{'' if self.flagged else 'unflagged '}stars{range_text} with a median S/N of {self.snr:g} or more"


@dataclass(frozen=True, slots=True)
class Groups:
    """Selected detections, sorted by group and visit.

    `rows` (n,) are their places in the table, `group` (n,) numbers the groups from 0, `starts` (g,) are the places
    of each group's first detection, `counts` (g,) their sizes.
    """

    rows: Ints
    group: Ints
    starts: Ints
    counts: Ints

    def __len__(self) -> int:
        return len(self.starts)

    def only(self, keep: Flags) -> Groups:
        """Return the groups for which `keep` (g,) is true."""
        return _groups(self.rows[keep[self.group]], self.counts[keep])

    def mean(self, values: Floats) -> Floats:
        """Return each group's mean (g,) of `values` (n,)."""
        means: Floats = np.add.reduceat(values, self.starts) / self.counts
        return means

    def median(self, values: Floats) -> Floats:
        """Return each group's median (g,) of the finite ones among `values` (n,); NaN where there is none."""
        order = np.lexsort((np.where(np.isfinite(values), values, np.inf), self.group))
        finite = np.add.reduceat(np.isfinite(values).astype(np.int64), self.starts)
        ordered = values[order]
        low = self.starts + np.maximum(finite - 1, 0) // 2
        high = self.starts + np.minimum(finite // 2, self.counts - 1)
        medians: Floats = np.where(finite > 0, (ordered[low] + ordered[high]) / 2, np.nan)
        return medians

    def deviations(self, values: Floats) -> Floats:
        """Return `values` (n,) less their group's mean."""
        deviations: Floats = values - self.mean(values)[self.group]
        return deviations

    def spread(self, values: Floats) -> Floats:
        """Return each group's standard deviation (g,) about its own mean, divided by n and not n - 1, as faro does."""
        spreads: Floats = np.sqrt(np.add.reduceat(self.deviations(values) ** 2, self.starts) / self.counts)
        return spreads


def _groups(rows: Ints, counts: Ints) -> Groups:
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64) if len(counts) else np.zeros(0, np.int64)
    return Groups(rows, np.repeat(np.arange(len(counts)), counts), starts, counts)


@dataclass(frozen=True, slots=True)
class Index:
    """The order of a table's detections by object and visit.

    `rows` (n,) are the table's rows in this order. `object` and `visit` (n,) number, in the order of the table, the
    object and the visit of each row, both from 0 by rising identifier. `counts` (g,) are detections per object.
    """

    rows: Ints
    object: Codes
    visit: Codes
    counts: Ints

    def number(self, chosen: Flags) -> Ints:
        """Return how many of each object's detections are `chosen` (n,), which is in the order of the table."""
        return np.bincount(self.object[chosen], minlength=len(self.counts)).astype(np.int64)

    def groups(self, keep: Flags) -> Groups:
        """Return the detections of the objects for which `keep` (g,) is true."""
        return _groups(self.rows[np.repeat(keep, self.counts)], self.counts[keep])


def _index(objects: NDArray[Any], visits: NDArray[Any]) -> Index:
    if len(objects) > LARGE and objects.dtype.kind in "iu" and visits.dtype.kind in "iu":
        try:
            return _compiled_index(objects, visits)
        except ImportError:
            pass  # Without numba the same order comes from sorting.
    object_, counts = np.unique(objects, return_inverse=True, return_counts=True)[1:]
    visit = np.unique(visits, return_inverse=True)[1]
    return Index(
        np.lexsort((visit, object_)), object_.astype(np.int32), visit.astype(np.int32), counts.astype(np.int64)
    )


def _compiled_index(objects: NDArray[Any], visits: NDArray[Any]) -> Index:
    from qa.metrics.kernels import counting_order, encode  # noqa: PLC0415 - the light core runs without numba

    object_, visit = np.empty(len(objects), np.int32), np.empty(len(objects), np.int32)
    per_object = encode(objects.astype(np.int64, copy=False), object_)
    per_visit = encode(visits.astype(np.int64, copy=False), visit)
    rows = np.arange(len(visit))
    if np.any(visit[1:] < visit[:-1]):
        rows = counting_order(visit, rows, len(per_visit))
    return Index(counting_order(object_, rows, len(per_object)), object_, visit, per_object)


class Catalog:
    """A table of detections, or a mapping of arrays, with what is worked out of it once.

    It reads like the table. Metrics that share it share the order of its rows, selections and positions; the table
    must not be changed meanwhile.
    """

    def __init__(self, table: Any) -> None:  # noqa: ANN401 - an astropy table or a mapping of arrays
        self.table = table
        self._known: dict[Any, Any] = {}

    @classmethod
    def of(cls, table: Any) -> Catalog:  # noqa: ANN401 - see above
        """Return the table as a catalogue, or itself if it is one."""
        return table if isinstance(table, Catalog) else cls(table)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a column, with or without unit and mask
        return self.table[name]

    def __len__(self) -> int:
        return len(self.table[self.colnames[0]]) if self.colnames else 0

    @property
    def colnames(self) -> list[str]:
        """Names of the columns."""
        return list(getattr(self.table, "colnames", self.table))

    @cached_property
    def index(self) -> Index:
        """The order of the detections."""
        return _index(column(self, "object"), column(self, "visit"))

    def once(self, key: Any, make: Callable[[], T]) -> T:  # noqa: ANN401 - anything hashable
        """Return what `make` makes, and the same again when asked with the same key."""
        if key not in self._known:
            self._known[key] = make()
        found: T = self._known[key]
        return found


def angles(matched: Table | Catalog | None, name: str, rows: Ints) -> Floats:
    """Return an angle column at `rows` (n,) in radian, as `radians` does for all rows.

    Raises
    ------
    CannotMeasureError
        If the table is absent or has no such column.
    """
    column(matched, name)
    return radians(Catalog({name: Catalog.of(matched)[name][rows]}), name)


def select(matched: Table | Catalog | None, selection: Selection) -> Groups:
    """Group the table's detections by `object` and take the groups that pass.

    Raises
    ------
    CannotMeasureError
        If none does, or a column is missing.
    """
    if matched is None:
        column(matched, "object")
    catalog = Catalog.of(matched)
    return catalog.once(selection, lambda: _select(catalog, selection))


def _select(catalog: Catalog, selection: Selection) -> Groups:
    index = catalog.index
    keep = _passes(catalog, selection) if len(index.counts) else np.zeros(0, bool)
    if not keep.any():
        msg = f"none of the {len(keep)} groups is of {selection}, seen twice or more"
        raise CannotMeasureError(msg)
    return index.groups(keep)


def _passes(catalog: Catalog, selection: Selection) -> Flags:
    index, magnitudes = catalog.index, column(catalog, "mag")
    keep: Flags = (index.counts > 1) & (index.number(~np.isfinite(magnitudes)) == 0)
    # An unknown extendedness is not below the limit either.
    keep &= index.number(~(column(catalog, "extendedness") < np.float64(EXTENDED))) == 0
    if not selection.flagged:
        keep &= index.number(column(catalog, "flag").astype(bool)) == 0
    keep &= _median_reaches(index, column(catalog, "snr"), selection.snr, among=keep)
    if selection.magnitudes is not None:
        bright, faint = selection.magnitudes
        keep &= _median_reaches(index, magnitudes, bright, among=keep)
        keep &= ~_median_reaches(index, magnitudes, faint, among=keep)
    return keep


def _median_reaches(index: Index, values: NDArray[Any], limit: float, *, among: Flags) -> Flags:
    """Tell of which objects the median of the finite values is `limit` or more; only those `among` (g,) are right.

    Counting decides it without sorting, unless exactly half of the values reach the limit.
    """
    finite = np.isfinite(values)
    known = index.number(finite)
    reaching = 2 * index.number(finite & (values >= np.float64(limit)))
    passes: Flags = reaching > known
    open_ = among & (reaching == known) & (known > 0)
    if open_.any():
        groups = index.groups(open_)
        passes[open_] = groups.median(values[groups.rows].astype(np.float64)) >= limit
    return passes
