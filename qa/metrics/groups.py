"""Groups of detections of one star: which of them repeatability may rest on, and sums over groups.

The cuts are those of the LSST stack's faro (`lsst.faro.utils.filtermatches`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.metrics.base import CannotMeasureError, column

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

EXTENDED = 0.9


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

    def only(self, keep: NDArray[np.bool_]) -> Groups:
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


def select(matched: Table | None, selection: Selection) -> Groups:
    """Group the table's detections by `object` and take the groups that pass.

    Raises
    ------
    CannotMeasureError
        If none does, or a column is missing.
    """
    objects, visits = column(matched, "object"), column(matched, "visit")
    order = np.lexsort((visits, objects))
    counts = np.unique(objects, return_counts=True)[1].astype(np.int64)
    several = _groups(order, counts).only(counts > 1) if len(counts) else _groups(order, counts)
    chosen = several.only(_passes(matched, several, selection)) if len(several) else several
    if not len(chosen):
        msg = f"none of the {len(counts)} groups is of {selection}, seen twice or more"
        raise CannotMeasureError(msg)
    return chosen


def _passes(matched: Table | None, groups: Groups, selection: Selection) -> NDArray[np.bool_]:
    def values(name: str) -> NDArray[Any]:
        return column(matched, name)[groups.rows]

    magnitudes = values("mag").astype(np.float64)
    keep = np.isfinite(np.add.reduceat(magnitudes, groups.starts))
    # A group with an unknown extendedness has the maximum NaN, and fails.
    keep &= np.maximum.reduceat(values("extendedness").astype(np.float64), groups.starts) < EXTENDED
    keep &= groups.median(values("snr").astype(np.float64)) >= selection.snr
    if not selection.flagged:
        keep &= ~np.logical_or.reduceat(values("flag").astype(bool), groups.starts)
    if selection.magnitudes is not None:
        bright, faint = selection.magnitudes
        medians = groups.median(magnitudes)
        keep &= (bright <= medians) & (medians < faint)
    return keep
