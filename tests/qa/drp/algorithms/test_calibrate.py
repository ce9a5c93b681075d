from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("sep")
pytest.importorskip("numba")

from qa.drp.algorithms.calibrate import calibrate
from qa.drp.algorithms.errors import CalibrationError
from qa.drp.algorithms.observations import DetectorCatalog, arrange, stars_of
from qa.drp.algorithms.solution import TanSip, solutions_from_table
from qa.drp.algorithms.terms import ASTROMETRY

if TYPE_CHECKING:
    from typing import Any

    from astropy.table import Table

    Survey = Any

pytestmark = pytest.mark.pipeline

MATCHED = [
    "object", "visit", "detector", "x", "y", "ra", "dec", "mag", "mag_err", "snr", "extendedness", "flag",
    "e1", "e2", "psf_e1", "psf_e2", "ref_ra", "ref_dec", "ref_mag",
]  # fmt: skip


def offsets_from_truth(matched: Table, truth: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offsets of the good bright stars: mas, mas, mmag."""
    good = matched[~matched["flag"] & (matched["snr"] > 100)]
    scale = np.cos(np.radians(2.0)) * 3.6e6
    east = (np.asarray(good["ra"])[:, None] - np.asarray(truth["ra"])) * scale
    north = (np.asarray(good["dec"])[:, None] - np.asarray(truth["dec"])) * 3.6e6
    nearest = np.argmin(np.hypot(east, north), axis=1)
    rows = np.arange(len(good))
    return east[rows, nearest], north[rows, nearest], 1000 * (good["mag"] - truth["mag_r"][nearest])


def test_calibration_is_unbiased_and_repeatable(survey: Survey) -> None:
    """Through distortion and pointing errors of arcsecs stars come out within 5 mas and 5 mmag of the truth."""
    result = calibrate(survey.catalogs, survey.reference, band="r")
    assert result.failures == ()
    assert result.matched.colnames == MATCHED
    east, north, magnitude = offsets_from_truth(result.matched, survey.truth)
    assert len(east) > 100
    assert abs(np.median(east)) < 5
    assert abs(np.median(north)) < 5
    assert abs(np.median(magnitude)) < 5
    assert np.median(np.abs(magnitude - np.median(magnitude))) < 8
    bright = result.matched[~result.matched["flag"] & (result.matched["snr"] > 200)]
    spread = [np.std(group["mag"]) for group in bright.group_by("object").groups if len(group) == 3]
    assert np.median(spread) < 0.006


def test_order_of_the_catalogues_does_not_matter(survey: Survey) -> None:
    """Any order of the input gives bit-identical tables."""
    one = calibrate(survey.catalogs, survey.reference, band="r")
    two = calibrate(survey.catalogs[::-1], survey.reference, band="r")
    for name in ("solutions", "matched", "visit_summary"):
        first, second = getattr(one, name), getattr(two, name)
        assert first.colnames == second.colnames
        assert all(np.array_equal(first[c], second[c], equal_nan=first[c].dtype.kind == "f") for c in first.colnames)


def test_one_object_one_number(survey: Survey) -> None:
    """An object has at most one detection in each visit, and a reference position only where there is a match."""
    matched = calibrate(survey.catalogs, survey.reference, band="r").matched
    pairs = set(zip(matched["object"].tolist(), matched["visit"].tolist(), strict=True))
    assert len(pairs) == len(matched)
    known = np.isfinite(matched["ref_mag"])
    assert 0 < known.sum() < len(known)
    assert np.array_equal(known, np.isfinite(matched["ref_ra"]))


def test_summary_describes_each_exposure(survey: Survey) -> None:
    """Seeing, sky and zero point of each exposure are those that were put in; what no raw tells is not known."""
    summary = calibrate(survey.catalogs, survey.reference, band="r").visit_summary
    assert len(summary) == 6
    assert summary["sky"] == pytest.approx(np.full(6, 400.0), abs=3)
    assert np.allclose(summary["zero_point"], np.repeat([31.0, 30.9, 31.05], 2), atol=0.03)
    assert np.allclose(summary["fwhm"], 4.53 * 0.2, rtol=0.02)
    unknown = ["cosmic_ray_fraction", "overscan_noise_ratio", "amplifier_step", "airmass"]
    assert [name for name in summary.colnames if not np.isfinite(summary[name]).all()] == unknown
    assert not summary["relative"].any()


def test_summary_tells_how_well_it_fits(survey: Survey) -> None:
    """The residuals are those of the noise put in: reference stars have 10 mas and 10 mmag."""
    summary = calibrate(survey.catalogs, survey.reference, band="r").visit_summary
    assert np.all((summary["astrom_rms"] > 0) & (summary["astrom_rms"] < 15))
    assert np.allclose(summary["astrom_ref_rms"], 10.0, atol=5.0)
    assert np.allclose(summary["phot_ref_rms"], 10.0, atol=5.0)
    assert np.all(summary["n_rejected"] < 0.1 * summary["n_matched"])
    assert np.all((summary["n_reference"] > 10) & (summary["n_reference"] <= summary["n_matched"]))
    assert np.all(summary["zero_point_gradient"] < 0.06)


def test_summary_tells_what_the_raws_did(survey: Survey) -> None:
    """Overscan noise and steps between amplifiers are taken over, struck pixels are counted per pixel."""
    facts = {"OSCANREL": 1.2, "AMPSTEP": 0.01, "CRPIX": 160}
    catalogs = [replace(one, sources=one.sources.copy()) for one in survey.catalogs]
    for one in catalogs:
        one.sources.meta.update(facts)
    summary = calibrate(catalogs, survey.reference, band="r").visit_summary
    assert np.all(summary["overscan_noise_ratio"] == 1.2)
    assert np.all(summary["amplifier_step"] == 0.01)
    assert np.allclose(summary["cosmic_ray_fraction"], 1e-3)


def test_depth_is_where_the_errors_say(survey: Survey) -> None:
    """A star of five sigma, by the errors measured less the noise of its own light, is as bright as the depth."""
    result = calibrate(survey.catalogs, survey.reference, band="r")
    for row in result.visit_summary:
        mine = (result.matched["visit"] == row["visit"]) & (result.matched["detector"] == row["detector"])
        faint = result.matched[mine & (result.matched["snr"] < 100) & ~result.matched["flag"]]
        flux = 10 ** (0.4 * (row["zero_point"] - faint["mag"]))
        noise = np.sqrt((flux / faint["snr"]) ** 2 - flux)
        assert row["depth5"] == pytest.approx(row["zero_point"] - 2.5 * np.log10(5 * np.median(noise)), abs=0.15)


def test_solutions_carry_the_psf(survey: Survey) -> None:
    """Whoever has the solutions has the PSF of each exposure."""
    result = calibrate(survey.catalogs, survey.reference, band="r")
    for solution in solutions_from_table(result.solutions).values():
        assert solution.psf is not None
        assert solution.psf.fwhm == pytest.approx(4.53, rel=0.02)


def test_without_a_reference_the_visits_are_tied_to_each_other(survey: Survey) -> None:
    """Positions agree between the visits as with a reference, magnitudes too; their level is that of one visit."""
    result = calibrate(survey.catalogs, None, band="r")
    assert result.failures == ()
    summary = result.visit_summary
    assert summary["relative"].all()
    assert not summary["n_reference"].any()
    assert not np.isfinite(result.matched["ref_mag"]).any()
    assert np.all((summary["astrom_rms"] > 0) & (summary["astrom_rms"] < 15))
    level = summary["zero_point"] - np.repeat([31.0, 30.9, 31.05], 2)
    assert np.ptp(level) < 0.03
    assert np.median(level) == pytest.approx(25 + 2.5 * np.log10(30.0) - 31.0, abs=0.2)


def test_a_single_visit_without_a_reference_keeps_its_header(survey: Survey) -> None:
    """There is nothing to tie it to."""
    result = calibrate(survey.catalogs[:1], None, band="r")
    (solution,) = solutions_from_table(result.solutions).values()
    header = TanSip.from_header(survey.catalogs[0].sources.meta)
    assert np.allclose(solution.wcs.pixel_to_sky(200, 100), header.pixel_to_sky(200, 100), atol=0.01 / 3600)
    assert len(result.matched) == 0


def test_one_visit_is_enough(survey: Survey) -> None:
    """With a single visit the reference alone calibrates."""
    result = calibrate(survey.catalogs[:2], survey.reference, band="r")
    east, north, _ = offsets_from_truth(result.matched, survey.truth)
    assert max(abs(np.median(east)), abs(np.median(north))) < 6
    assert len(result.visit_summary) == 2


def test_a_detector_without_stars_fails_alone(survey: Survey) -> None:
    """A detector with no sources is reported with its reason; the others are calibrated."""
    empty = DetectorCatalog(103, 0, survey.catalogs[0].sources[:0])
    result = calibrate([*survey.catalogs, empty], survey.reference, band="r")
    assert [(failure.visit, failure.detector) for failure in result.failures] == [(103, 0)]
    assert "0 stars matched" in result.failures[0].reason
    assert len(result.solutions) == 6


def test_a_reference_without_stars_is_refused(survey: Survey) -> None:
    """An empty reference, one elsewhere, one of another band, and no catalogues: each has its own line."""
    with pytest.raises(CalibrationError, match="stars with mag_r, found none"):
        calibrate(survey.catalogs, survey.reference[:0], band="r")
    with pytest.raises(CalibrationError, match="a column mag_z, found mag_r"):
        calibrate(survey.catalogs, survey.reference, band="z")
    with pytest.raises(CalibrationError, match="catalogues, found none"):
        calibrate([], survey.reference, band="r")
    elsewhere = survey.reference.copy()
    elsewhere["dec"] += 0.5
    with pytest.raises(CalibrationError, match="stars that match the reference, found none"):
        calibrate(survey.catalogs, elsewhere, band="r")
    opposite = survey.reference.copy()
    opposite["ra"] += 180.0
    with pytest.raises(CalibrationError, match="stars that match the reference, found none"):
        calibrate(survey.catalogs, opposite, band="r")


def test_solutions_agree_with_the_matched_table(survey: Survey) -> None:
    """The positions of the matched table are those of the solutions."""
    result = calibrate(survey.catalogs, survey.reference, band="r")
    solutions = solutions_from_table(result.solutions)
    row = result.matched[0]
    wcs = solutions[int(row["visit"]), int(row["detector"])].wcs
    assert np.allclose(wcs.pixel_to_sky(row["x"], row["y"]), (row["ra"], row["dec"]), atol=1e-12)


def test_terms_and_priors_have_the_same_length(survey: Survey) -> None:
    """Every column of the design has its expectation."""
    exposures = arrange(survey.catalogs)
    stars = stars_of(exposures)
    design = ASTROMETRY.design(exposures, stars.catalog, np.column_stack([stars.x, stars.y]), stars.crude)
    assert design.basis.shape == (len(stars.x), design.columns.shape[1])
    assert design.size == len(ASTROMETRY.prior(exposures, stars.catalog)) == len(np.unique(design.columns))
    assert np.abs(exposures.field(stars.crude, stars.catalog)).max() <= 1.0
