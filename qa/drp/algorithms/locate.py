"""Where each exposure really points: found from its stars, against the reference and then against its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.matching import (
    FEWEST_VOTES,
    RADII,
    SEARCH,
    brightest,
    group_visits,
    match_detector,
    powers,
    significant,
    unique_pairs,
    vote,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qa.drp.algorithms.observations import Exposures, Stars

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SHARE = 0.25
"""Part of the stars that both sides could have that must match."""

WITNESSES = 80
"""Brightest stars that tell whether a detector is turned: they are asked once for each way of turning it."""

TURNS = {
    "rotated by 180 degrees": ((-1, 0), (0, -1)),
    "rotated by 90 degrees": ((0, -1), (1, 0)),
    "rotated by 270 degrees": ((0, 1), (-1, 0)),
    "mirrored in x": ((-1, 0), (0, 1)),
    "mirrored in y": ((1, 0), (0, -1)),
    "mirrored in a diagonal": ((0, 1), (1, 0)),
    "mirrored in the other diagonal": ((0, -1), (-1, 0)),
}
"""Ways to mount a detector, or to read it out, that its header does not tell."""


@dataclass(frozen=True, slots=True)
class Located:
    """Positions of the stars (arcsec, NaN where unknown), and why the catalogues without them have none."""

    position: Floats
    reasons: dict[int, str]


def locate(exposures: Exposures, stars: Stars, position: Floats, magnitude: Floats, *, explain: bool = True) -> Located:
    """Find positions good enough to link the visits: each detector is mapped on the reference by itself.

    What does not match the reference is tried against the detectors that did, and so on.

    Parameters
    ----------
    position, magnitude
        Of the reference stars, arcsec on the common plane.
    explain
        Whether to look for the reasons, which costs more than all the rest; without it they are empty.
    """
    targets = brightest(position, magnitude, len(position))
    search = _Search(exposures, stars)
    while search.extend(targets):
        targets = search.objects()
    reasons = {index: search.reason(index, targets) if explain else "" for index in search.pending}
    return Located(search.position, reasons)


class _Search:
    """The catalogues found so far, and those still `pending`."""

    def __init__(self, exposures: Exposures, stars: Stars) -> None:
        self.exposures, self.stars = exposures, stars
        self.position = np.full_like(stars.crude, np.nan)
        self.pending = list(range(len(exposures.catalogs)))
        rows = [np.flatnonzero(stars.catalog == index) for index in self.pending]
        self._rows = [mine[np.argsort(stars.magnitude[mine], kind="stable")] for mine in rows]

    def extend(self, targets: Floats) -> bool:
        """Look for the pending ones among the targets; whether any was found and others are left."""
        before = len(self.pending)
        for visit in range(len(self.exposures.visits)):
            mine = [index for index in self.pending if self.exposures.visit_of[index] == visit]
            own = {index: vote(self.stars.crude[self._rows[index]], targets) for index in mine}
            self._place(own, targets)
            # A detector with too few stars of its own takes the offset its visit's other stars agree on.
            left = [index for index in mine if index in self.pending]
            if left:
                common = self._common(visit, left, targets)
                self._place(dict.fromkeys(left, common), targets)
        return 0 < len(self.pending) < before

    def _place(self, offsets: dict[int, Floats | None], targets: Floats) -> None:
        for index, offset in offsets.items():
            rows = self._rows[index]
            if offset is None or not len(rows):
                continue
            found = _mapped(self.stars.crude[rows], targets, offset)
            if found is not None:
                self.position[rows] = found[0]
                self.pending.remove(index)

    def _common(self, visit: int, left: Sequence[int], targets: Floats) -> Floats | None:
        mine = self.exposures.visit_of[self.stars.catalog] == visit
        shift = (self.position - self.stars.crude)[mine]
        known = np.isfinite(shift[:, 0])
        if known.any():
            return np.asarray(np.median(shift[known], axis=0))
        pooled = np.concatenate([self._rows[index] for index in left])
        return vote(brightest(self.stars.crude[pooled], self.stars.magnitude[pooled], len(pooled)), targets)

    def objects(self) -> Floats:
        """Positions of all stars found, one of each, the brightest first."""
        found = np.flatnonzero(np.isfinite(self.position[:, 0]))
        visits = self.exposures.visit_of[self.stars.catalog[found]]
        _, first = np.unique(group_visits(self.position[found], visits, radius=RADII[-1]), return_index=True)
        return brightest(self.position[found[first]], self.stars.magnitude[found[first]], len(first))

    def reason(self, index: int, targets: Floats) -> str:
        """Tell why a catalogue was not found."""
        count = len(self._rows[index])
        if count < FEWEST_VOTES:
            return f"{count} stars matched the reference or another visit, {FEWEST_VOTES} are needed"
        matched = {name: self._matched(self._turned(index, turn), targets) for name, turn in TURNS.items()}
        best = max(matched, key=lambda name: matched[name])
        if matched[best]:
            return f"its stars match only with the detector {best}: the header does not say so"
        where = f"within {SEARCH:.0f} arcsec of where its header points"
        return f"its {count} stars match neither the reference nor another visit {where}"

    @staticmethod
    def _matched(stars: Floats, targets: Floats) -> int:
        offset = vote(stars[:WITNESSES], targets)
        found = None if offset is None else _mapped(stars, targets, offset)
        return found[1] if found is not None else 0

    def _turned(self, index: int, turn: tuple[tuple[int, int], tuple[int, int]]) -> Floats:
        ny, nx = self.exposures.catalogs[index].shape
        middle = np.array([(nx - 1) / 2, (ny - 1) / 2])
        rows = self._rows[index]
        pixels = (np.column_stack([self.stars.x[rows], self.stars.y[rows]]) - middle) @ np.array(turn).T + middle
        return self.exposures.crude(index, pixels[:, 0], pixels[:, 1])


def _mapped(stars: Floats, targets: Floats, offset: Floats) -> tuple[Floats, int] | None:
    """Map a detector's stars on the targets and count the matches; None if chance explains them, or they are few."""
    low, high = (stars + offset).min(axis=0) - RADII[0], (stars + offset).max(axis=0) + RADII[0]
    near = targets[((targets >= low) & (targets <= high)).all(axis=1)]
    moved = match_detector(stars, near, offset)
    matched = len(unique_pairs(moved, near, RADII[-1])[0])
    density = len(near) / float(np.prod(high - low))
    enough = matched >= SHARE * min(len(moved), len(near))
    free = len(powers(matched))  # as many could have been made to match
    believed = enough and significant(matched - free, len(moved), density=density, radius=RADII[-1])
    return (moved, matched) if believed else None
