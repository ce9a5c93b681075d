"""What a data release shows of its coadds: maps of depth and image quality, and how well the sky was subtracted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import Direction, Estimate, Metric, MetricDefinition, column, require
from qa.metrics.statistics import mean_error, quantile_error
from qa.metrics.truth import EXTENDED, primary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]

FEWEST_TILES = 4
FEWEST_STARS = 10
PSF_SNR = 50.0
PERCENT = 100.0


def _tiles(tables: Tables, name: str) -> Floats:
    """Return a column of the tiles that hold at least half as many visits as the deepest."""
    visits = column(tables.coadd_map, "n_visits").astype(np.float64)
    values = column(tables.coadd_map, name).astype(np.float64)
    full = 2 * visits >= np.max(visits, initial=0)
    chosen = values[full & (visits > 0) & np.isfinite(values)]
    require(len(chosen), FEWEST_TILES, f"tiles of the coadd with a measured {name}")
    return chosen


def tile_quantile(tables: Tables, *, name: str, fraction: float) -> Estimate:
    """Quantile over the well-covered tiles of the coadd of a column of its map.

    The standard error is analytic, as if tiles were independent: neighbours, which share visits, are not, so it is a
    lower limit.
    """
    values = _tiles(tables, name)
    return Estimate(float(np.quantile(values, fraction)), len(values), quantile_error(values, fraction, mean_error))


def tile_spread(tables: Tables, *, name: str) -> Estimate:
    """Difference between the 95th and the 5th percentile of a column over the well-covered tiles of the coadd.

    For the standard error see `tile_quantile`; those of both ends are added in square.
    """
    values = _tiles(tables, name)
    low, high = np.quantile(values, (0.05, 0.95))
    one, other = (quantile_error(values, fraction, mean_error) for fraction in (0.05, 0.95))
    return Estimate(float(high - low), len(values), float(np.hypot(one, other)))


def tile_ellipticity(tables: Tables) -> Estimate:
    """Median over the well-covered tiles of the modulus of the coadd PSF's ellipticity. See `tile_quantile`."""
    e = np.hypot(_tiles(tables, "psf_e1"), _tiles(tables, "psf_e2"))
    return Estimate(float(np.median(e)), len(e), quantile_error(e, 0.5, mean_error))


def patch_mean(tables: Tables, *, name: str, scale: float = 1.0, zero: float = 0.0, lack: str = "") -> Estimate:
    """Mean over patches, weighted by covered area, of a column of the depth table less `zero`, times `scale`.

    `lack` tells why a patch may have no value. The standard error is analytic, from the scatter among patches; none
    for a single patch.
    """
    values, area = (column(tables.depth, part).astype(np.float64) for part in (name, "area_arcmin2"))
    good = np.isfinite(values) & (area > 0)
    require(int(good.sum()), 1, f"patches with a measured {name}{lack}")
    values, area = scale * (values[good] - zero), area[good]
    mean, count = float(np.average(values, weights=area)), len(values)
    scatter = float(np.sum((area * (values - mean)) ** 2)) / float(area.sum()) ** 2
    return Estimate(mean, count, float(np.sqrt(scatter * count / (count - 1))) if count > 1 else None)


def psf_chi2(tables: Tables) -> Estimate:
    """Median chi-square per degree of freedom of the fit of the coadd's PSF to point-like objects of S/N of 50 or more.

    The standard error is analytic: objects are independent.
    """
    chi2 = column(tables.objects, "psf_chi2").astype(np.float64)
    usable = primary(tables) & ~column(tables.objects, "flag").astype(bool) & np.isfinite(chi2)
    usable &= (column(tables.objects, "snr") >= PSF_SNR) & (column(tables.objects, "extendedness") < EXTENDED)
    require(int(usable.sum()), FEWEST_STARS, f"point-like objects of S/N {PSF_SNR:g} or more with a PSF fit")
    chosen = chi2[usable]
    return Estimate(float(np.median(chosen)), len(chosen), quantile_error(chosen, 0.5, mean_error))


_WELL = "the tiles of the coadd with at least half the visits of the deepest"
_CROWDED = " (none where a field is too crowded to tell noise from faint sources)"
_map = partial(
    MetricDefinition,
    family="coadds",
    citation="obsqa; of the map of the coadd's depth and PSF",
    bands=None,
    reads=("coadd_map",),
)
_sky = partial(
    MetricDefinition,
    family="coadds",
    citation="obsqa",
    unit="nJy/arcsec2",
    direction=Direction.ZERO,
    bands=None,
    reads=("depth",),
)
METRICS = (
    Metric(
        _map(
            name="coadd_depth_p05",
            title="Depth of the coadd, shallow end",
            definition=f"5-sigma point-source depth (AB) that 95 % of {_WELL} reach.",
            unit="mag",
            direction=Direction.HIGHER,
        ),
        partial(tile_quantile, name="depth5", fraction=0.05),
    ),
    Metric(
        _map(
            name="coadd_depth_spread",
            title="Depth of the coadd, spread",
            definition=f"Difference between the 95th and 5th percentile of the 5-sigma depth over {_WELL}.",
            unit="mag",
            direction=Direction.LOWER,
        ),
        partial(tile_spread, name="depth5"),
    ),
    Metric(
        _map(
            name="coadd_fwhm",
            title="Seeing of the coadd",
            definition=f"Median full width at half maximum of the coadd's PSF over {_WELL}.",
            unit="arcsec",
            direction=Direction.LOWER,
        ),
        partial(tile_quantile, name="psf_fwhm", fraction=0.5),
    ),
    Metric(
        _map(
            name="coadd_fwhm_p95",
            title="Seeing of the coadd, bad end",
            definition=f"Full width at half maximum of the coadd's PSF exceeded by 5 % of {_WELL}.",
            unit="arcsec",
            direction=Direction.LOWER,
        ),
        partial(tile_quantile, name="psf_fwhm", fraction=0.95),
    ),
    Metric(
        _map(
            name="coadd_psf_ellipticity",
            title="PSF ellipticity of the coadd",
            definition=f"Median modulus of the ellipticity of the coadd's PSF over {_WELL}.",
            unit="",
            direction=Direction.LOWER,
        ),
        tile_ellipticity,
    ),
    Metric(
        _map(
            name="coadd_psf_chi2",
            title="Fit of the coadd's PSF to stars",
            definition="Median chi-square per degree of freedom of the fit of the coadd's PSF to primary, unflagged, "
            f"point-like objects with S/N of {PSF_SNR:g} or more.",
            citation="obsqa; residuals of the pipeline's own PSF",
            unit="",
            direction=Direction.LOWER,
            reads=("objects",),
        ),
        psf_chi2,
    ),
    Metric(
        _sky(
            name="coadd_psf_size_residual",
            title="PSF of the coadd, residual of size",
            definition="Mean over patches, weighted by covered area, of the median fractional difference, PSF made of "
            "the visits' less star, of the second-moment size T = xx + yy of stars on the coadd.",
            unit="%",
        ),
        partial(patch_mean, name="psf_size_residual", scale=PERCENT),
    ),
    Metric(
        _sky(
            name="coadd_psf_ellipticity_residual",
            title="PSF of the coadd, residual of ellipticity",
            definition="Mean over patches, weighted by covered area, of the root mean square over stars on the coadd "
            "of the modulus of the ellipticity of the PSF made of the visits' less that of the star.",
            unit="",
            direction=Direction.LOWER,
        ),
        partial(patch_mean, name="psf_e_residual"),
    ),
    Metric(
        _sky(
            name="coadd_sky_noise_excess",
            title="Sky noise of the coadd beyond expectation",
            definition="Mean over patches, weighted by covered area, of the excess of the measured noise of empty sky "
            "over what the coadd's variance promises. Patches too crowded to tell noise from faint light do not count.",
            unit="%",
        ),
        partial(patch_mean, name="sky_noise_ratio", scale=PERCENT, zero=1.0, lack=_CROWDED),
    ),
    Metric(
        _sky(
            name="coadd_sky_residual",
            title="Sky left on the coadd",
            definition="Mean over patches, weighted by covered area, of the median of empty pixels of the coadd: "
            "positive where too little sky was subtracted.",
        ),
        partial(patch_mean, name="sky_residual"),
    ),
    Metric(
        _sky(
            name="coadd_sky_residual_bright",
            title="Sky left around bright objects",
            definition="Mean over patches, weighted by covered area, of the median of the pixels around bright "
            "objects: negative where their light was subtracted as sky.",
        ),
        partial(patch_mean, name="sky_residual_bright"),
    ),
)
