"""The table of the benchmark: means over the seeds with their errors, ours beside the peer's. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Seed = dict[str, dict[str, dict[str, float]]]

STEPS = (
    ("detect", "background, detection, measurement"),
    ("calibrate", "astrometry and photometry"),
    ("coadd", "warp and coadd"),
    ("measure", "detection and measurement, coadd"),
    ("psf", "PSF models (and, ours, PSF photometry)"),
    ("total", "all without PSF models"),
    ("total_psf", "all with PSF models"),
)

QUALITIES = (
    ("astrometry", "bright stars about true positions", "mas"),
    ("astrometry_repeat", "position repeatability", "mas"),
    ("photometry_repeat", "photometric repeatability", "mmag"),
    ("coadd_astrometry", "coadd: positions of bright stars", "mas"),
    ("coadd_photometry", "coadd: magnitudes of bright stars", "mmag"),
    ("m50_star", "coadd: 50 % complete, stars, equal false", "mag"),
    ("m50_galaxy", "coadd: 50 % complete, galaxies, equal false", "mag"),
    ("m50_default_star", "coadd: 50 % complete, stars, default threshold", "mag"),
    ("m50_default_galaxy", "coadd: 50 % complete, galaxies, default threshold", "mag"),
    ("false_default", "coadd: false detections, default threshold", "per arcmin^2"),
    ("psf_size", "PSF model: size, rms of dT/T", ""),
    ("psf_shape", "PSF model: rms of |de|", ""),
)

CHAINS = ("ours", "peer")


def mean(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error; the error of one value is not known, thus NaN."""
    data = np.asarray(values, dtype=np.float64)
    error = data.std(ddof=1) / np.sqrt(len(data)) if len(data) > 1 else np.nan
    return float(data.mean()), float(error)


def pick(seeds: Sequence[Seed], part: str, chain: str, name: str) -> list[float]:
    """Return one number of every seed; none where a chain has none."""
    return [seed[part][chain][name] for seed in seeds if name in seed[part].get(chain, {})]


def rows(seeds: Sequence[Seed]) -> Iterator[str]:
    """Lines of the table."""
    yield f"{'cost':42s} {'ours CPU s':>17s} {'peer CPU s':>17s} {'ours/peer':>16s} {'wall s':>13s} {'peak MiB':>13s}"
    for name, label in STEPS:
        cpu = [pick(seeds, "cpu", chain, name) for chain in CHAINS]
        ratio = [one / other for one, other in zip(*cpu, strict=True)]
        wall = " / ".join(f"{mean(pick(seeds, 'wall', chain, name))[0]:.0f}" for chain in CHAINS)
        peak = " / ".join(f"{max(pick(seeds, 'peak', chain, name)):.0f}" for chain in CHAINS)
        yield f"{label:42s} {_pm(cpu[0], 2):>17s} {_pm(cpu[1], 2):>17s} {_pm(ratio, 3):>16s} {wall:>13s} {peak:>13s}"
    yield ""
    yield f"{'quality':58s} {'ours':>20s} {'peer':>20s} {'ours - peer':>20s}"
    for name, label, unit in QUALITIES:
        values = [pick(seeds, "quality", chain, name) for chain in CHAINS]
        if values[0] and values[1]:
            gap = [one - other for one, other in zip(*values, strict=True)]
            digits = 5 if name.startswith("psf") else 3 if name.startswith(("m50", "false")) else 2
            cells = " ".join(f"{_pm(each, digits):>20s}" for each in (*values, gap))
            yield f"{label + (', ' + unit if unit else ''):58s} {cells}"


def _pm(values: Sequence[float], digits: int) -> str:
    middle, error = mean(values)
    return f"{middle:.{digits}f} +- {error:.{digits}f}" if np.isfinite(error) else f"{middle:.{digits}f}"
