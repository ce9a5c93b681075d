"""The catalogue of metrics as a whole."""

from __future__ import annotations

import subprocess
import sys

import pytest
from astropy import units

from qa.errors import UnknownNameError
from qa.metrics import METRICS, Direction, Tables, catalogue, measure_all
from qa.model import Scope, Unmeasured

NAMES = [
    "PA1",
    "PA2",
    "PF1",
    "photometric_bias",
    "AM1",
    "AM2",
    "AM3",
    "AD1",
    "AF1",
    "AA1",
    "astrometric_bias",
    "TE1",
    "TE2",
    "psf_fwhm",
    "psf_ellipticity",
    "coadd_depth",
    "completeness_50_stars",
    "completeness_50_galaxies",
    "false_detection_rate",
    "cpu_per_megapixel",
    "peak_memory",
    "middleware_cpu",
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
    assert definition.per_task == (name in {"cpu_per_megapixel", "peak_memory"})
    assert (METRICS[name].estimate is None) == (definition.family == "resources")


@pytest.mark.parametrize("name", ["AM1", "AM2", "AM3", "AD1", "AF1", "TE1", "TE2"])
def test_lpm_17_asks_for_astrometry_and_shapes_in_r_and_i_only(name: str) -> None:
    """Other bands, and scopes without a band, are none of theirs."""
    definition = catalogue()[name]
    assert [band for band in (*"ugrizy", None) if definition.applies_to(band)] == ["r", "i"]


def test_deeper_is_better_and_no_bias_is_best() -> None:
    """Directions are what they should be."""
    higher = [name for name, one in catalogue().items() if one.direction is Direction.HIGHER]
    assert higher == ["coadd_depth", "completeness_50_stars", "completeness_50_galaxies"]
    assert catalogue()["photometric_bias"].direction is Direction.ZERO


def test_without_tables_everything_expected_is_unmeasured() -> None:
    """Absence is a result: each metric of the band says which table it lacks."""
    results = measure_all(Tables(), Scope("hsc", "twin", "r"))
    assert [result.metric for result in results] == NAMES[:-3]
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
