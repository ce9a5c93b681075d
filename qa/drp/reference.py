"""A user's own reference catalogue: read from the usual formats, checked, and brought into the form of a twin's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qa.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from astropy.table import Table
    from numpy.typing import NDArray

COLUMNS = "ra, dec (ICRS, deg), mag_<band> (AB); if there: ra_err, dec_err (mas), mag_err_<band> (mag)"
"""The columns of a reference catalogue, for help texts. Columns with units are converted."""

POSITION_ERROR, MAGNITUDE_ERROR = 10.0, 0.01
"""Errors in mas and mag that are assumed where a catalogue has none."""

_RANGES = {"ra": (-180.0, 360.0), "dec": (-90.0, 90.0)}
_FORMATS = {
    ".parq": "parquet",
    ".parquet": "parquet",
    ".fits": "fits",
    ".fit": "fits",
    ".csv": "ascii.csv",
    ".ecsv": "ascii.ecsv",
}


def read_reference(path: Path, bands: Sequence[str]) -> Table:
    """Read a reference catalogue for some bands.

    Returns
    -------
    table
        Columns id, ra, dec (degrees), ra_err, dec_err (mas), and mag_<band>, mag_err_<band> (AB magnitudes) of the
        bands that the catalogue has. Stars without a position or without any magnitude are left out.

    Raises
    ------
    DocumentError
        If the file is no table, lacks a column, has a unit that cannot be converted, or positions out of range.
    """
    table = _read(path)
    known = [band for band in bands if f"mag_{band}" in table.colnames]
    missing = [name for name in ("ra", "dec") if name not in table.colnames]
    if not known:
        missing += [f"mag_{band}" for band in bands]
    if missing:
        found = ", ".join(table.colnames) or "none"
        raise DocumentError(path, required=f"a table with the columns {', '.join(missing)}", found=f"columns {found}")
    columns: dict[str, NDArray[Any]] = {"id": np.arange(1, len(table) + 1)}
    columns |= {name: _values(path, table, name, "deg") for name in ("ra", "dec")}
    columns |= {name: _values(path, table, name, "mas", POSITION_ERROR) for name in ("ra_err", "dec_err")}
    columns |= {f"mag_{band}": _values(path, table, f"mag_{band}", "mag") for band in known}
    errors = [f"mag_err_{band}" for band in known]
    columns |= {name: _values(path, table, name, "mag", MAGNITUDE_ERROR) for name in errors}
    return _usable(path, columns, known)


def _read(path: Path) -> Table:
    from astropy.table import Table  # noqa: PLC0415 - slow to import, and often nothing is read

    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise DocumentError(path, required=f"a table, as {', '.join(_FORMATS)}", found=path.suffix or "no suffix")
    try:
        return Table.read(path, format=kind)
    except FileNotFoundError:
        raise DocumentError(path, required="a reference catalogue", found="no such file") from None
    except Exception as error:  # each format has errors of its own
        found = f"a damaged file ({str(error).splitlines()[0]})"
        raise DocumentError(path, required=f"a {kind.removeprefix('ascii.')} table", found=found) from error


def _values(path: Path, table: Table, name: str, unit: str, default: float | None = None) -> NDArray[np.float64]:
    """Return a column in a unit; where it has none, it is taken to be in that one."""
    if name not in table.colnames:
        return np.full(len(table), default)
    column = table[name]
    try:
        values = np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan)
        return np.asarray(values * _factor(str(column.unit), unit) if column.unit is not None else values)
    except ValueError:
        found = f"unit {column.unit}" if column.unit is not None else f"type {column.dtype}"
        raise DocumentError(path, required=f"numbers in {unit} in the column {name}", found=found) from None


def _factor(unit: str, wanted: str) -> float:
    """Return what to multiply by.

    Raises
    ------
    ValueError
        If the units are of different kinds.
    """
    from astropy import units  # noqa: PLC0415

    if unit == "mag(AB)":
        unit = "mag"
    return float(units.Unit(unit).to(units.Unit(wanted)))


def _usable(path: Path, columns: dict[str, NDArray[Any]], bands: Sequence[str]) -> Table:
    """Leave out stars that say too little, and refuse positions that are none."""
    from astropy.table import Table  # noqa: PLC0415

    measured = np.any([np.isfinite(columns[f"mag_{band}"]) for band in bands], axis=0)
    good = np.isfinite(columns["ra"]) & np.isfinite(columns["dec"]) & measured
    if not good.any():
        raise DocumentError(path, required="stars with position and magnitude", found="none")
    for name, (lowest, highest) in _RANGES.items():
        values = columns[name][good]
        if values.min() < lowest or values.max() > highest:
            required, found = f"{name} from {lowest:g} to {highest:g} deg", f"{values.min():g} to {values.max():g}"
            raise DocumentError(path, required=f"a catalogue with {required}", found=found)
    chosen = {name: values[good] for name, values in columns.items()}
    return Table(chosen | {"ra": chosen["ra"] % 360.0})
