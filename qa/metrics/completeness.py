"""What the coadd's detection finds of what was drawn, and what it finds that was not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from qa.metrics.base import CannotMeasureError, Direction, Estimate, Metric, MetricDefinition, column, require
from qa.metrics.statistics import fraction_error, mean_error
from qa.metrics.truth import TOLERANCE_ARCSEC, counterparts, object_positions, primary, truth_positions, well_covered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.metrics.base import Tables

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

BIN = 0.5
FEWEST_IN_BIN = 5
WINDOW = 1.5
DETECTION_SNR = 5.0
STEPS = 50
CONVERGED = 1e-10
# Keeps the slope finite where a sample happens to be split cleanly: a weak normal prior of this width, per mag.
STEEPEST = 20.0


def half_complete(magnitudes: Floats, found: Flags) -> Estimate:
    """Return the magnitude at which half of the sources are found.

    Bins of 0.5 mag locate where the fraction found falls below a half; a logistic curve, fitted by maximum likelihood
    to the sources within 1.5 mag of there, gives the magnitude. Sources further off have no say: what is lost at the
    bright end for other reasons must not tilt the curve. The standard error is analytic, from the Fisher information.

    Raises
    ------
    CannotMeasureError
        If the fraction found never falls from above to below a half.
    """
    crossing = _crossing(magnitudes, found)
    near = np.abs(magnitudes - crossing) <= WINDOW
    offset, slope, covariance = _logistic(magnitudes[near] - crossing, found[near])
    if slope >= 0:
        msg = f"the fraction found does not fall with magnitude around {crossing:.2f} mag, among {near.sum()} sources"
        raise CannotMeasureError(msg)
    gradient = np.array([-1 / slope, offset / slope**2])
    return Estimate(crossing - offset / slope, int(near.sum()), float(np.sqrt(gradient @ covariance @ gradient)))


def _crossing(magnitudes: Floats, found: Flags) -> float:
    number = np.floor(magnitudes / BIN).astype(np.int64)
    bins, place = np.unique(number, return_inverse=True)
    counts = np.bincount(place)
    fractions = np.bincount(place, found) / counts
    enough = counts >= FEWEST_IN_BIN
    bins, fractions, counts = bins[enough], fractions[enough], counts[enough]
    require(len(bins), 2, f"magnitude bins of {FEWEST_IN_BIN} sources or more")
    falls = np.flatnonzero((fractions[:-1] >= 0.5) & (fractions[1:] < 0.5))  # noqa: PLR2004 - a half
    if not len(falls):
        end = 0 if fractions[0] < 0.5 else -1  # noqa: PLR2004 - a half
        side = "brightest" if end == 0 else "faintest"
        msg = (
            f"the fraction found does not cross a half; in the {side} bin, at {BIN * (bins[end] + 0.5):.2f} mag, "
            f"{100 * fractions[end]:.0f} % of {counts[end]} sources are found"
        )
        raise CannotMeasureError(msg)
    # The faintest fall: a bright bin may dip by chance.
    return float(BIN * (bins[falls[-1] + 1]))


def _logistic(x: Floats, found: Flags) -> tuple[float, float, Floats]:
    design = np.stack([np.ones_like(x), x], axis=1)
    prior = np.diag([0.0, STEEPEST**-2])
    beta = np.array([0.0, -1.0])
    information = np.eye(2)
    for _ in range(STEPS):
        probability = 1 / (1 + np.exp(-np.clip(design @ beta, -50, 50)))
        weight = probability * (1 - probability)
        information = design.T @ (design * weight[:, np.newaxis]) + prior + 1e-9 * np.eye(2)
        step = np.linalg.solve(information, design.T @ (found - probability) - prior @ beta)
        # Newton's steps overshoot where the curve is flat; 3 per mag at a time is fast enough and safe.
        step *= min(1.0, 3.0 / max(float(np.abs(step).max()), 1e-300))
        beta = beta + step
        if np.abs(step).max() < CONVERGED:
            break
    return float(beta[0]), float(beta[1]), np.linalg.inv(information).astype(np.float64)


def completeness(tables: Tables, *, star: bool) -> Estimate:
    """Magnitude at which half of the isolated stars, or galaxies, that were drawn are found on the coadd (AB).

    Found means: a primary object within 1 arcsec. Sources count where the coadd holds at least half as many visits
    as at its deepest. For the standard error see `half_complete`.
    """
    wanted = well_covered(tables) & column(tables.truth_coverage, "isolated").astype(bool)
    wanted &= column(tables.truth_coverage, "star").astype(bool) == star
    magnitudes = column(tables.truth_coverage, "mag").astype(np.float64)
    wanted &= np.isfinite(magnitudes)
    require(int(wanted.sum()), 2 * FEWEST_IN_BIN, f"isolated {'stars' if star else 'galaxies'} on the coadd")
    objects = object_positions(tables)[primary(tables)]
    found = counterparts(truth_positions(tables)[wanted], objects) >= 0
    return half_complete(magnitudes[wanted], found)


def false_detection_rate(tables: Tables) -> Estimate:
    """Percentage of primary, unflagged objects with S/N of 5 or more that have nothing drawn within 1 arcsec.

    The standard error is analytic: objects are independent.
    """
    chosen = primary(tables) & ~column(tables.objects, "flag").astype(bool)
    chosen &= column(tables.objects, "snr") >= DETECTION_SNR
    count = int(chosen.sum())
    require(count, 1, f"primary, unflagged objects with S/N of {DETECTION_SNR:g} or more")
    false = counterparts(object_positions(tables)[chosen], truth_positions(tables)) < 0
    return Estimate(100 * float(np.mean(false)), count, 100 * fraction_error(false, mean_error))


_define = partial(
    MetricDefinition,
    family="completeness",
    citation="obsqa; against the truth of the simulated exposures",
    bands=None,
    reads=("objects", "truth_coverage"),
)


def _completeness_metric(kind: str, *, star: bool) -> Metric:
    definition = _define(
        name=f"completeness_50_{kind}",
        title=f"50 % completeness of {kind}",
        definition=f"AB magnitude at which half of the isolated {kind} drawn have a primary object of the coadd within "
        f"{TOLERANCE_ARCSEC:g} arcsec, where the coadd holds at least half the visits of its deepest place.",
        unit="mag",
        direction=Direction.HIGHER,
    )
    return Metric(definition, partial(completeness, star=star))


METRICS = (
    _completeness_metric("stars", star=True),
    _completeness_metric("galaxies", star=False),
    Metric(
        _define(
            name="false_detection_rate",
            title="False detections",
            definition=f"Percentage of the coadd's primary, unflagged objects with S/N of {DETECTION_SNR:g} or more "
            f"that have no drawn source within {TOLERANCE_ARCSEC:g} arcsec.",
            unit="%",
            direction=Direction.LOWER,
        ),
        false_detection_rate,
    ),
)
