"""Synthetic fields with known answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from astropy.table import Table

MAS = 1 / 3.6e6


@dataclass(frozen=True)
class Field:
    """Recipe of stars seen in several visits; scatters per detection, in mmag and mas per axis."""

    seed: int = 1
    stars: int = 300
    visits: int = 5
    scatter_mmag: float = 0.0
    scatter_mas: float = 0.0
    size_arcmin: float = 12.0
    ra: float = 150.0
    dec: float = 2.0

    def but(self, **changes: float) -> Field:
        """Return the recipe with changes."""
        return replace(self, **changes)

    def draw(self) -> Table:
        """Return the table `matched`."""
        rng = np.random.default_rng(self.seed)
        east, north = (rng.uniform(-0.5, 0.5, self.stars) * self.size_arcmin / 60 for _ in range(2))
        dec = self.dec + north
        ra = self.ra + east / np.cos(np.radians(dec))
        magnitudes = rng.uniform(17.5, 21.0, self.stars)
        star = np.repeat(np.arange(self.stars), self.visits)
        count = len(star)
        jitter = rng.normal(0, self.scatter_mas * MAS, (2, count)) if self.scatter_mas else np.zeros((2, count))
        scatter = rng.normal(0, self.scatter_mmag / 1000, count) if self.scatter_mmag else np.zeros(count)
        table = Table()
        table["object"] = star + 10
        table["visit"] = np.tile(np.arange(self.visits) + 900, self.stars)
        table["detector"] = np.zeros(count, dtype=np.int64)
        table["ra"] = ra[star] + jitter[0] / np.cos(np.radians(dec[star]))
        table["dec"] = dec[star] + jitter[1]
        table["mag"] = magnitudes[star] + scatter
        table["mag_err"] = np.full(count, 0.004)
        table["snr"] = np.full(count, 250.0)
        table["extendedness"] = np.zeros(count)
        table["flag"] = np.zeros(count, dtype=bool)
        for name in ("e1", "e2", "psf_e1", "psf_e2"):
            table[name] = np.zeros(count)
        table["ref_ra"], table["ref_dec"], table["ref_mag"] = ra[star], dec[star], magnitudes[star]
        return table


@pytest.fixture(scope="session")
def field() -> Field:
    """Return the recipe of a field without any scatter."""
    return Field()


def truth_table(*, seed: int = 3, sources: int = 2000, star: bool = True) -> Table:
    """Return a table `truth_coverage` of isolated sources on a grid 10 arcsec wide, of magnitude 20 to 27."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(sources)))
    column, row = (np.arange(sources) % side, np.arange(sources) // side)
    table = Table()
    table["id"] = np.arange(sources)
    table["dec"] = row * 10 / 3600.0
    table["ra"] = 30 + column * 10 / 3600.0 / np.cos(np.radians(np.asarray(table["dec"])))
    table["mag"] = rng.uniform(20, 27, sources)
    table["star"] = np.full(sources, star)
    table["n_visits"] = np.full(sources, 4)
    table["isolated"] = np.full(sources, fill_value=True)
    return table


def detections(truth: Table, found: np.ndarray) -> Table:
    """Return the table `objects` of the found sources, measured without error."""
    table = truth["id", "ra", "dec", "mag"][found]
    table["snr"] = np.full(len(table), 100.0)
    table["extendedness"] = np.where(truth["star"][found], 0.0, 1.0)
    table["flag"] = np.zeros(len(table), dtype=bool)
    table["primary"] = np.ones(len(table), dtype=bool)
    return table


@pytest.fixture
def truth() -> Table:
    """Return what was drawn: stars."""
    return truth_table()


@pytest.fixture
def objects(truth: Table) -> Table:
    """Return objects for all of the truth."""
    return detections(truth, np.ones(len(truth), dtype=bool))
