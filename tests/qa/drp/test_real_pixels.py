"""Five real DECam frames of one field, TPV WCS and no reference catalogue, go through to the measured coadd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from astropy.io import fits
from astropy.wcs import WCS

from qa.drp.algorithms.calibrate import Calibration, calibrate
from qa.drp.algorithms.characterize import Characterization, characterize
from qa.drp.algorithms.coadd import coadd_visits
from qa.drp.algorithms.objects import PatchMeasurement, measure_coadd
from qa.drp.algorithms.observations import DetectorCatalog
from qa.drp.algorithms.skygrid import TangentGrid, sky_to_plane
from qa.drp.algorithms.solution import Solution, TanSip, solutions_from_table
from qa.drp.algorithms.warp import VisitInput
from qa.drp.image import Box
from qa.drp.real import read_reduced

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from astropy.table import Table

pytestmark = pytest.mark.pipeline

DETECTOR, SIZE, SCALE = 37, 256, 0.2637
FRAMES = 5


@dataclass(frozen=True)
class Night:
    """The frames, what was found on them and how they were tied together."""

    paths: Sequence[Path]
    frames: Sequence[Characterization]
    found: Calibration

    def solution(self, visit: int) -> Solution:
        """Return the calibration of a frame."""
        return solutions_from_table(self.found.solutions)[visit, DETECTOR]

    def measure(self, visits: Sequence[int]) -> PatchMeasurement:
        """Coadd frames where the first one lies, and measure."""
        ra, dec = self.solution(0).wcs.pixel_to_sky((SIZE - 1) / 2, (SIZE - 1) / 2)
        grid, box = TangentGrid(float(ra), float(dec), SCALE, SIZE), Box(0, 0, SIZE, SIZE)
        inputs = [VisitInput.of(self.frames[visit].image, self.solution(visit)) for visit in visits]
        return measure_coadd(coadd_visits(inputs, grid, box), grid, patch=0, outer=box, inner=box)


@pytest.fixture(scope="module")
def night(shared_data: Path) -> Night:
    """Characterize the frames and calibrate them relative to each other."""
    paths = sorted((shared_data / "decam_i").glob("*.fits"))
    frames = [characterize(read_reduced(path)) for path in paths]
    catalogs = [DetectorCatalog(visit, DETECTOR, frame.sources) for visit, frame in enumerate(frames)]
    return Night(paths, frames, calibrate(catalogs, None, band="i"))


def offsets(one: Table, other: Table) -> tuple[np.ndarray, np.ndarray]:
    """Find for each row the nearest of the other table: its distance in arcsec, and its index."""
    origin = {"ra0": float(other["ra"][0]), "dec0": float(other["dec"][0])}
    a, b = (np.column_stack(sky_to_plane(table["ra"], table["dec"], **origin)) * 3600 for table in (one, other))
    distance = np.hypot(*(a[:, None] - b).transpose(2, 0, 1))
    return distance.min(axis=1), distance.argmin(axis=1)


def test_the_wcs_of_the_header_is_followed(night: Night) -> None:
    """The TAN-SIP that stands for the TPV solution agrees with it to a milliarcsec all over the frame."""
    with fits.open(night.paths[0]) as hdus:
        wcs = WCS(hdus[0].header)
    x, y = np.meshgrid(np.linspace(0, SIZE - 1, 9), np.linspace(0, SIZE - 1, 9))
    ra, dec = wcs.all_pix2world(x, y, 0)
    found_ra, found_dec = TanSip.from_header(read_reduced(night.paths[0]).header).pixel_to_sky(x, y)
    assert np.abs(found_ra - ra).max() * np.cos(np.radians(dec.mean())) * 3.6e6 < 1
    assert np.abs(found_dec - dec).max() * 3.6e6 < 1


def test_seeing_and_noise_are_those_of_the_header(night: Night) -> None:
    """The header's FWHM is of another estimator; the frames come in its order, and no noise is invented."""
    summary = night.found.visit_summary
    told = [fits.getheader(path)["FWHM"] for path in night.paths]
    measured = np.asarray(summary["fwhm"]) / SCALE
    assert np.allclose(measured, told, rtol=0.12)
    assert np.argmin(measured) == np.argmin(told)
    assert np.argmax(measured) == np.argmax(told)
    assert np.all(np.abs(summary["sky_noise_ratio"] - 1) < 0.15)


def test_all_frames_are_tied_together_and_said_to_be_relative(night: Night) -> None:
    """The frames cover the same half dozen stars, and nothing pretends to be on a reference catalogue."""
    assert night.found.failures == ()
    summary = night.found.visit_summary
    assert len(summary) == FRAMES
    assert summary["relative"].all()
    assert np.all(summary["n_matched"] >= 3)
    assert not summary["n_reference"].any()


def test_stars_are_where_they_are_in_the_other_frames(night: Night) -> None:
    """Bright stars repeat to 20 mas and 50 mmag; with as few stars the fit has not eaten the scatter."""
    matched = night.found.matched
    bright = matched[~matched["flag"] & (matched["snr"] > 100) & (matched["extendedness"] < 0.5)]
    repeated = [group for group in bright.group_by("object").groups if len(group) == FRAMES]
    assert len(repeated) >= 3
    spread = np.array([
        (np.std(g["ra"]) * np.cos(np.radians(g["dec"][0])) * 3.6e6, np.std(g["dec"]) * 3.6e6, 1000 * np.std(g["mag"]))
        for g in repeated
    ])  # fmt: skip
    assert np.all(spread < (20, 20, 50))
    assert np.all(spread[:, :2].max(axis=0) > 1)


def test_the_coadd_is_deeper_than_any_frame(night: Night) -> None:
    """Five frames go deeper than the best of them, by less than five of it would."""
    coadd = float(night.measure(range(FRAMES)).depth["depth5"][0])
    frames = [float(night.measure([visit]).depth["depth5"][0]) for visit in range(FRAMES)]
    assert max(frames) + 0.15 < coadd < max(frames) + 1.25 * np.log10(FRAMES)


def test_objects_of_the_frames_are_on_the_coadd(night: Night) -> None:
    """What is clear on the best frame is on the coadd, in its place and as bright."""
    sharpest = int(np.argmin(night.found.visit_summary["fwhm"]))
    coadd, frame = night.measure(range(FRAMES)).objects, night.measure([sharpest]).objects
    clear = frame[(frame["snr"] > 10) & ~frame["flag"]]
    distance, nearest = offsets(clear, coadd)
    assert len(clear) >= 8
    assert np.mean(distance < 0.3) > 0.9
    near = (distance < 0.3) & ~np.asarray(coadd["flag"])[nearest]
    difference = np.asarray(clear["mag"] - coadd["mag"][nearest])[near]
    assert abs(np.median(difference)) < 0.05
    assert len(coadd) > len(frame) * 0.9
