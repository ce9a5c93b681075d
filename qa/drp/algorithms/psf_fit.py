"""The pixels of the PSF model: from stars whose sizes and shapes are known to the profile and its residuals.

The profile takes up what changes most, size and shape, whatever the sub-pixel position. What the stars show beyond it
is moved onto common pixels, fitted with polynomials and kept as far as it stands out of the noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.background import UNUSABLE
from qa.drp.algorithms.jit import compiled
from qa.drp.algorithms.psf import PsfModel, polynomials
from qa.drp.algorithms.psf_photometry import fit_flux
from qa.drp.algorithms.psf_profile import STEPS_PER_SIGMA, add_shifted, profile_table
from qa.drp.image import Mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.image import MaskedImage, MaskPixels, Pixels

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    Segments = NDArray[np.int32]

PIXEL_REACH, LARGEST_HALF = 2.0, 24
"""Residual pixels reach so many FWHM from the middle, and at most so many px."""

MARGIN = 2
"""Pixels beyond, under the kernel that moves a star onto common pixels."""

MOST_STARS = 150
"""More stars than these, the brightest, cost time and add nothing."""

ENOUGH_STARS = 40
"""Stars that tell the exponent of the profile."""

INVERSE_BETAS = np.linspace(0.08, 0.52, 12)
"""Values of 1 / beta tried; at the first the profile is all but a Gaussian."""

PRIOR, PRIOR_SCATTER = 1 / 3.5, 0.05
"""What is expected of 1 / beta where the stars are few."""

ROUNDS = 2
"""Times residuals of the model are added to it: what the first moving of the stars blurred comes back in the second."""

FEWEST_STARS, STARS_PER_PLANE = 5, 8
"""Stars asked for by residual pixels at all, and per term where they vary."""

MODEL_ERROR = 0.01
"""Part of the PSF's peak by which stars differ from each other as it varies, beyond their noise."""

STAR_ERROR = 0.005
"""Part of a pixel's light by which even the brightest stars differ from the model, for errors of size and place."""

CLIP = 5.0

SIGNIFICANCE = 6.0
"""Sigma by which the chi2 of a term of the residual pixels must exceed the number of pixels."""


@dataclass(frozen=True, slots=True)
class StarStamps:
    """Stars cut out around their nearest pixels: light and variance (n, side, side); infinite where not to be used.

    `x`, `y` are centres on the detector, `dx`, `dy` those from the middle pixel.
    """

    x: Floats
    y: Floats
    dx: Floats
    dy: Floats
    light: Floats
    variance: Floats

    @property
    def half(self) -> int:
        """Half side in px."""
        return int(self.light.shape[1]) // 2


def cut_stars(image: MaskedImage, x: Floats, y: Floats, *, half: int, segments: Segments, own: Segments) -> StarStamps:
    """Cut out stars without the pixels that are unusable, saturated or of other sources."""
    light = np.zeros((len(x), 2 * half + 1, 2 * half + 1))
    variance = np.full_like(light, np.inf)
    column, row = np.floor(x + 0.5).astype(np.int64), np.floor(y + 0.5).astype(np.int64)
    _cut(image.image, image.variance, image.mask, segments, own, column, row, light, variance)
    return StarStamps(x, y, x - column, y - row, light, variance)


def fit_pixels(model: PsfModel, stamps: StarStamps) -> PsfModel:
    """Fit the profile and the residual pixels of a model that knows size and shape."""
    shapes = model.shapes(stamps.x, stamps.y)
    model = replace(model, beta=_fit_beta(stamps, shapes))
    if len(stamps.x) < FEWEST_STARS:
        return model
    order = 2 if len(stamps.x) >= 6 * STARS_PER_PLANE else 1 if len(stamps.x) >= 3 * STARS_PER_PLANE else 0
    basis = polynomials(stamps.x, stamps.y, shape=(model.ny, model.nx), order=order)
    side = 2 * (stamps.half - MARGIN) + 1
    planes, profile = np.zeros((basis.shape[1], side, side)), _profile(model, side)
    for _ in range(ROUNDS):
        residual, weight = _residuals(replace(model, planes=planes), stamps, side)
        weight /= 1 + weight * (STAR_ERROR * profile) ** 2
        target = residual + np.tensordot(basis, planes, 1)
        planes = _shrunk_fit(basis, target, _without_outliers(target, weight, peak=profile.max()))
        if not planes.any():
            return model
        # Fluxes are the profile's: what the terms add up to is taken off in its shape.
        planes -= planes.sum(axis=(1, 2))[:, None, None] * profile / profile.sum()
    return replace(model, planes=planes)


def _fit_beta(stamps: StarStamps, shapes: Floats) -> float:
    """Moffat exponent of the least chi2, among all stars, each with its own flux."""
    tables = np.array([profile_table(1 / value) for value in INVERSE_BETAS])
    chi2 = np.zeros(len(INVERSE_BETAS))
    step = -(-len(stamps.x) // ENOUGH_STARS)
    few = stamps.light[::step], stamps.variance[::step], stamps.dx[::step], stamps.dy[::step]
    _try_profiles(*few, shapes[::step], tables, chi2)
    chi2 += ((INVERSE_BETAS - PRIOR) / PRIOR_SCATTER) ** 2
    best = int(np.clip(np.argmin(chi2), 1, len(chi2) - 2))
    left, middle, right = chi2[best - 1 : best + 2]
    bend = left - 2 * middle + right
    shift = np.clip((left - right) / (2 * bend), -1, 1) if bend > 0 else 0.0
    step = INVERSE_BETAS[1] - INVERSE_BETAS[0]
    return float(1 / (INVERSE_BETAS[best] + shift * step))


def _residuals(model: PsfModel, stamps: StarStamps, side: int) -> tuple[Floats, Floats]:
    """Return what stars of unit flux show beyond the model, on common pixels, and the weights of those."""
    drawn = model.draw(stamps.x, stamps.y, half=stamps.half)
    residual, weight = np.zeros((2, len(stamps.x), side, side))
    _recentre(stamps.light, stamps.variance, stamps.dx, stamps.dy, drawn, residual, weight)
    return residual, weight


def _without_outliers(target: Floats, weight: Floats, *, peak: float) -> Floats:
    """Set to 0 the weights of pixels that disagree with those of the other stars; `peak` is the PSF's."""
    middle = np.median(target, axis=0)
    allowed = CLIP**2 * (1 / np.maximum(weight, 1e-30) + (MODEL_ERROR * peak) ** 2)
    return np.where((target - middle) ** 2 > allowed, 0.0, weight)


def _shrunk_fit(basis: Floats, target: Floats, weight: Floats) -> Floats:
    """Polynomials through each pixel, each term weakened by its noise.

    The terms are first made orthogonal on the stars. The factor is that of Wiener, 1 - noise^2 / value^2, the value's
    square being the mean over 3 x 3 pixels.
    """
    share = np.median(weight, axis=(1, 2))
    root = np.sqrt(share / max(share.max(), 1e-30) + 1e-6)
    turn = np.linalg.inv(np.linalg.qr(basis * root[:, None])[1])
    terms = basis @ turn
    count, pixels = len(terms[0]), weight[0].size
    products = (terms[:, :, None] * terms[:, None, :]).reshape(len(terms), -1)
    normal = (weight.reshape(-1, pixels).T @ products).reshape(pixels, count, count)
    ridge = 1e-6 * np.trace(normal, axis1=1, axis2=2)[:, None, None] + 1e-20
    inverse = np.linalg.inv(normal + ridge * np.eye(count))
    right = (weight * target).reshape(-1, pixels).T @ terms
    value = (inverse @ right[:, :, None])[:, :, 0].T.reshape(count, *weight.shape[1:])
    noise = np.diagonal(inverse, axis1=1, axis2=2).T.reshape(value.shape)
    power = _smooth(value**2)
    factor = np.clip(1 - _smooth(noise) / np.maximum(power, 1e-30), 0, 1)
    # A term of which nothing but noise is to be seen would cost time wherever the model is drawn.
    seen = np.sum(value**2 / noise, axis=(1, 2)) > pixels + SIGNIFICANCE * np.sqrt(2.0 * pixels)
    return np.tensordot(turn, value * factor * seen[:, None, None], 1)


def _smooth(planes: Floats) -> Floats:
    padded = np.pad(planes, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return np.asarray((rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / 9)


def _profile(model: PsfModel, side: int) -> Floats:
    """PSF at the centre of the detector, centred on a pixel."""
    middle = np.array([float(model.nx // 2)]), np.array([float(model.ny // 2)])
    drawn: Floats = model.draw(*middle, half=side // 2)[0]
    return drawn


def pixel_half(fwhm: float) -> int:
    """Half side in px of the stars to cut out for `fit_pixels`."""
    return min(LARGEST_HALF, int(np.ceil(PIXEL_REACH * fwhm))) + MARGIN


SPOILT = int(UNUSABLE | Mask.SATURATED)


@compiled
def _cut(  # noqa: PLR0913, PLR0917 - numba knows no keyword-only arguments
    image: Pixels,
    variance: Pixels,
    mask: MaskPixels,
    segments: Segments,
    own: Segments,
    column: Ints,
    row: Ints,
    out: Floats,
    noise: Floats,
) -> None:
    ny, nx = image.shape
    side = out.shape[1]
    for k in range(len(column)):
        left, bottom = column[k] - side // 2, row[k] - side // 2
        for j in range(max(0, -bottom), min(side, ny - bottom)):
            for i in range(max(0, -left), min(side, nx - left)):
                jj, ii = bottom + j, left + i
                other = segments[jj, ii] != 0 and segments[jj, ii] != own[k]
                if not other and (mask[jj, ii] & SPOILT) == 0:
                    out[k, j, i], noise[k, j, i] = image[jj, ii], variance[jj, ii]


@compiled
def _try_profiles(
    light: Floats, variance: Floats, dx: Floats, dy: Floats, shapes: Floats, tables: Floats, chi2: Floats
) -> None:
    side, last = light.shape[1], tables.shape[1] - 2
    radius = np.empty((side, side))
    for k in range(len(light)):
        xx, yy, xy = shapes[k]
        det = xx * yy - xy * xy
        for j in range(side):
            for i in range(side):
                u, v = i - side // 2 - dx[k], j - side // 2 - dy[k]
                radius[j, i] = STEPS_PER_SIGMA * np.sqrt((yy * u * u - 2 * xy * u * v + xx * v * v) / det)
        for m in range(len(tables)):
            ll = lm = mm = 0.0
            for j in range(side):
                for i in range(side):
                    q = radius[j, i]
                    n = int(q)
                    if n < last and variance[k, j, i] < np.inf:
                        value = tables[m, n] + (q - n) * (tables[m, n + 1] - tables[m, n])
                        ll += light[k, j, i] ** 2 / variance[k, j, i]
                        lm += light[k, j, i] * value / variance[k, j, i]
                        mm += value * value / variance[k, j, i]
            if mm > 0:
                chi2[m] += ll - lm * lm / mm


@compiled
def _recentre(
    light: Floats, variance: Floats, dx: Floats, dy: Floats, drawn: Floats, residual: Floats, weight: Floats
) -> None:
    side, inner = light.shape[1], residual.shape[1]
    margin = (side - inner) // 2
    result, left = np.zeros(3), np.zeros((side, side))
    a, b, c = np.empty(side * side), np.empty(side * side), np.empty(side * side)
    for k in range(len(light)):
        n = 0
        for j in range(side):
            for i in range(side):
                if variance[k, j, i] < np.inf:
                    a[n], b[n], c[n] = light[k, j, i], drawn[k, j, i], variance[k, j, i]
                    n += 1
        result[:] = 0
        fit_flux(a[:n], b[:n], c[:n], result)
        flux = result[0]
        if flux <= 0:
            continue
        for j in range(side):
            for i in range(side):
                left[j, i] = light[k, j, i] / flux - drawn[k, j, i] if variance[k, j, i] < np.inf else 0.0
        add_shifted(residual[k], left, margin + dx[k], margin + dy[k])
        for j in range(inner):
            for i in range(inner):
                x, y = int(np.floor(i + margin + dx[k])), int(np.floor(j + margin + dy[k]))
                worst = max(variance[k, y, x], variance[k, y, x + 1], variance[k, y + 1, x], variance[k, y + 1, x + 1])
                weight[k, j, i] = flux * flux / worst
