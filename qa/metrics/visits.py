"""Visits one by one: depth (LPM-17, Tables 5 to 7), delivered ellipticity (Table 13), sky noise and PSF model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import CannotMeasureError, Direction, Estimate, Metric, MetricDefinition, column, radians, require
from qa.metrics.shapes import summary_median
from qa.metrics.sphere import separation, to_angles, unit_vectors
from qa.metrics.statistics import fraction_error, mean_error, quantile_error, weighted_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DF1_DESIGN = 10.0
Z1_DESIGN = 24.4
DF2_DESIGN = 15.0
Z2_DESIGN = 0.2
EF1_DESIGN = 5.0
SE2_DESIGN = 0.07
# Detectors up to this much further from the middle of the field than the nearest are as central as it.
AS_CENTRAL = 1.05


def _measured(tables: Tables, name: str) -> tuple[Floats, Ints]:
    values = column(tables.visit_summary, name).astype(np.float64)
    good = np.isfinite(values)
    require(int(good.sum()), 1, f"detectors with a measured {name}")
    visits = np.unique(column(tables.visit_summary, "visit")[good], return_inverse=True)[1].reshape(-1)
    return values[good], visits.astype(np.int64)


def visit_depths(tables: Tables) -> Floats:
    """Return the 5-sigma depth of each visit: the median over its detectors, AB mag."""
    depth, visit = _measured(tables, "depth5")
    return np.array([np.median(depth[visit == number]) for number in range(int(visit.max()) + 1)])


def median_depth(tables: Tables) -> Estimate:
    """Median over visits of their 5-sigma point-source depth, AB mag.

    The standard error is analytic: visits are independent.
    """
    depths = visit_depths(tables)
    return Estimate(float(np.median(depths)), len(depths), quantile_error(depths, 0.5, mean_error))


def df1(tables: Tables) -> Estimate:
    """Percentage of visits that are less deep than Z1 (design: 24.4 mag). For its error see `median_depth`."""
    shallow = visit_depths(tables) < Z1_DESIGN
    return Estimate(100 * float(np.mean(shallow)), len(shallow), 100 * fraction_error(shallow, mean_error))


def z1(tables: Tables) -> Estimate:
    """Depth that DF1 (design: 10 %) of the visits fail to reach, AB mag. For its error see `median_depth`."""
    depths, fraction = visit_depths(tables), DF1_DESIGN / 100
    return Estimate(float(np.quantile(depths, fraction)), len(depths), quantile_error(depths, fraction, mean_error))


def depth_losses(tables: Tables) -> tuple[Floats, Floats, Ints]:
    """Return how much less deep detectors are than the middle of their visit's field (mag), their pixels, their visit.

    The middle is what was observed of it: the detectors nearest to the mean position of all, as the stars of `matched`
    tell it. All are (n,).

    Raises
    ------
    CannotMeasureError
        If no visit has stars on two detectors or more.
    """
    summary, matched = tables.visit_summary, tables.matched
    depth, pixels = (column(summary, name).astype(np.float64) for name in ("depth5", "n_pixels"))
    places = _positions(tables)
    keys = list(zip(column(summary, "visit").tolist(), column(summary, "detector").tolist(), strict=True))
    known = np.array([key in places for key in keys], dtype=bool) & np.isfinite(depth)
    visits = np.array([visit for visit, _ in keys])
    losses = np.full(len(keys), np.nan)
    for visit in np.unique(visits[known]):
        here = np.flatnonzero(known & (visits == visit))
        if len(here) > 1:
            distance = _from_middle(np.stack([places[keys[place]] for place in here]))
            central = distance <= AS_CENTRAL * distance.min()
            losses[here] = depth[here][central].mean() - depth[here]
    good = np.isfinite(losses)
    if not good.any():
        stars = 0 if matched is None else len(column(matched, "visit"))
        msg = (
            f"a visit with a depth and stars on two detectors is needed, and of {len(keys)} with {stars} stars none is"
        )
        raise CannotMeasureError(msg)
    return losses[good], pixels[good], np.unique(visits[good], return_inverse=True)[1].reshape(-1).astype(np.int64)


def _positions(tables: Tables) -> dict[tuple[int, int], Floats]:
    """Mean unit vectors of the stars of each (visit, detector)."""
    visit, detector = (column(tables.matched, name).astype(np.int64) for name in ("visit", "detector"))
    vectors = unit_vectors(radians(tables.matched, "ra"), radians(tables.matched, "dec"))
    good = np.isfinite(vectors).all(axis=1)
    first, place = np.unique(_pack(visit[good], detector[good]), return_index=True, return_inverse=True)[1:]
    place = place.reshape(-1)
    sums = [np.bincount(place, part, minlength=len(first)) for part in vectors[good].T]
    means = np.stack(sums, axis=-1) / np.bincount(place, minlength=len(first))[:, np.newaxis]
    keys = zip(visit[good][first].tolist(), detector[good][first].tolist(), strict=True)
    return dict(zip(keys, means, strict=True))


def _pack(visit: Ints, detector: Ints) -> Ints:
    return visit * (int(detector.max(initial=0)) + 1) + detector


def _from_middle(vectors: Floats) -> Floats:
    ra, dec = to_angles(vectors)
    middle_ra, middle_dec = to_angles(vectors.mean(axis=0))
    return separation(ra, dec, np.full_like(ra, middle_ra), np.full_like(dec, middle_dec))


def z2(tables: Tables) -> Estimate:
    """Loss of depth from the middle of the field exceeded over DF2 (design: 15 %) of its area, in mag.

    The standard error is analytic, with visits as the independent clusters.
    """
    losses, pixels, visit = depth_losses(tables)
    fraction = 1 - DF2_DESIGN / 100
    stderr = quantile_error(losses, fraction, partial(mean_error, cluster=visit))
    return Estimate(weighted_quantile(losses, pixels, fraction), len(losses), stderr)


def df2(tables: Tables) -> Estimate:
    """Percentage of the field where the depth is more than Z2 (design: 0.2 mag) brighter than in its middle.

    The standard error is analytic, with visits as the independent clusters.
    """
    losses, pixels, visit = depth_losses(tables)
    outside = losses > Z2_DESIGN
    stderr = fraction_error(outside, partial(mean_error, cluster=visit))
    return Estimate(100 * float(np.average(outside, weights=pixels)), len(losses), 100 * stderr)


def ef1(tables: Tables) -> Estimate:
    """Percentage of images (visit and detector) with a PSF ellipticity above SE2 (design: 0.07).

    The standard error is analytic, with visits as the independent clusters.
    """
    values, visit = _measured(tables, "e")
    outside = values > SE2_DESIGN
    stderr = fraction_error(outside, partial(mean_error, cluster=visit))
    return Estimate(100 * float(np.mean(outside)), len(outside), 100 * stderr)


def se2(tables: Tables) -> Estimate:
    """PSF ellipticity exceeded by EF1 (design: 5 %) of the images. For its error see `ef1`."""
    values, visit = _measured(tables, "e")
    fraction = 1 - EF1_DESIGN / 100
    stderr = quantile_error(values, fraction, partial(mean_error, cluster=visit))
    return Estimate(float(np.quantile(values, fraction)), len(values), stderr)


_depth = partial(
    MetricDefinition,
    family="depth",
    citation="LPM-17, Table 5 (depth of fiducial visits)",
    unit="mag",
    direction=Direction.HIGHER,
    bands=("r",),
    reads=("visit_summary",),
)
_VISIT = "the depth of a visit being the median over its detectors of the AB magnitude of a point source of S/N of 5"
_FIELD = (
    "the middle being the detectors nearest to the mean position of all that were observed; all visits count together"
)
_ellipticity = partial(
    MetricDefinition,
    family="shapes",
    citation="LPM-17, Table 13 (ellipticity of the delivered image)",
    unit="",
    direction=Direction.LOWER,
    bands=("r", "i"),
    reads=("visit_summary",),
)
METRICS = (
    Metric(
        _depth(name="D1", title="Depth of a visit in r", definition=f"Median over visits of their depth, {_VISIT}."),
        median_depth,
    ),
    Metric(
        _depth(
            name="DF1",
            title="Depth of a visit in r, fraction of shallow visits",
            definition=f"Percentage of visits less deep than 24.4 mag, {_VISIT}.",
            unit="%",
            direction=Direction.LOWER,
        ),
        df1,
    ),
    Metric(
        _depth(
            name="Z1",
            title="Depth of a visit in r, outlier limit",
            definition=f"Depth that 10 % of the visits fail to reach, {_VISIT}.",
        ),
        z1,
    ),
    Metric(
        _depth(
            name="DB1",
            title="Depth of a visit",
            definition=f"Median over visits of their depth, {_VISIT}.",
            citation="LPM-17, Table 6 (depth of visits by band)",
            bands=None,
        ),
        median_depth,
    ),
    Metric(
        _depth(
            name="DF2",
            title="Depth across the field, fraction of shallow area",
            definition=f"Percentage of the area of the detectors whose depth is more than 0.2 mag brighter than in the "
            f"middle of their visit's field, {_FIELD}.",
            citation="LPM-17, Table 7 (depth across the field of view)",
            unit="%",
            direction=Direction.LOWER,
            bands=None,
            reads=("visit_summary", "matched"),
        ),
        df2,
    ),
    Metric(
        _depth(
            name="Z2",
            title="Depth across the field, outlier limit",
            definition=f"Loss of depth from the middle of the field exceeded over 15 % of the area, {_FIELD}.",
            citation="LPM-17, Table 7 (depth across the field of view)",
            direction=Direction.LOWER,
            bands=None,
            reads=("visit_summary", "matched"),
        ),
        z2,
    ),
    Metric(
        _ellipticity(
            name="SE1",
            title="Ellipticity of the delivered PSF",
            definition="Median over images, a detector in a visit each, of the modulus of the PSF's ellipticity.",
        ),
        partial(summary_median, name="e"),
    ),
    Metric(
        _ellipticity(
            name="SE2",
            title="Ellipticity of the delivered PSF, outlier limit",
            definition="Modulus of the PSF's ellipticity exceeded by 5 % of the images.",
        ),
        se2,
    ),
    Metric(
        _ellipticity(
            name="EF1",
            title="Ellipticity of the delivered PSF, outlier fraction",
            definition="Percentage of the images whose PSF has an ellipticity with a modulus above 0.07.",
            unit="%",
        ),
        ef1,
    ),
)
