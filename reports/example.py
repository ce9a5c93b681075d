"""One example night with every kind of verdict, pictures included: to try the templates, to show what a report is."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from qa.model import Scope, Stage, StepStatus
from reports.night import CameraNight, Night, Picture, RunStatus
from reports.testing import NOW, a_camera_night, a_comparison, a_history, a_night, a_picture, a_step, scopes

if TYPE_CHECKING:
    from pathlib import Path

    from qa.model import Comparison


_CHANGES: dict[tuple[str, str, str], dict[str, float | None]] = {
    ("decam", "PA1", "r"): {"factor": 1.5, "before": 0.91},
    ("decam", "PA2", "r"): {"factor": 1.34, "before": 0.98},
    ("decam", "coadd_depth", "r"): {"factor": 0.994, "before": 1.0},
    ("hsc", "psf_ellipticity", "i"): {"factor": 1.09, "before": 1.0},
    ("hsc", "AM1", "r"): {"factor": 0.88, "before": 1.0},
    ("megaprime", "AM2", "r"): {"factor": 1.64, "before": 1.64},
    ("lsstcam", "photometric_bias", "i"): {"factor": 1.6, "before": 1.0},
    ("lsstcam", "completeness_50_galaxies", "i"): {"factor": None, "before": 1.0},
}
"""What differs from a quiet night in the example."""


def the_example(folder: Path | None = None) -> Night:
    """Build a night with every kind of verdict; pictures are drawn into `folder`, none without it."""
    cameras = _example_cameras()
    measured = (("hsc", ("r", "i")), ("decam", ("r",)), ("megaprime", ("r",)), ("lsstcam", ("i",)))
    comparisons = tuple(
        _example_comparison(name, scope) for camera, bands in measured for name, scope in scopes(camera, bands)
    )
    if folder is not None:
        cameras = tuple(_with_pictures(one, dict(measured).get(one.name, ()), folder) for one in cameras)
    history = {(one.metric, one.scope): a_history(one) for one in comparisons if one.scope.camera != "lsstcam"}
    previous = ("decam", "hsc", "latiss", "megaprime", "vircam")
    return a_night(*cameras, comparisons=comparisons, exit_code=1, history=history, previous_cameras=previous)


def _example_comparison(metric: str, scope: Scope) -> Comparison:
    if metric == "AM3":
        reason = "at least 200 pairs 200 arcmin apart are needed, and the field is 9 arcmin wide"
        return a_comparison(metric, scope, factor=None, reason=reason, accepted=True)
    changed = _CHANGES.get((scope.camera, metric, scope.band or ""))
    if changed is not None:
        return a_comparison(metric, scope, factor=changed["factor"], before=changed["before"])
    size = 1 + 0.3 * math.sin(len(scope.camera) + 1.7 * len(scope.task or "")) if scope.task else 1.0
    wave = math.sin(3 * len(scope.camera) + ord((scope.band or "r")[0]) + len(metric))
    size *= 1.0 if metric == "coadd_depth" else 1 + 0.05 * wave
    return a_comparison(metric, scope, factor=size * 1.004, before=size if scope.camera != "lsstcam" else None)


def _example_cameras() -> tuple[CameraNight, ...]:
    warned = a_step("megaprime", status=StepStatus.CAVEATS)
    flat = "Detector 3 has no flat valid on 2026-02-27: left out."
    lapsing = {"lease": "lapsing", "lease_until": date(2026, 3, 20)}
    decam = a_camera_night("decam", title="DECam", package="obs_decam", team="DECam users' group", **lapsing)
    megaprime = a_camera_night("megaprime", title="MegaPrime", package="obs_cfht", team="CFHT software")
    lsstcam = a_camera_night("lsstcam", title="LSSTCam", package="obs_lsst", team="Camera CI")
    hsc = a_camera_night("hsc", title="HSC", package="obs_subaru", team="Subaru pipeline team")
    megaprime = replace(megaprime, steps=(*megaprime.steps[:2], warned, *megaprime.steps[3:]), caveats=(flat,))
    return (hsc, decam, megaprime, lsstcam, _latiss(), *_without_sponsor())


def _latiss() -> CameraNight:
    return a_camera_night(
        "latiss",
        title="LATISS",
        package="obs_lsst",
        team="Camera CI",
        status=RunStatus.FAILED,
        reason="raw exposure 2026022700143 is truncated: 8388608 bytes are needed, and there are 5242880",
        steps=(a_step("latiss", Stage.INGEST, status=StepStatus.FAILED, cpu=0.6),),
        last_coadd=NOW - timedelta(days=9),
    )


def _without_sponsor() -> tuple[CameraNight, ...]:
    nobody = {"team": None, "contact": None, "status": RunStatus.NOT_RUN, "steps": ()}
    vircam = a_camera_night("vircam", title="VIRCAM", package="obs_vista", lease="orphaned", **nobody)
    sdss = a_camera_night("sdss", title="SDSS", package="obs_sdss", lease="retired", **nobody)
    return (
        replace(vircam, lease_until=date(2026, 1, 31), reason="no data set of the nightly lane"),
        replace(sdss, lease_until=None, reason="retired on 1 Jun 2025", last_coadd=NOW - timedelta(days=280)),
    )


def _with_pictures(camera: CameraNight, bands: tuple[str, ...], folder: Path) -> CameraNight:
    pictures = tuple(Picture(band, folder / f"{camera.name}-{band}.npz") for band in bands)
    for index, picture in enumerate(pictures):
        a_picture(picture.path, np.random.default_rng(len(camera.name) + 100 * index))
    return replace(camera, pictures=pictures)
