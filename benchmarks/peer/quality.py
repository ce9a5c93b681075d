"""How good what each chain made is: positions and magnitudes of visits and coadd, and how faint it reaches."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from scipy.spatial import cKDTree

from benchmarks.peer.night import BAND
from benchmarks.peer.truth import Truth, false_rate, found, half_magnitude, plane_of, read_truth, scatter
from qa.drp.algorithms.objects import SIGNIFICANCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from benchmarks.peer.night import Night

    Floats = NDArray[np.float64]
    Results = dict[str, float]

PEER_DEFAULT = 5.0
DEFAULT = {"ours": SIGNIFICANCE, "peer": PEER_DEFAULT}
SIGNIFICANCES = {"ours": (3.0, 3.15, 3.3, 3.45, 3.6, SIGNIFICANCE), "peer": (3.5, 3.65, 3.8, 3.95, 4.1, PEER_DEFAULT)}
"""Thresholds at which each detects on the coadd: fine steps about the common rate of false detections, and its own."""

FALSE_RATE = 0.1
"""False detections per arcmin^2 at which completeness is compared."""

FAINTEST = (22.5, 25.5)
"""Magnitudes of the sources that tell the completeness."""

RESAMPLINGS = 40
LEAST_VISITS = 4


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Sources of one chain: sky in degrees, magnitudes (each column another kind), whether it is unspoilt."""

    ra: Floats
    dec: Floats
    mags: Floats
    visit: NDArray[np.int64]


def ours_visits(night: Night) -> Catalogue:
    """Read our calibrated sources of all visits."""
    table = pickle.loads((night.folder / "matched.pickle").read_bytes())  # noqa: S301 - our own
    table = table[~np.asarray(table["flag"])]
    return _catalogue(table, "ra", "dec", np.asarray(table["mag"])[:, None], np.asarray(table["visit"]))


def peer_visits(night: Night) -> Catalogue:
    """Read the peer's sources of all visits, placed and scaled as SCAMP says."""
    parts = []
    for visit in night.visits:
        heads = list(_heads(night, visit))
        for head, every in zip(heads, ldac(night, f"visit-{visit}.cat"), strict=True):
            table = every[(every["FLAGS"] == 0) & (every["FLAGS_WEIGHT"] == 0)]
            ra, dec = WCS(head).all_pix2world(table["XWIN_IMAGE"], table["YWIN_IMAGE"], 1)
            mags = _magnitudes(table) - 2.5 * np.log10(head["FLXSCALE"])
            parts.append(Catalogue(ra, dec, mags, np.full(len(ra), visit)))
    join = [np.concatenate([getattr(part, name) for part in parts]) for name in ("ra", "dec", "mags", "visit")]
    return Catalogue(*join)


def ours_coadd(night: Night, significance: float) -> Catalogue:
    """Read our objects."""
    table = pickle.loads((night.folder / f"objects-{significance:g}.pickle").read_bytes())  # noqa: S301 - our own
    return _catalogue(table, "ra", "dec", np.asarray(table["mag"])[:, None], np.zeros(len(table), dtype=np.int64))


def peer_coadd(night: Night, significance: float) -> Catalogue:
    """Read the peer's objects."""
    table = ldac(night, f"peer-{significance:g}.cat")[0]
    ra, dec = WCS(fits.getheader(night.folder / "peer.fits")).all_pix2world(table["XWIN_IMAGE"], table["YWIN_IMAGE"], 1)
    return Catalogue(ra, dec, _magnitudes(table), np.zeros(len(table), dtype=np.int64))


def ldac(night: Night, name: str) -> list[Table]:
    """Tables of a FITS_LDAC catalogue."""
    with fits.open(night.folder / name, memmap=False) as hdus:
        return [Table(hdu.data) for hdu in hdus if hdu.name == "LDAC_OBJECTS"]


def _heads(night: Night, visit: int) -> Iterator[fits.Header]:
    text = (night.folder / f"visit-{visit}.head").read_text(errors="replace")
    for part in text.split("\nEND")[:-1]:
        cards = [line for line in part.split("\n") if line.strip() and not line.startswith(("HISTORY", "COMMENT"))]
        yield fits.Header.fromstring("\n".join(cards), sep="\n")


def _magnitudes(table: Table) -> Floats:
    kinds = [np.asarray(table["FLUX_AUTO"])[:, None], np.asarray(table["FLUX_APER"])]
    with np.errstate(divide="ignore", invalid="ignore"):
        return -2.5 * np.log10(np.concatenate(kinds, axis=1, dtype=np.float64))


def _catalogue(table: Table, ra: str, dec: str, mags: Floats, visit: NDArray[np.int64]) -> Catalogue:
    return Catalogue(np.asarray(table[ra]), np.asarray(table[dec]), mags, visit)


def visits_quality(truth: Truth, sources: Catalogue) -> Results:
    """Compare the bright stars of the visits with truth and with each other.

    Returns
    -------
    results
        astrometry: scatter about the true positions, per axis, mas. astrometry_repeat: rms about the mean of the
        visits, per axis, median of the stars, mas. photometry_repeat: standard deviation between visits, median of
        the stars, mmag, of the best of the chain's kinds of magnitudes.
    """
    plane = plane_of(truth.recipe, sources.ra, sources.dec)
    distance, index = cKDTree(truth.plane[truth.bright]).query(plane, distance_upper_bound=REACH_BRIGHT)
    near = np.isfinite(distance)
    offset = (plane[near] - truth.plane[truth.bright][index[near]]) * 1e3
    stars, which = index[near], np.argsort(index[near], kind="stable")
    groups = np.split(which, np.flatnonzero(np.diff(stars[which])) + 1)
    groups = [group for group in groups if len(group) >= LEAST_VISITS]
    repeat = [float(np.sqrt(np.mean(np.var(offset[group], axis=0, ddof=1)))) for group in groups]
    mags = sources.mags[near]
    spread = np.array([np.std(mags[group], axis=0, ddof=1) for group in groups]) * 1e3
    return {
        "astrometry": float(np.sqrt(np.mean([scatter(offset[:, axis]) ** 2 for axis in (0, 1)]))),
        "astrometry_repeat": float(np.median(repeat)),
        "photometry_repeat": float(np.nanmedian(spread, axis=0).min()),
    }


REACH_BRIGHT = 0.5


def coadd_quality(truth: Truth, sources: Catalogue) -> Results:
    """Scatter of the bright stars' magnitudes (mmag, best kind) and positions (mas) on the coadd."""
    chosen = truth.bright & truth.covered
    distance, index = cKDTree(plane_of(truth.recipe, sources.ra, sources.dec)).query(
        truth.plane[chosen], distance_upper_bound=REACH_BRIGHT
    )
    near = np.isfinite(distance)
    offset = (plane_of(truth.recipe, sources.ra, sources.dec)[index[near]] - truth.plane[chosen][near]) * 1e3
    difference = sources.mags[index[near]] - truth.mag[chosen][near][:, None]
    kinds = [scatter(column[np.isfinite(column)]) * 1e3 for column in difference.T]
    return {
        "coadd_photometry": min(kinds),
        "coadd_astrometry": float(np.sqrt(np.mean([scatter(offset[:, axis]) ** 2 for axis in (0, 1)]))),
    }


def completeness(truth: Truth, ours: Sequence[Catalogue], peer: Sequence[Catalogue]) -> dict[str, dict[str, float]]:
    """50 % completeness of both at each one's default threshold and at equal false detections.

    The catalogues are at the thresholds of `SIGNIFICANCES`. Errors are from resampling the true sources, the same for
    both chains: that of the difference is much smaller than those of the two.
    """
    chains = {"ours": ours, "peer": peer}
    rates = {name: np.array([false_rate(truth, one.ra, one.dec) for one in all_]) for name, all_ in chains.items()}
    out: dict[str, dict[str, float]] = {name: {} for name in ("ours", "peer", "difference")}
    default = {name: SIGNIFICANCES[name].index(DEFAULT[name]) for name in chains}
    for name in chains:
        out[name]["false_default"] = float(rates[name][default[name]])
        out[name] |= {f"false_{s:g}": float(rate) for s, rate in zip(SIGNIFICANCES[name], rates[name], strict=True)}
    hits = {
        name: [found(truth, plane_of(truth.recipe, one.ra, one.dec)) for one in all_] for name, all_ in chains.items()
    }
    for kind, of_kind in (("star", truth.star), ("galaxy", ~truth.star)):
        use = of_kind & truth.covered & truth.isolated & (truth.mag > FAINTEST[0]) & (truth.mag < FAINTEST[1])
        samples = _resampled(np.flatnonzero(use))
        halves = {
            name: np.array([[half_magnitude(truth.mag[s], hit[s]) for hit in hits[name]] for s in samples])
            for name in chains
        }
        equal = {name: np.array([_at_rate(rates[name], row) for row in halves[name]]) for name in chains}
        for label, values in (("m50", equal), ("m50_default", {n: h[:, default[n]] for n, h in halves.items()})):
            for name in chains:
                out[name] |= {
                    f"{label}_{kind}": float(values[name][0]),
                    f"{label}_{kind}_err": float(values[name][1:].std()),
                }
            gap = values["ours"] - values["peer"]
            out["difference"] |= {f"{label}_{kind}": float(gap[0]), f"{label}_{kind}_err": float(gap[1:].std())}
    return out


def _resampled(chosen: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the sources, and resamplings of them."""
    rng = np.random.default_rng(1)
    return [chosen, *(rng.choice(chosen, len(chosen)) for _ in range(RESAMPLINGS))]


def _at_rate(rates: Floats, halves: Floats) -> float:
    """Interpolate the 50 % completeness to the common rate of false detections."""
    order = np.argsort(rates)
    return float(np.interp(np.log(FALSE_RATE), np.log(np.maximum(rates[order], 1e-4)), halves[order]))


def compare(night: Night) -> dict[str, dict[str, float]]:
    """All quality of both chains, and the difference of their completeness."""
    truth = read_truth(night, band=BAND)
    readers = {"ours": ours_coadd, "peer": peer_coadd}
    ours, peer = ([read(night, s) for s in SIGNIFICANCES[name]] for name, read in readers.items())
    out = completeness(truth, ours, peer)
    chosen = ours_coadd(night, SIGNIFICANCE), peer_coadd(night, PEER_DEFAULT)
    out["ours"] |= visits_quality(truth, ours_visits(night)) | coadd_quality(truth, chosen[0])
    out["peer"] |= visits_quality(truth, peer_visits(night)) | coadd_quality(truth, chosen[1])
    return out
