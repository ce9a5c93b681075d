"""Measurements of lsst.verify recomputed from the blobs stored beside them, as validate_drp defined them.

A Job of validate_drp carries what its numbers were made of: scatters of separations, differences of magnitudes, bins
of the correlation function. These functions make the numbers again, to the last bit.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.documents import parse_json
from qa.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LIMIT_SPEC = "srd"
"""Name of the specifications with the limits of the requirements document."""


class BlobError(Exception):
    """A job does not hold what a measurement is made of; the message is the reason, one plain sentence."""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A measurement of a job: its metric, the value and unit it holds (None for NaN), and the value made again.

    Where `value` is None, `reason` says why.
    """

    metric: str
    unit: str
    stored: float | None
    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """The blobs of a job by name, and the limits of its specifications by metric, for one measurement."""

    metric: str
    blobs: Mapping[str, Mapping[str, Any]]
    limits: Mapping[str, float]

    @property
    def package(self) -> str:
        """Package of the metric, with the dot that ends it; metrics of one job share it."""
        return self.metric.rpartition(".")[0] + "."

    def datum(self, name: str, *, metric: str | None = None) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Return a datum of the measurement's blob, or of another metric's.

        Raises
        ------
        BlobError
            If there is none.
        """
        blob = self.metric if metric is None else self.package + metric
        data = self.blobs.get(blob)
        if data is None or name not in data:
            known = "no blob of that name" if data is None else f"only {', '.join(data)}"
            msg = f"{name} of the blob {blob} is needed, and the job has {known}"
            raise BlobError(msg)
        return data[name]["value"]

    def numbers(self, name: str, *, metric: str | None = None) -> Floats:
        """Return a datum that is a list of numbers. For errors see `datum`, which an empty or absent list is too."""
        values = self.datum(name, metric=metric)
        if not isinstance(values, list) or not values:
            msg = f"{name} of the blob {self.metric if metric is None else self.package + metric} is empty"
            raise BlobError(msg)
        return np.array(values, dtype=np.float64)

    def limit(self, metric: str) -> float:
        """Return the limit the requirements document sets for a metric, as the job quotes it.

        Raises
        ------
        BlobError
            If the job does not.
        """
        name = f"{self.package}{metric}.{LIMIT_SPEC}"
        if name not in self.limits:
            msg = f"the specification {name} is needed, and the job has none of that name"
            raise BlobError(msg)
        return self.limits[name]


def percentile(values: Floats, share: float) -> float:
    """Percentile by linear interpolation as the weighted sum of two neighbours: numpy's arithmetic of 2018."""
    ordered = np.sort(values)
    place = share / 100.0 * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    weight = place - below
    return float(ordered[below] * (1 - weight) + ordered[above] * weight)


def repeatability(parts: Parts) -> float:
    """Mean over random draws of the interquartile scatter of differences of pairs, in mmag (PA1 and its kin)."""
    return float(np.mean(parts.numbers("iqr")))


def outlier_limit(parts: Parts) -> float:
    """Deviation exceeded by a fraction PF1 of the differences of the first draw, in mmag (PA2)."""
    first = np.abs(parts.numbers("magDiff", metric="PA1")[0])
    return percentile(first, 100.0 - float(parts.datum("pf1_thresh")))


def outlier_fraction(parts: Parts) -> float:
    """Percentage of the differences of the first draw larger than PA2 (PF1)."""
    first = np.abs(parts.numbers("magDiff", metric="PA1")[0])
    return float(100 * np.mean(first > float(parts.datum("pa2_spec"))))


def separation_scatter(parts: Parts) -> float:
    """Median over pairs of stars of the scatter of their separation, in mas (AM1, AM2, AM3)."""
    return float(np.median(parts.numbers("rmsDistMas")))


def scatter_limit(parts: Parts) -> float:
    """Scatter exceeded by a fraction AF of the pairs, less the median, in mas (AD1, AD2, AD3)."""
    scatter = parts.numbers("rmsDistMas")
    share = parts.limit(_short(parts.metric).replace("AD", "AF"))
    return percentile(scatter, 100.0 - share) - float(np.median(scatter))


def scatter_fraction(parts: Parts) -> float:
    """Percentage of the pairs whose scatter is more than AD above the median (AF1, AF2, AF3)."""
    scatter = parts.numbers("rmsDistMas")
    limit = parts.limit(_short(parts.metric).replace("AF", "AD"))
    return float(100 * np.mean(scatter > np.median(scatter) + limit))


def ellipticity_correlation(parts: Parts) -> float:
    """Absolute value of the mean of xi_+ over the bins on one side of a separation (TE1, TE2)."""
    radius, xi = parts.numbers("radius"), parts.numbers("xip")
    distance, operator = float(parts.datum("D")), parts.datum("bin_range_operator")
    if operator not in {"<=", ">="}:
        msg = f"bin_range_operator of {parts.metric} must be <= or >=, got {operator!r}"
        raise BlobError(msg)
    here = radius <= distance if operator == "<=" else radius >= distance
    if not here.any():
        msg = f"xip of the blob {parts.metric} has no bin {operator} {distance:g}"
        raise BlobError(msg)
    return float(np.abs(np.average(xi[here])))


_FORMULAS: tuple[tuple[str, Callable[[Parts], float]], ...] = (
    (r"PA1|(psf|model)PhotRep(Star|Gal)\d", repeatability),
    (r"PA2_\w+", outlier_limit),
    (r"PF1_\w+", outlier_fraction),
    (r"AM\d", separation_scatter),
    (r"AD\d_\w+", scatter_limit),
    (r"AF\d_\w+", scatter_fraction),
    (r"TE\d", ellipticity_correlation),
)


def _short(metric: str) -> str:
    return metric.rpartition(".")[2]


def read_job(path: Path) -> dict[str, Any]:
    """Read a Job document of lsst.verify, bare NaN tokens included.

    Raises
    ------
    DocumentError
        If the file is absent or no JSON object with measurements.
    """
    required = "a Job of lsst.verify (JSON)"
    try:
        document = parse_json(path.read_bytes())
    except FileNotFoundError:
        raise DocumentError(path, required=required, found="no such file") from None
    except ValueError as error:
        raise DocumentError(path, required=required, found=f"a file that cannot be read ({error})") from None
    if not isinstance(document, dict) or not isinstance(document.get("measurements"), list):
        raise DocumentError(path, required=required, found="no list of measurements")
    return document


def recompute(job: Mapping[str, Any]) -> tuple[Recomputed, ...]:
    """Make every measurement of a job again from its blobs; one that cannot be made has a reason.

    `job` is a Job document of lsst.verify as JSON holds it, bare NaN included.
    """
    blobs = {blob["name"]: blob.get("data", {}) for blob in job.get("blobs") or () if "name" in blob}
    limits = {
        spec["name"]: float(spec["threshold"]["value"])
        for spec in job.get("specs") or ()
        if "name" in spec and "threshold" in spec
    }
    return tuple(_recompute(record, Parts(record["metric"], blobs, limits)) for record in job.get("measurements", ()))


def _recompute(record: Mapping[str, Any], parts: Parts) -> Recomputed:
    held = record.get("value")
    stored = None if held is None or not math.isfinite(held) else float(held)
    unit = record.get("unit") or ""
    name = _short(parts.metric)
    formula = next((formula for pattern, formula in _FORMULAS if re.fullmatch(pattern, name)), None)
    if formula is None:
        return Recomputed(parts.metric, unit, stored, None, f"no formula is known for {name}")
    try:
        value = formula(parts)
        if not math.isfinite(value):
            return Recomputed(parts.metric, unit, stored, None, f"its blob gives {value}")
        return Recomputed(parts.metric, unit, stored, value)
    except BlobError as reason:
        return Recomputed(parts.metric, unit, stored, None, str(reason))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return Recomputed(parts.metric, unit, stored, None, f"its blob is not what validate_drp writes ({error})")
