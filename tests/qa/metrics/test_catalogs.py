"""Matched catalogues of the LSST stack: what they say, and what the stack measured of them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner

from ci.verbs.measure import measure
from qa.errors import DocumentError, UnknownNameError
from qa.metrics.catalogs import COLUMNS, STACK, flag_names, measure_catalog, read_bands, read_matched
from qa.model import Measurement, Scope, Unmeasured

if TYPE_CHECKING:
    from pathlib import Path

SCOPE = Scope("hsc", "catalogue", "r")
FLAGS = ("detect_isPrimary", *(f"base_PixelFlags_flag_{name}" for name in ("edge", "saturated", "cr", "bad")), "other")


def catalog(
    path: Path,
    *,
    rows: int = 6,
    flags: tuple[str, ...] = FLAGS,
    without: str = "",
    filters: tuple[int, ...] = (),
) -> Path:
    """Write a small catalogue as afw does: a bit column whose bits are named by TFLAGn cards."""
    bits = np.zeros((rows, len(flags)), dtype=bool)
    bits[:, 0] = True
    bits[0, 0] = False
    for row in range(1, min(rows, len(flags))):
        bits[row, row] = True
    columns = [fits.Column("flags", f"{len(flags)}X", array=bits)]
    for source in (*COLUMNS.values(), "filt"):
        if source != without:
            form = "K" if source in {"object", "visit", "detector", "filt"} else "D"
            unit = "rad" if source.startswith("coord") else None
            values = filters if source == "filt" and filters else np.full(rows, 3.0)
            columns.append(fits.Column(source, form, array=values, unit=unit))
    table = fits.BinTableHDU.from_columns(columns)
    for number, name in enumerate(flags, start=1):
        table.header[f"TFLAG{number}"] = name
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    return path


def test_flags_are_decoded_by_their_cards(tmp_path: Path) -> None:
    """Saturated, cosmic ray, bad, edge or not primary make a detection flagged; any other bit does not."""
    table = read_matched(catalog(tmp_path / "c.fits"), band="r")
    assert list(table["flag"]) == [True, True, True, True, True, False]


def test_a_catalogue_without_primary_flags_has_primary_sources_only(tmp_path: Path) -> None:
    """Older catalogues lack the flag."""
    table = read_matched(catalog(tmp_path / "c.fits", flags=("other", *FLAGS[1:])), band="r")
    assert list(table["flag"]) == [False, True, True, True, True, False]


def test_flag_cards_are_numbered_from_one() -> None:
    """TFLAG1 names the first bit; other cards are none of them."""
    assert flag_names({"TFLAG1": "a", "TFLAG12": "b", "TTYPE1": "flags", "TFLAGS": "x"}) == {"a": 0, "b": 11}


def test_positions_stay_in_radian(tmp_path: Path) -> None:
    """To the last bit, and in the machine's byte order."""
    table = read_matched(catalog(tmp_path / "c.fits"), band="r")
    assert str(table["ra"].unit) == "rad"
    assert table["ra"][0] == 3.0
    assert table["ra"].dtype.isnative


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"without": "base_PsfFlux_snr"}, "found no column base_PsfFlux_snr"),
        (
            {"flags": ("detect_isPrimary", "base_PixelFlags_flag_cr")},
            "found no flag base_PixelFlags_flag_saturated, base_",
        ),
    ],
)
def test_what_a_catalogue_lacks_is_said(tmp_path: Path, change: dict[str, object], found: str) -> None:
    """In one line with the file's name."""
    path = catalog(tmp_path / "c.fits", **change)
    with pytest.raises(DocumentError, match=f"{re.escape(str(path))}: must be .*{found}"):
        read_matched(path, band="r")


def test_a_band_the_catalogue_has_not_is_said(tmp_path: Path) -> None:
    """The bands it has are named."""
    with pytest.raises(DocumentError, match=r"in i, found detections in r$"):
        read_matched(catalog(tmp_path / "c.fits"), band="i")


def test_a_file_that_is_no_catalogue_is_said(tmp_path: Path) -> None:
    """Absent, text, an image, cut short: each is one line."""
    path = tmp_path / "c.fits"
    with pytest.raises(DocumentError, match=r"found no such file$"):
        read_matched(path, band="r")
    path.write_text("text")
    with pytest.raises(DocumentError, match="found a file that cannot be read"):
        read_matched(path, band="r")
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(path, overwrite=True)
    with pytest.raises(DocumentError, match=r"found no table in the first extension$"):
        read_matched(path, band="r")
    whole = catalog(tmp_path / "d.fits", rows=500).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DocumentError, match="found a file that cannot be read") as error:
        read_matched(path, band="r")
    assert "\n" not in str(error.value)


def test_only_metrics_of_a_matched_catalogue_can_be_asked_for(tmp_path: Path) -> None:
    """The depth of a coadd is none of them."""
    with pytest.raises(UnknownNameError, match="no metric of a matched catalogue is called 'coadd_depth'"):
        measure_catalog(tmp_path / "c.fits", SCOPE, names=["coadd_depth"])


def test_every_band_of_a_catalogue_is_read(tmp_path: Path) -> None:
    """By the numbers of the column `filt`; a number that means no band keeps its number."""
    path = catalog(tmp_path / "c.fits", filters=(3, 3, 4, 4, 4, 9))
    assert {band: len(table) for band, table in read_bands(path).items()} == {"r": 2, "i": 3, "filter 9": 1}


def test_a_catalogue_of_one_band_is_not_compared_with_another(tmp_path: Path) -> None:
    """Positions against r are measured where there are other bands, or when they are asked for."""
    one = catalog(tmp_path / "one.fits")
    two = catalog(tmp_path / "two.fits", filters=(3, 3, 4, 4, 4, 4))
    assert "AB1" not in {result.metric for result in measure_catalog(one, SCOPE)}
    assert "AB1" in {result.metric for result in measure_catalog(two, SCOPE)}
    assert [result.metric for result in measure_catalog(one, SCOPE, names=["AB1"])] == ["AB1"]


@pytest.fixture(scope="module")
def as_measured(shared_data: Path) -> dict[str, Measurement | Unmeasured]:
    """Measure the real HSC r-band catalogue."""
    pytest.importorskip("scipy")
    path = shared_data / "hsc_matched" / "matchedCatalogTract_0_r.fits.gz"
    return {result.metric: result for result in measure_catalog(path, SCOPE)}


def _expected(shared_data: Path, name: str) -> tuple[str, str]:
    text = (shared_data / "hsc_matched" / f"{name}.yaml").read_text()
    unit, value = (re.findall(rf"^{key}: (.*)$", text, re.MULTILINE)[-1] for key in ("unit", "value"))
    return value, unit.strip("'").replace("marcsec", "mas")


@pytest.mark.shared_data
@pytest.mark.pipeline
@pytest.mark.parametrize("name", ["PA1", "PA2", "PF1", "AM1", "AD1_design", "AF1_design", "TE1"])
def test_the_stack_s_own_values_are_reproduced(
    as_measured: dict[str, Measurement | Unmeasured], shared_data: Path, name: str
) -> None:
    """To every digit printed: eight decimals for PA1 and PF1, float64 for the others."""
    printed, unit = _expected(shared_data, f"{name}_expected_0_r")
    _agrees(as_measured[name.removesuffix("_design")], printed, unit)


@pytest.mark.shared_data
@pytest.mark.pipeline
def test_the_stack_s_own_positions_across_bands_are_reproduced(shared_data: Path) -> None:
    """AB1 of the visits in r, of stars that are good in r and i."""
    pytest.importorskip("scipy")
    path = shared_data / "hsc_matched" / "matchedCatalogMulti_0_70.fits.gz"
    (result,) = measure_catalog(path, SCOPE, names=["AB1"])
    _agrees(result, *_expected(shared_data, "AB1_design_expected_0_70_r"))


@pytest.mark.shared_data
@pytest.mark.pipeline
def test_the_command_measures_the_same(shared_data: Path) -> None:
    """`obsqa measure --catalog` prints every digit."""
    pytest.importorskip("scipy")
    path = shared_data / "hsc_matched" / "matchedCatalogMulti_0_70.fits.gz"
    outcome = CliRunner().invoke(measure, ["--catalog", str(path), "--metric", "AB1", "--json"])
    record = json.loads(outcome.stdout)["astrometry"][0]
    assert record["value"] == pytest.approx(float(_expected(shared_data, "AB1_design_expected_0_70_r")[0]), rel=1e-13)


def _agrees(result: Measurement | Unmeasured, printed: str, unit: str) -> None:
    assert isinstance(result, Measurement)
    assert result.unit == unit
    decimals = len(printed.partition(".")[2])
    if decimals <= 8:
        assert f"{result.value:.{decimals}f}" == printed
    else:
        assert result.value == pytest.approx(float(printed), rel=1e-13)


@pytest.mark.shared_data
@pytest.mark.pipeline
def test_real_errors_are_plausible(as_measured: dict[str, Measurement | Unmeasured]) -> None:
    """Every value has an error not beyond itself (TE1 is within its noise), or a reason with the size of the field."""
    assert list(as_measured) == [name for name in STACK if name != "AB1"]
    for name, result in as_measured.items():
        if isinstance(result, Measurement):
            assert result.stderr is not None
            assert 0 < result.stderr < (2 if name == "TE1" else 1) * result.value
        else:
            assert result.reason.startswith(f"{name} needs pairs")
