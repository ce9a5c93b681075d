"""What is timed: the algorithms of the pipeline on a detector of the camera's small twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qa.drp.algorithms.characterize import characterize
from qa.drp.algorithms.coadd import coadd_visits
from qa.drp.algorithms.isr import remove_signature
from qa.drp.algorithms.skygrid import TangentGrid
from qa.drp.algorithms.solution import Solution, TanSip, ZeroPoint, psf_of
from qa.drp.algorithms.warp import VisitInput
from qa.drp.image import Box

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ci.suite.frames import Calibrated
    from qa.twins.manifest import TwinRaw

_ZERO_POINT = 31.0
_VISITS = 3


def workload(task: str, calibrated: Calibrated) -> Callable[[], object]:
    """Return the algorithm of a task with its input bound; each call does the same work again."""
    raws = calibrated.twin.manifest.raws
    raw = raws[0]
    number = raw.detectors[0]
    match task:
        case "isr":
            known, pixels = calibrated.known(raw, number), calibrated.twin.read(raw, number)
            seconds = calibrated.seconds(raw)
            return lambda: remove_signature(pixels, known, dark_time=seconds)
        case "characterize":
            done = calibrated.signature_removed(raw, number)
            return lambda: characterize(done)
        case _:
            visits = [one for one in raws if number in one.detectors]
            return _coaddition(calibrated, visits[:_VISITS], number)


def _coaddition(calibrated: Calibrated, raws: Sequence[TwinRaw], number: int) -> Callable[[], object]:
    """Return the coaddition of a detector of some visits, placed by their headers on the twin's own tract."""
    tract = calibrated.twin.manifest.tract
    inputs = [_placed(calibrated, raw, number) for raw in raws]
    header = inputs[0].pixels.header
    grid = TangentGrid(
        ra=float(header["CRVAL1"]), dec=float(header["CRVAL2"]), pixel_scale=tract.pixel_scale, npix=tract.npix
    )
    whole = Box(0, 0, tract.npix, tract.npix)
    return lambda: coadd_visits(inputs, grid, whole)


def _placed(calibrated: Calibrated, raw: TwinRaw, number: int) -> VisitInput:
    found = characterize(calibrated.signature_removed(raw, number))
    ny, nx = found.image.image.shape
    solution = Solution(
        raw.exposure,
        number,
        nx,
        ny,
        TanSip.from_header(found.image.header),
        ZeroPoint(nx, ny, np.array([_ZERO_POINT, 0, 0, 0, 0, 0])),
        psf_of(found.sources.meta),
    )
    return VisitInput.of(found.image, solution)
