"""Separations of pairs of stars, visit by visit: their scatter and their deviations from the pair's median.

Of ordinary catalogues they follow from the positions by the haversine formula. Of large ones they come from offsets on
the tangent plane, which agree to 1e-5 mas (`qa.metrics.tangent`). Neither ever holds a pair's visits for all pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from qa.errors import MissingExtraError
from qa.metrics.annulus import thinned_pairs
from qa.metrics.base import CannotMeasureError, column, require
from qa.metrics.groups import LARGE, Catalog, angles, select
from qa.metrics.sphere import ARCMIN, MAS, pairs_between, separation, span, to_angles, unit_vectors
from qa.metrics.statistics import pair_mean_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from numpy.typing import NDArray

    from qa.metrics.base import Tables
    from qa.metrics.groups import Selection
    from qa.metrics.tangent import Seen

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

ANNULUS_WIDTH = 2.0
FEWEST = 10
# So many pairs are measured at most, and so many single separations; of more, an even share.
MOST_PAIRS = 2_000_000
MOST_SEPARATIONS = 20_000_000
# Pairs of so few stars are found by a tree; more are looked for band by band.
FEW_STARS = 2000
# Up to so many places for a pair or star in a visit, filled or not, the haversine formula is used.
DENSE = 4_000_000
# Pairs times visits held at a time: 16 MB an array.
CHUNK = 2_000_000


def _tangent() -> ModuleType:
    try:
        import qa.metrics.tangent as module  # noqa: PLC0415 - the light core runs without numba
    except ImportError:
        raise MissingExtraError(extra="pipeline", module="numba") from None
    return module


@dataclass(frozen=True, eq=False)
class Stars:
    """Detections (n,) of selected stars, the first of each visit, sorted by star and visit; angles in radian.

    `starts` (stars + 1,) are the places of each star's first, `visit` numbers the visits, of which there are `visits`.
    """

    identifiers: NDArray[np.generic]
    ra: Floats
    dec: Floats
    visit: Ints
    starts: Ints
    visits: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def means(self) -> tuple[Floats, Floats]:
        """Mean right ascension and declination (stars,), those of the mean unit vectors."""
        if len(self.ra) > LARGE:
            return self._tangent[0]
        vectors = np.add.reduceat(unit_vectors(self.ra, self.dec), self.starts[:-1], axis=0)
        return to_angles(vectors)

    @cached_property
    def _tangent(self) -> tuple[tuple[Floats, Floats], NDArray[np.float32]]:
        means, offsets = np.empty((len(self), 2)), np.empty((len(self.ra), 2), np.float32)
        _tangent().offsets_from_means(self.ra, self.dec, self.starts, means, offsets)
        return (means[:, 0], means[:, 1]), offsets

    @cached_property
    def seen(self) -> Seen:
        """The stars as the compiled loops read them."""
        tangent, (ra, dec), offsets = _tangent(), *self._tangent
        zero = np.zeros(len(self))
        east = np.stack([-np.sin(ra), np.cos(ra), zero], axis=-1)
        north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=-1)
        bits = np.zeros((len(self), -(-self.visits // tangent.WORD)), np.uint64)
        ranks = np.zeros(bits.shape, np.int32)
        tangent.visit_bits(self.visit, self.starts, bits, ranks)
        seen: Seen = tangent.Seen(
            np.stack([unit_vectors(ra, dec), east, north], axis=1), offsets, self.starts, bits, ranks
        )
        return seen

    def dense(self) -> tuple[Floats, Floats]:
        """Return right ascension and declination (stars, visits), NaN where a star was not seen."""
        places = np.repeat(np.arange(len(self)), np.diff(self.starts)), self.visit
        ra, dec = (np.full((len(self), self.visits), np.nan) for _ in range(2))
        ra[places], dec[places] = self.ra, self.dec
        return ra, dec


def _stars(catalog: Catalog, selection: Selection) -> Stars:
    groups = select(catalog, selection)
    ra, dec = (angles(catalog, name, groups.rows) for name in ("ra", "dec"))
    good = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    if not len(good):
        msg = f"none of the {len(groups)} {selection} has a position"
        raise CannotMeasureError(msg)
    group, visit = groups.group[good], catalog.index.visit[groups.rows[good]]
    first = np.append([True], (np.diff(visit) != 0) | (np.diff(group) != 0))
    counts = np.bincount(group[first], minlength=len(groups))
    visit, good = visit[first], good[first]
    used = np.zeros(int(visit.max()) + 1, np.int64)
    used[visit] = 1
    return Stars(
        identifiers=column(catalog, "object")[groups.rows[groups.starts[counts > 0]]],
        ra=ra[good],
        dec=dec[good],
        visit=(np.cumsum(used) - 1)[visit],
        starts=np.append(0, np.cumsum(counts[counts > 0])),
        visits=int(used.sum()),
    )


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of stars about a distance apart."""

    stars: Stars
    first: Ints
    second: Ints

    def scatter(self) -> tuple[Ints, Floats]:
        """Return the pairs seen together in two visits or more, and the standard deviation (n - 1) of separations.

        In radian.
        """
        if self._few:
            pieces = [(place, _spread(apart)) for place, apart in self._distances(visits=2)]
            return np.concatenate([place for place, _ in pieces]), np.concatenate([spread for _, spread in pieces])
        counts, spreads = np.empty(len(self.first), np.int64), np.empty(len(self.first))
        _tangent().scatter_of_pairs(self.stars.seen, self.first, self.second, counts, spreads)
        place = np.flatnonzero(counts > 1)
        return place, spreads[place] * MAS

    def from_medians(self) -> tuple[Ints, Floats]:
        """Return how far each separation lies from its pair's median, and which pair it is of; in radian.

        Pairs seen together in three visits or more count.
        """
        if self._few:
            pieces = [_from_median(place, apart) for place, apart in self._distances(visits=3)]
            return np.concatenate([pair for pair, _ in pieces]), np.concatenate([values for _, values in pieces])
        tangent, seen = _tangent(), self.stars.seen
        counts = np.empty(len(self.first), np.int64)
        tangent.common_visits(seen, self.first, self.second, counts)
        place = np.flatnonzero(counts > 2)  # noqa: PLR2004 - three visits or more
        ends = np.cumsum(counts[place])
        values = np.empty(int(counts[place].sum()))
        tangent.deviations_of_pairs(seen, self.first[place], self.second[place], ends - counts[place], values)
        return np.repeat(place, counts[place]), values * MAS

    @property
    def _few(self) -> bool:
        return max(len(self.first), len(self.stars)) * self.stars.visits <= DENSE

    def _distances(self, *, visits: int) -> Iterator[tuple[Ints, Floats]]:
        """Yield pieces of the pairs seen together in at least so many visits, and their separations (pairs, visits)."""
        ra, dec = self.stars.dense()
        seen = np.isfinite(ra)
        step = max(1, CHUNK // ra.shape[1])
        for start in range(0, len(self.first), step):
            place = np.arange(start, min(start + step, len(self.first)))
            common = (seen[self.first[place]] & seen[self.second[place]]).sum(axis=1)
            place = place[common >= visits]
            one, two = self.first[place], self.second[place]
            yield place, separation(ra[one], dec[one], ra[two], dec[two])


def _spread(values: Floats) -> Floats:
    seen = np.isfinite(values)
    count = seen.sum(axis=1)
    mean = np.where(seen, values, 0.0).sum(axis=1) / count
    square = np.where(seen, (values - mean[:, np.newaxis]) ** 2, 0.0).sum(axis=1)
    spread: Floats = np.sqrt(square / (count - 1))
    return spread


def _from_median(place: Ints, apart: Floats) -> tuple[Ints, Floats]:
    # A star measured against itself is at distance 0 and shows nothing.
    apart = np.where(apart > 0, apart, np.nan)
    deviations = np.abs(apart - _row_medians(apart)[:, np.newaxis])
    good = np.isfinite(deviations)
    return np.repeat(place, good.sum(axis=1)), deviations[good]


def _row_medians(values: Floats) -> Floats:
    count = np.isfinite(values).sum(axis=1)
    ordered = np.sort(values, axis=1)
    rows = np.arange(len(values))
    low, high = ordered[rows, np.maximum(count - 1, 0) // 2], ordered[rows, np.minimum(count // 2, values.shape[1] - 1)]
    medians: Floats = (low + high) / 2
    return medians


def find_pairs(
    tables: Tables, selection: Selection, *, distance: float, name: str, most_separations: int | None = None
) -> Pairs:
    """Return the pairs of selected stars whose mean positions are `distance` arcmin apart, within 1 arcmin.

    At most `MOST_PAIRS`, and no more than can give `most_separations` visits in all, where a pair is taken to be seen
    together as often as a star is on average; of more pairs, an even share (`thinned_pairs`).

    Raises
    ------
    CannotMeasureError
        If there are fewer than ten; the reason says whether the field is too small.
    """
    if tables.matched is None:
        column(tables.matched, "object")
    catalog = Catalog.of(tables.matched)
    stars = catalog.once(("stars", selection), lambda: _stars(catalog, selection))
    low, high = (distance + sign * ANNULUS_WIDTH / 2 for sign in (-1, 1))
    extent = span(*stars.means) / ARCMIN
    if extent < low:
        msg = f"{name} needs pairs {distance:g} arcmin apart; the field spans {extent:.3g} arcmin"
        raise CannotMeasureError(msg)
    often = len(stars.ra) / len(stars)
    most = MOST_PAIRS if most_separations is None else min(MOST_PAIRS, max(FEWEST, int(most_separations / often)))
    if len(stars) <= FEW_STARS and len(stars) * (len(stars) - 1) // 2 <= most:
        first, second = pairs_between(*stars.means, low * ARCMIN, high * ARCMIN)
    else:
        first, second, _ = thinned_pairs(
            *stars.means, low * ARCMIN, high * ARCMIN, identifiers=stars.identifiers, most=most
        )
    require(len(first), FEWEST, f"pairs {distance:g} arcmin apart among {len(stars)} {selection}")
    return Pairs(stars, first, second)


@dataclass(frozen=True, slots=True)
class Deviations:
    """Deviations (n,) in mas of separations from their pair's median, and the pair (n,) each belongs to."""

    values: Floats
    pair: Ints
    first: Ints
    second: Ints

    def error(self, values: NDArray[np.generic]) -> float:
        """Return the standard error of the mean of `values` (n,) that go with the deviations."""
        return pair_mean_error(values, self.pair, self.first, self.second)


def separation_deviations(tables: Tables, selection: Selection, *, distance: float, name: str) -> Deviations:
    """Return how far each separation lies from its pair's median, less the median of all these deviations.

    Pairs seen together in three visits or more count. Follows `lsst.faro.utils.separations.calcSepOutliers` and the
    subtraction of the median in `lsst.faro.measurement.ADxTask`.
    """
    pairs = find_pairs(tables, selection, distance=distance, name=name, most_separations=MOST_SEPARATIONS)
    pair, values = pairs.from_medians()
    require(len(values), FEWEST, f"separations of pairs {distance:g} arcmin apart seen together in three visits")
    return Deviations((values - np.median(values)) / MAS, pair, pairs.first, pairs.second)
