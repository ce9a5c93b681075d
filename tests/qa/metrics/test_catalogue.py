"""The catalogue of metrics as a whole."""

from __future__ import annotations

import subprocess
import sys
from itertools import groupby

import pytest
from astropy import units

from qa.errors import UnknownNameError
from qa.metrics import METRICS, Direction, Tables, catalogue, measure_all
from qa.model import Scope, Unmeasured
from qa.requirements import Requirement, convert, load

NAMES = [
    "PA1",
    "PA2",
    "PF1",
    "photometric_bias",
    "PA1_validate_drp",
    "PA3",
    "PA4",
    "PF2",
    "PA6",
    "PA5",
    "stellar_locus_width_w",
    "stellar_locus_width_x",
    "stellar_locus_width_y",
    "AM1",
    "AM2",
    "AM3",
    "AD1",
    "AF1",
    "AD2",
    "AF2",
    "AD3",
    "AF3",
    "AA1",
    "astrometric_bias",
    "AB1",
    "AB2",
    "ABF1",
    "TE1",
    "TE2",
    "psf_fwhm",
    "psf_ellipticity",
    "TE3",
    "TE4",
    "TEF",
    "SE1",
    "SE2",
    "EF1",
    "D1",
    "DF1",
    "Z1",
    "DB1",
    "DF2",
    "Z2",
    "coadd_depth",
    "astrometric_residual",
    "astrometric_reference_residual",
    "photometric_residual",
    "photometric_reference_residual",
    "zero_point_gradient",
    "rejected_matches",
    "sky_noise_excess",
    "overscan_noise_excess",
    "amplifier_step",
    "cosmic_ray_fraction",
    "psf_size_residual",
    "psf_size_scatter",
    "psf_ellipticity_residual",
    "coadd_depth_p05",
    "coadd_depth_spread",
    "coadd_fwhm",
    "coadd_fwhm_p95",
    "coadd_psf_ellipticity",
    "coadd_psf_chi2",
    "coadd_psf_size_residual",
    "coadd_psf_ellipticity_residual",
    "coadd_sky_noise_excess",
    "coadd_sky_residual",
    "coadd_sky_residual_bright",
    "completeness_50_stars",
    "completeness_50_galaxies",
    "false_detection_rate",
    "number_counts_excess",
    "number_counts_slope_error",
    "duplicate_fraction",
    "deblending_failures",
    "star_completeness",
    "star_purity",
    "galaxy_completeness",
    "galaxy_purity",
    "cpu_per_megapixel",
    "peak_memory",
    "middleware_cpu",
    "speed",
]


def test_the_catalogue_holds_the_agreed_names() -> None:
    """In order of families, each under its own name."""
    assert list(catalogue()) == NAMES
    assert all(name == definition.name for name, definition in catalogue().items())


@pytest.mark.parametrize("name", NAMES)
def test_every_definition_is_complete(name: str) -> None:
    """Title, a sentence, a citation, a unit astropy reads, known tables, known bands."""
    definition = catalogue()[name]
    assert definition.title
    assert definition.definition.endswith(".")
    assert definition.citation.startswith(("LPM-17", "obsqa"))
    units.Unit(definition.unit)
    assert set(definition.reads) <= set(Tables.__slots__)
    assert definition.per_task == (name in {"cpu_per_megapixel", "peak_memory", "speed"})
    assert (METRICS[name].estimate is None) == (definition.family in {"resources", "speed"})


@pytest.mark.parametrize("requirement", load("lpm-17").requirements, ids=lambda requirement: requirement.metric)
def test_every_requirement_of_lpm_17_has_its_metric(requirement: Requirement) -> None:
    """In a unit that can be compared with it, in every band it has targets for, better in the same direction."""
    definition = catalogue()[requirement.metric]
    convert(1.0, unit=definition.unit, to=requirement.unit)
    # A colour is that of a band against r; r has none of its own.
    bands = {band for targets in requirement.targets for band in targets.bands or ()} - set(definition.partners)
    assert all(definition.applies_to(band) for band in bands)
    assert definition.direction is (Direction.LOWER if requirement.operator == "<=" else Direction.HIGHER)
    assert f"Table {requirement.table} " in definition.citation


def test_families_stand_together() -> None:
    """A report shows the metrics of a family one after the other."""
    families = [definition.family for definition in catalogue().values()]
    assert [family for family, _ in groupby(families)] == list(dict.fromkeys(families))


def test_what_compares_bands_says_which() -> None:
    """It reads the tables of all bands, and its own band is none of its partners."""
    across = {name: one for name, one in catalogue().items() if one.cross_band}
    assert set(across) == {"PA5", "AB1", "AB2", "ABF1", *(f"stellar_locus_width_{part}" for part in "wxy")}
    for definition in across.values():
        assert definition.reads == ("bands",)
        assert not any(definition.applies_to(band) for band in definition.partners)


_ASTROMETRY = [f"{kind}{number}" for kind in ("AM", "AD", "AF") for number in (1, 2, 3)]


@pytest.mark.parametrize("name", [*_ASTROMETRY, "TE1", "TE2", "TE3", "TE4", "TEF", "SE1", "SE2", "EF1"])
def test_lpm_17_asks_for_astrometry_and_shapes_in_r_and_i_only(name: str) -> None:
    """Other bands, and scopes without a band, are none of theirs."""
    definition = catalogue()[name]
    assert [band for band in (*"ugrizy", None) if definition.applies_to(band)] == ["r", "i"]


def test_deeper_is_better_and_no_bias_is_best() -> None:
    """Directions are what they should be."""
    higher = [name for name, one in catalogue().items() if one.direction is Direction.HIGHER]
    depths = ["D1", "Z1", "DB1", "coadd_depth", "coadd_depth_p05"]
    classes = ["star_completeness", "star_purity", "galaxy_completeness", "galaxy_purity"]
    assert higher == [*depths, "completeness_50_stars", "completeness_50_galaxies", *classes]
    assert catalogue()["photometric_bias"].direction is Direction.ZERO


def test_without_tables_everything_expected_is_unmeasured() -> None:
    """Absence is a result: each metric of the band says which table it lacks."""
    results = measure_all(Tables(), Scope("hsc", "twin", "r"))
    expected = [name for name in NAMES[:-4] if catalogue()[name].applies_to("r") and not catalogue()[name].cross_band]
    assert [result.metric for result in results] == expected
    assert all(isinstance(result, Unmeasured) and "reads the table" in result.reason for result in results)
    assert "AM1" not in {result.metric for result in measure_all(Tables(), Scope("hsc", "twin", "g"))}


def test_only_what_is_named_is_measured() -> None:
    """In the catalogue's order; a name that does not exist is refused."""
    scope = Scope("hsc", "twin", "r")
    assert [one.metric for one in measure_all(Tables(), scope, names=["AM1", "PA1"])] == ["PA1", "AM1"]
    with pytest.raises(UnknownNameError, match="no metric is called 'PA9'"):
        measure_all(Tables(), scope, names=["PA9"])


def test_definitions_need_neither_scipy_nor_astropy() -> None:
    """The light core lists metrics without the pipeline's libraries."""
    code = "import sys, qa.metrics; sys.exit(any(name in sys.modules for name in ('scipy', 'astropy', 'lsst')))"
    subprocess.run([sys.executable, "-c", code], check=True)
