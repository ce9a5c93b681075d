"""How deep the coadd is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import Direction, Estimate, Metric, MetricDefinition, column, require

if TYPE_CHECKING:
    from qa.metrics.base import Tables


def coadd_depth(tables: Tables) -> Estimate:
    """Mean over patches, weighted by their covered area, of the 5-sigma point-source depth, in AB mag.

    The standard error is analytic, from the scatter among patches; none for a single patch.
    """
    depth = column(tables.depth, "depth5").astype(np.float64)
    area = column(tables.depth, "area_arcmin2").astype(np.float64)
    good = np.isfinite(depth) & (area > 0)
    require(int(good.sum()), 1, "patches with a measured depth")
    depth, area = depth[good], area[good]
    value = float(np.average(depth, weights=area))
    count = len(depth)
    scatter = float(np.sum((area * (depth - value)) ** 2)) / float(area.sum()) ** 2
    stderr = float(np.sqrt(scatter * count / (count - 1))) if count > 1 else None
    return Estimate(value, count, stderr)


METRICS = (
    Metric(
        MetricDefinition(
            name="coadd_depth",
            family="depth",
            title="5-sigma depth of the coadd",
            definition="Mean over patches, weighted by covered area, of the AB magnitude of a point source that would "
            "be measured with S/N of 5 on the coadd.",
            citation="obsqa; for the coadd what D1 of LPM-17, Table 5, is for a visit",
            unit="mag",
            direction=Direction.HIGHER,
            bands=None,
            reads=("depth",),
        ),
        coadd_depth,
    ),
)
