from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy import units
from astropy.table import Table

from qa.drp.reference import MAGNITUDE_ERROR, POSITION_ERROR, read_reference
from qa.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path


def stars(**columns: object) -> Table:
    """Make a catalogue of three stars; keyword arguments replace or add columns."""
    return Table({"ra": [150.0, 150.1, 150.2], "dec": [2.0, 2.1, 2.2], "mag_r": [17.0, 18.0, 19.0], **columns})


@pytest.mark.parametrize("name", ["stars.parq", "stars.parquet", "stars.fits", "stars.csv", "stars.ecsv"])
def test_the_usual_formats_are_read(tmp_path: Path, name: str) -> None:
    """All formats give the same catalogue; errors that it lacks are assumed."""
    if "parq" in name:
        pytest.importorskip("pyarrow")
    stars().write(tmp_path / name)
    table = read_reference(tmp_path / name, ("r", "i"))
    assert table.colnames == ["id", "ra", "dec", "ra_err", "dec_err", "mag_r", "mag_err_r"]
    assert list(table["ra"]) == [150.0, 150.1, 150.2]
    assert set(table["ra_err"]) == {POSITION_ERROR}
    assert set(table["mag_err_r"]) == {MAGNITUDE_ERROR}


def test_units_are_converted(tmp_path: Path) -> None:
    """Positions in radians and errors in arcsec come out in degrees and mas; a right ascension west of 0 is wrapped."""
    table = stars(ra=np.radians([-1.0, 0.0, 1.0]) * units.rad, ra_err=[0.01, 0.02, 0.03] * units.arcsec)
    table.write(tmp_path / "stars.ecsv")
    found = read_reference(tmp_path / "stars.ecsv", ("r",))
    assert list(found["ra"]) == pytest.approx([359.0, 0.0, 1.0])
    assert list(found["ra_err"]) == pytest.approx([10.0, 20.0, 30.0])


def test_stars_that_say_too_little_are_left_out(tmp_path: Path) -> None:
    """A star needs a position, and a magnitude in one of the bands."""
    table = stars(dec=[np.nan, 2.1, 2.2], mag_r=[17.0, np.nan, np.nan], mag_i=[17.0, 18.0, np.nan])
    table.write(tmp_path / "stars.ecsv")
    found = read_reference(tmp_path / "stars.ecsv", ("r", "i"))
    assert list(found["id"]) == [2]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"dec": [2.0, 2.1, 92.0]}, r"must be a catalogue with dec from -90 to 90 deg, found 2 to 92"),
        ({"mag_r": [1.0, 2.0, 3.0] * units.Jy}, r"must be numbers in mag in the column mag_r, found unit Jy"),
        ({"mag_r": ["a", "b", "c"]}, r"must be numbers in mag in the column mag_r, found type"),
        ({"mag_r": [np.nan] * 3}, r"must be stars with position and magnitude, found none"),
    ],
)
def test_what_is_no_catalogue_is_refused(tmp_path: Path, columns: dict[str, object], message: str) -> None:
    """The message names the file, what was required and what was found, on one line."""
    stars(**columns).write(tmp_path / "stars.ecsv")
    with pytest.raises(DocumentError, match=message) as raised:
        read_reference(tmp_path / "stars.ecsv", ("r",))
    assert "\n" not in str(raised.value)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    """All that is missing is told at once, and what there is."""
    stars().write(tmp_path / "stars.csv")
    with pytest.raises(DocumentError, match="the columns mag_z, found columns ra, dec, mag_r"):
        read_reference(tmp_path / "stars.csv", ("z",))
    (tmp_path / "other.csv").write_text("RA,Dec\n1,2\n")
    with pytest.raises(DocumentError, match="the columns ra, dec, mag_r, found columns RA, Dec"):
        read_reference(tmp_path / "other.csv", ("r",))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("stars.txt", "", r"must be a table, as .*, found \.txt"),
        ("stars.fits", "no FITS", r"must be a fits table, found a damaged file"),
        ("gone.csv", None, r"must be a reference catalogue, found no such file"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, text: str | None, message: str) -> None:
    """A file of another kind, a damaged one and one that is not there are told apart."""
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DocumentError, match=message):
        read_reference(tmp_path / name, ("r",))
