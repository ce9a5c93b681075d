"""PSF models of both chains beside the true PSF: size and shape on a grid over every detector of every visit."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits

from benchmarks.peer.data import recipe_of
from qa.drp.algorithms.solution import solutions_from_table
from qa.twins.optics import detector_origin
from qa.twins.scene import conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from benchmarks.peer.night import Night

    Floats = NDArray[np.float64]
    Draw = Callable[[float, float], tuple[Floats, float]]

NODES = 5
HALF = 20
"""Half the side of the stamps on which moments are measured, in pixels."""


def compare(night: Night) -> dict[str, dict[str, float]]:
    """Residuals of both chains' models.

    Returns
    -------
    results
        psf_size: root mean square of (T - T_true) / T_true with T = xx + yy of the adaptive moments; psf_size_bias its
        median; psf_shape: root mean square of |e - e_true|.
    """
    truth = {key: np.array([moments(stamp) for stamp in stamps]) for key, stamps in _true(night)}
    return {
        "ours": _residuals(truth, dict(_sampled(night, _ours(night)))),
        "peer": _residuals(truth, dict(_sampled(night, _peer(night)))),
    }


def _residuals(truth: dict[tuple[int, int], Floats], models: dict[tuple[int, int], Floats]) -> dict[str, float]:
    true, model = (np.concatenate([each[key] for key in sorted(models)]) for each in (truth, models))
    size = model[:, 0] / true[:, 0] - 1
    shape = np.hypot(*(model[:, 1:] - true[:, 1:]).T)
    return {
        "psf_size": float(np.sqrt(np.mean(size**2))),
        "psf_size_bias": float(np.median(size)),
        "psf_shape": float(np.sqrt(np.mean(shape**2))),
    }


def moments(stamp: Floats, scale: float = 1.0) -> tuple[float, float, float]:
    """Return T (px^2), e1 and e2 of a stamp in steps of `scale` px.

    Adaptive moments: Hirata & Seljak (2003), MNRAS 343, 459.
    """
    import galsim

    found = galsim.hsm.FindAdaptiveMom(galsim.Image(np.ascontiguousarray(stamp, dtype=np.float64)))
    shape = found.observed_shape
    # sigma^4 is the determinant, so that T = 2 sigma^2 / sqrt(1 - e^2).
    return 2 * (found.moments_sigma * scale) ** 2 / np.sqrt(1 - shape.e**2), shape.e1, shape.e2


def places(night: Night) -> tuple[Floats, Floats]:
    """Grid of pixels at which models are compared."""
    ramp = (np.arange(NODES) + 0.5) / NODES
    x, y = np.meshgrid(np.floor(ramp * night.side), np.floor(ramp * night.side))
    return x.ravel(), y.ravel()


def _true(night: Night) -> Iterator[tuple[tuple[int, int], list[Floats]]]:
    import galsim

    recipe, (x, y) = recipe_of(night), places(night)
    for visit in recipe.visits:
        for detector in recipe.detectors:
            x0, y0 = detector_origin(recipe, detector)
            at = conditions(recipe, visit, x + x0, y + y0)
            stamps = []
            for fwhm, e1, e2 in zip(at.fwhm, at.e1, at.e2, strict=True):
                profile = galsim.Moffat(beta=recipe.psf.beta, fwhm=fwhm).shear(e1=e1, e2=e2)
                drawn = profile.drawImage(nx=2 * HALF + 1, ny=2 * HALF + 1, scale=1.0, method="no_pixel")
                stamps.append(drawn.array)
            yield (visit.exposure, detector.id), stamps


def _sampled(
    night: Night, models: Iterator[tuple[tuple[int, int], Draw]]
) -> Iterator[tuple[tuple[int, int], Floats]]:  # fmt: skip
    x, y = places(night)
    for key, draw in models:
        yield key, np.array([moments(*draw(*place)) for place in zip(x, y, strict=True)])


def _ours(night: Night) -> Iterator[tuple[tuple[int, int], Draw]]:
    solutions = solutions_from_table(pickle.loads((night.folder / "solutions.pickle").read_bytes()))  # noqa: S301
    for key, one in solutions.items():
        model = one.psf
        if model is not None:
            yield key, lambda x, y, model=model: (model.draw(np.array([x]), np.array([y]), half=HALF)[0], 1.0)


def _peer(night: Night) -> Iterator[tuple[tuple[int, int], Draw]]:
    for visit in night.visits:
        with fits.open(night.folder / f"psf-{visit}.psf", memmap=False) as hdus:
            for detector, hdu in zip(night.detectors, hdus[1:], strict=True):
                yield (visit, detector), _psfex(hdu)


def _psfex(hdu: fits.BinTableHDU) -> Draw:
    """Read a model of PSFEx: planes of a polynomial in scaled pixel coordinates (its manual, appendix)."""
    planes, cards = np.asarray(hdu.data["PSF_MASK"][0], dtype=np.float64), hdu.header
    order, step = int(cards["POLDEG1"]), float(cards["PSF_SAMP"])

    def draw(x: float, y: float) -> tuple[Floats, float]:
        u, v = ((value + 1 - cards[f"POLZERO{n}"]) / cards[f"POLSCAL{n}"] for n, value in ((1, x), (2, y)))
        terms = [u**i * v**j for j in range(order + 1) for i in range(order + 1 - j)]
        return np.tensordot(terms, planes, axes=1), step

    return draw
