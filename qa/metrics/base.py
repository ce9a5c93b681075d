"""What a metric is: its definition, the tables it reads and the function that estimates it.

Families (`qa.metrics.photometry`, ...) hold the estimators; nothing here reads a file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.model import Measurement, Unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from astropy.table import Table
    from numpy.typing import NDArray

    from qa.model import Result, Scope

    Floats = NDArray[np.float64]


class Direction(StrEnum):
    """Which way is better."""

    LOWER = "lower"
    HIGHER = "higher"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """What a metric says, in which unit, which way is better and where that is written.

    `bands` are the bands it applies to (None: all), `reads` the names of the `Tables` it needs;
    `per_task` metrics are measured once for each task of a pipeline, from its metadata. A metric with `partners` is
    measured across bands: it needs these bands besides its own, and reads `Tables.bands`.
    """

    name: str
    family: str
    title: str
    definition: str
    citation: str
    unit: str
    direction: Direction
    bands: tuple[str, ...] | None
    reads: tuple[str, ...]
    per_task: bool = False
    partners: tuple[str, ...] = ()

    @property
    def cross_band(self) -> bool:
        """Tell whether the metric compares bands."""
        return bool(self.partners)

    def applies_to(self, band: str | None) -> bool:
        """Tell whether the metric is defined in a band; a scope without a band takes only those defined in all."""
        return self.bands is None or band in self.bands


@dataclass(frozen=True, slots=True)
class Tables:
    """The catalogues metrics are estimated from, joined over patches; None when a run did not make one.

    `matched`: one row per detection of a group, `object visit detector ra dec mag mag_err snr extendedness
    flag e1 e2 psf_e1 psf_e2 ref_ra ref_dec ref_mag`. `visit_summary`: one row per visit and detector, `fwhm`
    in arcsec, `e` and what else is said of a visit. `objects`: the coadd's, `ra dec mag snr extendedness flag
    primary`. `truth_coverage`: what was drawn, `id ra dec mag star n_visits isolated`. `depth`: one row per patch,
    `area_arcmin2 depth5`. `coadd_map`: one row per tile of the coadd, `ra dec n_visits depth5 psf_fwhm psf_e1 psf_e2`.
    Positions are in degrees unless their column has the unit rad; `pixel_scale` in arcsec. `band` is set by the
    metric's call. `bands` are the tables of all bands of the tract, this one's included, whose `matched` numbers the
    same star alike; only metrics across bands have them.
    """

    matched: Table | None = None
    visit_summary: Table | None = None
    objects: Table | None = None
    truth_coverage: Table | None = None
    depth: Table | None = None
    coadd_map: Table | None = None
    pixel_scale: float | None = None
    band: str | None = None
    bands: Mapping[str, Tables] | None = None

    def of(self, band: str) -> Tables:
        """Return the tables of a band.

        Raises
        ------
        CannotMeasureError
            If there are none.
        """
        if self.bands is None or band not in self.bands:
            known = ", ".join(self.bands) if self.bands else "none"
            msg = f"the band {band} is needed, and there are tables of {known}"
            raise CannotMeasureError(msg)
        return self.bands[band]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with the number of things it rests on and its standard error, in the metric's unit."""

    value: float
    n: int
    stderr: float | None


class CannotMeasureError(Exception):
    """The data cannot give a metric; the message is the reason, one plain sentence with numbers."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A definition with its estimator; calling it is the port `MetricCalculator` of the design.

    `estimate` is None for metrics whose value comes from the pipeline's metadata.
    """

    definition: MetricDefinition
    estimate: Callable[[Tables], Estimate] | None = None

    def __call__(self, tables: Tables, scope: Scope) -> Result:
        """Measure, or say why not."""
        name = self.definition.name
        try:
            estimate = self._estimate(replace(tables, band=scope.band))
        except CannotMeasureError as reason:
            return Unmeasured(name, scope, str(reason))
        if not math.isfinite(estimate.value):
            return Unmeasured(name, scope, f"{name} came out as {estimate.value} from {estimate.n} values")
        return Measurement(
            name, scope, float(estimate.value), self.definition.unit, int(estimate.n), _finite(estimate.stderr)
        )

    def _estimate(self, tables: Tables) -> Estimate:
        name = self.definition.name
        if self.estimate is None:
            msg = f"{name} comes from the metadata of the pipeline's tasks, and there were none"
            raise CannotMeasureError(msg)
        for table in self.definition.reads:
            if getattr(tables, table) is None:
                msg = f"{name} reads the table {table}, and the run made none"
                raise CannotMeasureError(msg)
        return self.estimate(tables)


def _finite(stderr: float | None) -> float | None:
    return None if stderr is None or not math.isfinite(stderr) else float(stderr)


def column(table: Table | None, name: str) -> NDArray[Any]:
    """Return a column as a plain array; a masked value of a float column becomes NaN.

    Raises
    ------
    CannotMeasureError
        If the table is absent or has no such column.
    """
    if table is None or name not in table.colnames:
        msg = f"the column {name} is needed, and the table has {_names(table)}"
        raise CannotMeasureError(msg)
    values = table[name]
    if getattr(values, "mask", None) is not None and np.any(values.mask) and values.dtype.kind == "f":
        return np.asarray(values.filled(np.nan))
    return np.asarray(values)


def _names(table: Table | None) -> str:
    return "no columns" if table is None else "only " + ", ".join(table.colnames)


def radians(table: Table | None, name: str) -> Floats:
    """Return an angle column in radian.

    Degrees are assumed unless the column says rad: angles that come in radian must not be rounded on a way through
    degrees, for an error of 1 ulp of a right ascension is seen in the eighth digit of a 5 mas scatter of separations.
    """
    values = column(table, name).astype(np.float64)
    unit = getattr(table[name], "unit", None) if table is not None else None
    return values if str(unit) == "rad" else np.deg2rad(values)


def require(count: int, needed: int, what: str) -> None:
    """Refuse to go on with fewer than `needed` things.

    Raises
    ------
    CannotMeasureError
        With the reason, e.g. "at least 10 bright stars are needed, and there are 3".
    """
    if count < needed:
        msg = f"at least {needed} {what} are needed, and there are {count}"
        raise CannotMeasureError(msg)
