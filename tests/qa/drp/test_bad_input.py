"""What must never become a wrong number quietly: each bad input is rejected with its reason, or does no harm."""

# ruff: noqa: E402 - what needs the optional extra is imported behind its guard
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")
base = pytest.importorskip("lsst.pipe.base")

from astropy.table import Table

from qa.drp.algorithms.calibrate import Calibration, calibrate
from qa.drp.algorithms.characterize import Characterization, characterize
from qa.drp.algorithms.coadd import coadd_visits
from qa.drp.algorithms.errors import CalibrationError, UnusableImageError
from qa.drp.algorithms.objects import measure_coadd
from qa.drp.algorithms.observations import DetectorCatalog
from qa.drp.algorithms.skygrid import TangentGrid, plane_to_sky, sky_to_plane
from qa.drp.algorithms.solution import solutions_from_table
from qa.drp.algorithms.warp import VisitInput
from qa.drp.image import Box, Mask, MaskedImage
from qa.drp.tasks.base import CAVEATS
from qa.drp.tasks.calibrate import CalibrateConfig, CalibrateTask

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.pipeline

RA, DEC, SCALE, SIZE = 150.0, 2.0, 0.2, 360
EDGE = 20
SKY, NOISE, SIGMA, ZERO_POINT = 300.0, 4.0, 1.8, 31.0
VISITS = {1: (0.0, 0.0), 2: (3.0, -2.0), 3: (-2.5, 3.0), 4: (1.0, 2.0)}
"""Where they point, in arcsec from the middle."""

BAD = 4
"""The visit that is spoiled."""


@pytest.fixture(scope="module")
def truth() -> Table:
    """Make stars with colours as real ones have: r - i between 0 and 1.6, g - r redder with it."""
    rng, places = np.random.default_rng(11), [np.zeros(2)]
    for place in rng.uniform(-38, 38, (400, 2)):  # apart from each other: crowding is not what is tested
        if np.hypot(*(np.array(places) - place).T).min() > 4.5:
            places.append(place)
    xi, eta = np.array(places).T
    ra, dec = plane_to_sky(xi / 3600, eta / 3600, ra0=RA, dec0=DEC)
    r, colour = rng.uniform(18.0, 21.5, len(ra)), 1.6 * rng.beta(1.2, 2.0, len(ra))
    return Table(
        {"ra": ra, "dec": dec, "mag_r": r, "mag_i": r - colour, "mag_g": r + 0.4 + np.minimum(2 * colour, 1.0)}
    )


@pytest.fixture(scope="module")
def reference(truth: Table) -> Table:
    """Measure them to 10 mas and 10 mmag."""
    rng = np.random.default_rng(12)
    table = Table({name: truth[name] + rng.normal(0, 0.01, len(truth)) for name in ("mag_g", "mag_r", "mag_i")})
    table["ra"], table["dec"] = (truth[name] + rng.normal(0, 0.01, len(truth)) / 3600 for name in ("ra", "dec"))
    table["id"] = np.arange(len(truth))
    table["ra_err"] = table["dec_err"] = 10.0
    table["mag_err_g"] = table["mag_err_r"] = table["mag_err_i"] = 0.01
    return table


def header(dither: tuple[float, float]) -> dict[str, Any]:
    """Describe an exposure."""
    ra, dec = plane_to_sky(dither[0] / 3600, dither[1] / 3600, ra0=RA, dec0=DEC)
    step, middle = SCALE / 3600, (SIZE + 1) / 2
    cards = {"EXPTIME": 30.0, "CRVAL1": float(ra), "CRVAL2": float(dec), "CRPIX1": middle, "CRPIX2": middle}
    return cards | {"CD1_1": -step, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": step}


def draw(stars: Table, visit: int, *, band: str = "r", dimmed: float = 0.0) -> MaskedImage:
    """Expose."""
    rng, cards = np.random.default_rng(visit), header(VISITS[visit])
    # The telescope points a second of arc away from where it says.
    xi, eta = sky_to_plane(stars["ra"], stars["dec"], ra0=cards["CRVAL1"], dec0=cards["CRVAL2"])
    x, y = (SIZE - 1) / 2 - xi * 3600 / SCALE + 5.0, (SIZE - 1) / 2 + eta * 3600 / SCALE - 4.0
    electrons = np.full((SIZE + 2 * EDGE, SIZE + 2 * EDGE), SKY)
    v, u = np.mgrid[-14:15, -14:15]
    for xs, ys, flux in zip(x, y, 10 ** (0.4 * (ZERO_POINT - dimmed - stars[f"mag_{band}"])), strict=True):
        i, j = round(xs) + EDGE, round(ys) + EDGE
        if 14 <= min(i, j) <= max(i, j) < len(electrons) - 14:
            square = (u + i - EDGE - xs) ** 2 + (v + j - EDGE - ys) ** 2
            profile = np.exp(-square / (2 * SIGMA**2)) / (2 * np.pi * SIGMA**2)
            electrons[j - 14 : j + 15, i - 14 : i + 15] += flux * profile
    electrons = electrons[EDGE:-EDGE, EDGE:-EDGE]
    pixels = (rng.poisson(electrons) + rng.normal(0, NOISE, electrons.shape)).astype(np.float32)
    variance = np.maximum(pixels, 0) + np.float32(NOISE**2)
    return MaskedImage(pixels, variance, np.zeros(pixels.shape, dtype=np.int16), cards)


@pytest.fixture(scope="module")
def good(truth: Table) -> dict[int, Characterization]:
    """Characterize the visits nothing is wrong with."""
    return {visit: characterize(draw(truth, visit)) for visit in VISITS}


def catalogs(done: Mapping[int, Characterization]) -> list[DetectorCatalog]:
    """Take their catalogues."""
    return [DetectorCatalog(visit, 0, one.sources) for visit, one in done.items()]


def with_bad(good: Mapping[int, Characterization], spoiled: MaskedImage) -> dict[int, Characterization]:
    """Put a spoiled exposure in the place of the last."""
    return {**good, BAD: characterize(spoiled)}


def others(good: Mapping[int, Characterization]) -> dict[int, Characterization]:
    """Leave the last out."""
    return {visit: one for visit, one in good.items() if visit != BAD}


def assert_rejected(found: Calibration, good: Mapping[int, Characterization], reference: Table, *, why: str) -> None:
    """Demand that the bad visit, and no other, is rejected, and that the rest is as if it had never been taken."""
    assert [(one.visit, one.detector) for one in found.failures] == [(BAD, 0)]
    assert why in found.failures[0].reason
    without = calibrate(catalogs(others(good)), reference, band="r")
    for name in ("solutions", "matched", "visit_summary"):
        one, other = getattr(found, name), getattr(without, name)
        assert len(one) == len(other)
        assert all(np.array_equal(one[c], other[c], equal_nan=one[c].dtype.kind == "f") for c in one.colnames)


def offsets(table: Table, truth: Table) -> np.ndarray:
    """Offsets from the truth of each row: mas, mas, mmag; those without a star within 0.5 arcsec left out."""
    xi, eta = sky_to_plane(table["ra"], table["dec"], ra0=RA, dec0=DEC)
    x, y = sky_to_plane(truth["ra"], truth["dec"], ra0=RA, dec0=DEC)
    distance = np.hypot(xi[:, None] - x, eta[:, None] - y) * 3600
    near = np.argmin(distance, axis=1)
    found = np.column_stack(
        [(xi - x[near]) * 3.6e6, (eta - y[near]) * 3.6e6, 1000 * (table["mag"] - truth["mag_r"][near])]
    )
    return np.asarray(found[distance.min(axis=1) < 0.5])


def assert_right(found: Calibration, truth: Table) -> None:
    """Demand that all visits are calibrated, each to 5 mas and 10 mmag of the truth, without wild values."""
    assert found.failures == ()
    for visit in VISITS:
        mine = found.matched[(found.matched["visit"] == visit) & ~found.matched["flag"] & (found.matched["snr"] > 100)]
        difference = offsets(mine, truth)
        assert len(difference) > 15
        assert np.all(np.abs(np.median(difference, axis=0)) < (5, 5, 10))
        assert np.percentile(np.abs(difference), 95, axis=0)[2] < 60


def test_good_visits_are_calibrated(good: dict[int, Characterization], reference: Table, truth: Table) -> None:
    """With nothing wrong nothing is rejected: what the other tests compare with."""
    assert_right(calibrate(catalogs(good), reference, band="r"), truth)


def test_no_stars(good: dict[int, Characterization], reference: Table, truth: Table) -> None:
    """A visit without stars is rejected."""
    done = with_bad(good, draw(truth[:0], BAD))
    found = calibrate(catalogs(done), reference, band="r")
    assert_rejected(found, good, reference, why="stars matched the reference or another visit, 3 are needed")


def test_satellite_trail(good: dict[int, Characterization], reference: Table, truth: Table) -> None:
    """A trail across a visit disturbs neither its calibration nor the coadd, and no object is found along it."""
    spoiled = draw(truth, BAD)
    v, u = np.mgrid[:SIZE, :SIZE]
    away = (v - 0.6 * u - 60) / np.hypot(1, 0.6)
    spoiled.image += (3000 * np.exp(-(away**2) / (2 * SIGMA**2))).astype(np.float32)
    spoiled.variance[:] = np.maximum(spoiled.image, 0) + np.float32(NOISE**2)
    done = with_bad(good, spoiled)
    found = calibrate(catalogs(done), reference, band="r")
    assert_right(found, truth)
    on_coadd, expected = coadded(found, done), coadded(calibrate(catalogs(good), reference, band="r"), good)
    assert len(on_coadd) == pytest.approx(len(expected), abs=1)
    clean = on_coadd[~on_coadd["flag"] & (on_coadd["snr"] > 100)]
    difference = offsets(clean, truth)
    assert len(difference) == len(clean)
    assert np.abs(difference[:, 2]).max() < 60


def coadded(found: Calibration, done: Mapping[int, Characterization]) -> Table:
    """Coadd and measure."""
    solutions = solutions_from_table(found.solutions)
    grid, box = TangentGrid(RA, DEC, SCALE, SIZE), Box(0, 0, SIZE, SIZE)
    inputs = [VisitInput.of(done[visit].image, one) for (visit, _), one in solutions.items()]
    return measure_coadd(coadd_visits(inputs, grid, box), grid, patch=0, outer=box, inner=box).objects


def test_half_masked(good: dict[int, Characterization], reference: Table, truth: Table) -> None:
    """A visit of which half the pixels are masked is calibrated by the other half."""
    spoiled = draw(truth, BAD)
    spoiled.mask[:, : SIZE // 2] = Mask.BAD
    spoiled.image[:, : SIZE // 2] = np.nan
    assert_right(calibrate(catalogs(with_bad(good, spoiled)), reference, band="r"), truth)


def test_wrong_pointing(good: dict[int, Characterization], reference: Table, truth: Table) -> None:
    """A visit whose header points a degree away is rejected."""
    spoiled = draw(truth, BAD)
    spoiled.header["CRVAL2"] = float(spoiled.header["CRVAL2"]) + 1.0
    found = calibrate(catalogs(with_bad(good, spoiled)), reference, band="r")
    assert_rejected(found, good, reference, why="match neither the reference nor another visit within 45 arcsec")


@pytest.mark.parametrize("angle", [0, 60, 120, 180, 240, 300])
def test_pointing_error_of_thirty_arcsec(
    good: dict[int, Characterization], reference: Table, truth: Table, angle: int
) -> None:
    """Thirty arcsec off, in any direction, is no obstacle."""
    spoiled = draw(truth, BAD)
    for card, shift in (("CRVAL1", np.cos(np.radians(angle))), ("CRVAL2", np.sin(np.radians(angle)))):
        spoiled.header[card] = float(spoiled.header[card]) + 30 / 3600 * float(shift)
    assert_right(calibrate(catalogs(with_bad(good, spoiled)), reference, band="r"), truth)


@pytest.mark.parametrize(
    ("turn", "why"),
    [
        (lambda plane: plane[::-1, ::-1], "rotated by 180 degrees"),
        (lambda plane: plane[::-1], "mirrored in y"),
        (lambda plane: plane.T, "mirrored in a diagonal"),
    ],
)
def test_rotated_detector(
    good: dict[int, Characterization], reference: Table, truth: Table, turn: Any, why: str
) -> None:
    """A detector read the wrong way round is rejected, and its reason says which way."""
    plain = draw(truth, BAD)
    image, variance, mask = (np.ascontiguousarray(turn(plane)) for plane in (plain.image, plain.variance, plain.mask))
    turned = MaskedImage(image, variance, mask, plain.header)
    found = calibrate(catalogs(with_bad(good, turned)), reference, band="r")
    assert_rejected(found, good, reference, why=f"match only with the detector {why}")


def test_swapped_filters(good: dict[int, Characterization], reference: Table, truth: Table) -> None:
    """A visit said to be in r but taken in i follows the reference's i, by which it is found and rejected."""
    found = calibrate(catalogs(with_bad(good, draw(truth, BAD, band="i"))), reference, band="r")
    assert_rejected(found, good, reference, why="follow band i of the reference")


def test_swapped_filters_without_other_bands(good: dict[int, Characterization], reference: Table, truth: Table) -> None:
    """A reference with one band cannot name the filter; the scatter about the other visits gives the visit away."""
    alone = reference.copy()
    alone.remove_columns(["mag_g", "mag_i"])
    found = calibrate(catalogs(with_bad(good, draw(truth, BAD, band="i"))), alone, band="r")
    assert_rejected(found, good, alone, why="its magnitudes scatter by")


def test_a_single_visit_in_the_wrong_filter(reference: Table, truth: Table) -> None:
    """The bands of the reference tell it also without other visits."""
    only = DetectorCatalog(1, 0, characterize(draw(truth, 1, band="i")).sources)
    with pytest.raises(CalibrationError, match="wrong filter"):
        calibrate([only], reference, band="r")


def test_broken_photometry(good: dict[int, Characterization], reference: Table, truth: Table) -> None:
    """A visit three magnitudes less sensitive than the others is rejected."""
    found = calibrate(catalogs(with_bad(good, draw(truth, BAD, dimmed=3.0))), reference, band="r")
    assert_rejected(found, good, reference, why="mag below the other visits'")


def test_saturated_centre(good: dict[int, Characterization], reference: Table, truth: Table) -> None:
    """A star that saturates the middle of the detector, with its bleeding, leaves the rest right."""
    spoiled = draw(truth, BAD)
    v, u = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    full = (np.hypot(u, v) < 40) | (np.abs(u) < 3)
    spoiled.image += (4e5 * (1 + (u**2 + v**2) / 12**2) ** -3.0).astype(np.float32)
    spoiled.image[full] = 60000.0
    spoiled.mask[full] |= np.int16(Mask.SATURATED)
    spoiled.variance[:] = np.maximum(spoiled.image, 0) + np.float32(NOISE**2)
    assert_right(calibrate(catalogs(with_bad(good, spoiled)), reference, band="r"), truth)


@pytest.mark.parametrize("level", [0.0, 1000.0, np.nan])
def test_constant_image(truth: Table, level: float) -> None:
    """A constant image has nothing to work with, which is said before anything is measured."""
    spoiled = draw(truth, BAD)
    spoiled.image[:] = level
    with pytest.raises(UnusableImageError):
        characterize(spoiled)


def test_reference_of_another_field(good: dict[int, Characterization], reference: Table) -> None:
    """A reference with the right place but other stars calibrates nothing, and no number comes of it."""
    rng, elsewhere = np.random.default_rng(3), reference.copy()
    for name in ("ra", "dec"):
        elsewhere[name] = rng.permutation(np.asarray(reference[name]))
    with pytest.raises(CalibrationError, match="must have stars that match the reference, found none on 4 detectors"):
        calibrate(catalogs(good), elsewhere, band="r")


def test_reference_with_a_fifth_scrambled(good: dict[int, Characterization], reference: Table, truth: Table) -> None:
    """Wrong positions and magnitudes of every fifth reference star move nothing."""
    rng, bad = np.random.default_rng(5), reference.copy()
    wrong = rng.choice(len(bad), len(bad) // 5, replace=False)
    bad["ra"][wrong] += rng.uniform(-0.4, 0.4, len(wrong)) / 3600
    bad["dec"][wrong] += rng.uniform(-0.4, 0.4, len(wrong)) / 3600
    bad["mag_r"][wrong] += rng.normal(0, 1, len(wrong))
    assert_right(calibrate(catalogs(good), bad, band="r"), truth)


def test_visit_without_a_reference_star_is_tied_through_the_others(
    good: dict[int, Characterization], reference: Table, truth: Table
) -> None:
    """Where the reference has a hole, the overlap with the calibrated visits is enough."""
    far = np.hypot(*sky_to_plane(reference["ra"], reference["dec"], ra0=RA, dec0=DEC)) * 3600 > 20
    whole = catalogs(good)
    last = whole[-1].sources
    near = np.hypot(last["x"] - SIZE / 2, last["y"] - SIZE / 2) * SCALE < 16
    found = calibrate([*whole[:-1], replace(whole[-1], sources=last[near])], reference[far], band="r")
    assert found.failures == ()
    assert found.visit_summary["n_reference"][-1] == 0 < found.visit_summary["n_matched"][-1]
    mine = found.matched[(found.matched["visit"] == BAD) & (found.matched["snr"] > 100) & ~found.matched["flag"]]
    assert np.all(np.abs(np.median(offsets(mine, truth), axis=0)) < (10, 10, 10))


def test_the_task_names_what_it_rejects(good: dict[int, Characterization], reference: Table, truth: Table) -> None:
    """Through the middleware the reasons are caveats of the quantum, from which the night's report takes them."""
    spoiled = draw(truth, BAD)
    spoiled.header["CRVAL1"] = float(spoiled.header["CRVAL1"]) + 1.0
    task = CalibrateTask(config=CalibrateConfig())
    found = task.run(catalogs(with_bad(good, spoiled)), [reference], band="r")
    assert set(found.visit_summary["visit"]) == set(VISITS) - {BAD}
    (line,) = task.metadata.getArray(CAVEATS)
    assert line.startswith("visit 4 detector 0 not calibrated: its ")


def test_the_task_fails_where_nothing_is_left(good: dict[int, Characterization], reference: Table) -> None:
    """A reference of another field is a failure of the tract, in one line."""
    elsewhere = reference.copy()
    elsewhere["dec"] += 0.5
    with pytest.raises(base.RepeatableQuantumError, match="must have stars that match the reference, found none"):
        CalibrateTask(config=CalibrateConfig()).run(catalogs(good), [elsewhere], band="r")
