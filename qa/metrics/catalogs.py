"""Matched catalogues of the LSST stack (afw SimpleCatalog as FITS) as the tables our estimators read.

`STACK` measures them as the stack did. It differs from the nightly catalogue in selections and, for TE1 and TE2, in the
correlation function (`qa.metrics.treecorr`).
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.errors import DocumentError, UnknownNameError
from qa.metrics import METRICS, Metric, Tables
from qa.metrics.groups import Selection
from qa.metrics.photometry import pa1, pa2, pf1
from qa.metrics.treecorr import stack_correlation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from astropy.table import Table
    from numpy.typing import NDArray

    from qa.model import Result, Scope

COLUMNS = {
    "object": "object",
    "visit": "visit",
    "detector": "detector",
    "ra": "coord_ra",
    "dec": "coord_dec",
    "mag": "base_PsfFlux_mag",
    "mag_err": "base_PsfFlux_magErr",
    "snr": "base_PsfFlux_snr",
    "extendedness": "base_ClassificationExtendedness_value",
    "e1": "e1",
    "e2": "e2",
    "psf_e1": "psf_e1",
    "psf_e2": "psf_e2",
}
# The numbers of the column `filt`.
FILTERS = {"u": 1, "g": 2, "r": 3, "i": 4, "z": 5, "y": 6}
BAD_FLAGS = ("saturated", "cr", "bad", "edge")
PRIMARY = "detect_isPrimary"
REQUIRED = "an afw SimpleCatalog of matched sources (FITS)"

# The values published with lsst/faro come from two revisions of its cuts: PA1 and PF1 from one that did not look at
# flags, PA2 from one that took stars of S/N 50, and the astrometry from the cuts of today.
_UNFLAGGED = Selection(snr=200.0, flagged=True)
STACK: Mapping[str, Metric] = MappingProxyType(
    {
        "PA1": replace(METRICS["PA1"], estimate=partial(pa1, selection=_UNFLAGGED)),
        "PA2": replace(METRICS["PA2"], estimate=partial(pa2, selection=Selection(snr=50.0))),
        "PF1": replace(METRICS["PF1"], estimate=partial(pf1, selection=_UNFLAGGED)),
        **{name: METRICS[name] for name in ("AM1", "AM2", "AM3", "AD1", "AF1")},
        "TE1": replace(METRICS["TE1"], estimate=partial(stack_correlation, high=1.0)),
        "TE2": replace(METRICS["TE2"], estimate=partial(stack_correlation, low=5.0)),
        # The stack compares a band's visits with those in r, and those in r with each other.
        "AB1": replace(METRICS["AB1"], definition=replace(METRICS["AB1"].definition, bands=None)),
    }
)


def read_matched(path: Path, *, band: str) -> Table:
    """Read a band's detections from a matched catalogue as the table `matched`; positions stay in radian.

    `flag` is set where any pixel is saturated, hit by a cosmic ray, bad or at the edge, or the source is not primary.

    Raises
    ------
    DocumentError
        If the file is absent, not FITS, not a catalogue of matched sources, or has nothing in the band.
    """
    return _of_band(path, read_bands(path), band)


def read_bands(path: Path) -> dict[str, Table]:
    """Read the detections of each band of a matched catalogue; a catalogue that names no band has only the band "".

    For the tables see `read_matched`; the same star has the same number in all bands.

    Raises
    ------
    DocumentError
        If the file is absent, not FITS, or not a catalogue of matched sources.
    """
    from astropy.io import fits  # noqa: PLC0415 - costs a quarter of a second that definitions need not have
    from astropy.utils.exceptions import AstropyWarning  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            # astropy warns of a truncated file and reads on; for us it is no catalogue.
            warnings.simplefilter("error", AstropyWarning)
            with fits.open(path, memmap=False) as hdus:
                return _tables(path, hdus)
    except FileNotFoundError:
        raise DocumentError(path, required=REQUIRED, found="no such file") from None
    except (OSError, EOFError, TypeError, ValueError, AstropyWarning) as error:
        found = f"a file that cannot be read ({str(error).splitlines()[0]})"
        raise DocumentError(path, required=REQUIRED, found=found) from None


def _tables(path: Path, hdus: Any) -> dict[str, Table]:  # noqa: ANN401 - astropy has no types here
    from astropy.table import Column, Table  # noqa: PLC0415 - see read_bands

    if len(hdus) < 2 or hdus[1].header.get("XTENSION") != "BINTABLE":  # noqa: PLR2004 - primary HDU and table
        raise DocumentError(path, required=REQUIRED, found="no table in the first extension")
    header, rows = hdus[1].header, hdus[1].data
    lacking = [name for name in (*COLUMNS.values(), "flags") if name not in rows.names]
    if lacking:
        raise DocumentError(path, required=REQUIRED, found=f"no column {', '.join(lacking)}")
    table = Table()
    for name, source in COLUMNS.items():
        values = rows[source]
        # FITS is big-endian; numpy and scipy work on native bytes.
        native = values.astype(values.dtype.newbyteorder("="))
        table[name] = Column(native, unit=header.get(f"TUNIT{rows.names.index(source) + 1}"))
    table["flag"] = _flagged(path, header, rows["flags"])
    if "filt" not in rows.names:
        return {"": table}
    known = {number: name for name, number in FILTERS.items()}
    found = np.unique(rows["filt"])
    return {known.get(int(number), f"filter {number}"): table[rows["filt"] == number] for number in found}


def _of_band(path: Path, by_band: Mapping[str, Table], band: str) -> Table:
    if "" in by_band:
        return by_band[""]
    if band not in by_band:
        raise DocumentError(
            path, required=f"{REQUIRED} in {band}", found=f"detections in {', '.join(by_band) or 'no band'}"
        )
    return by_band[band]


def flag_names(header: Mapping[str, Any]) -> dict[str, int]:
    """Return which bit of the `flags` column each flag is: card TFLAGn names bit n, counted from 1."""
    cards = ((str(key), value) for key, value in header.items())
    return {str(value): int(key[5:]) - 1 for key, value in cards if key.startswith("TFLAG") and key[5:].isdigit()}


def _flagged(path: Path, header: Mapping[str, Any], bits: NDArray[np.bool_]) -> NDArray[np.bool_]:
    names = flag_names(header)
    wanted = [f"base_PixelFlags_flag_{flag}" for flag in BAD_FLAGS]
    lacking = [name for name in wanted if names.get(name, bits.shape[1]) >= bits.shape[1]]
    if lacking:
        raise DocumentError(path, required=REQUIRED, found=f"no flag {', '.join(lacking)}")
    bad = np.any(bits[:, [names[name] for name in wanted]], axis=1)
    secondary = ~bits[:, names[PRIMARY]] if PRIMARY in names else np.zeros_like(bad)
    flagged: NDArray[np.bool_] = bad | secondary
    return flagged


def measure_catalog(path: Path, scope: Scope, *, names: Sequence[str] | None = None) -> tuple[Result, ...]:
    """Measure a matched catalogue as the stack does: all metrics it can give in the scope's band, or those named.

    Raises
    ------
    DocumentError
        If the file is not a catalogue of matched sources.
    UnknownNameError
        If a name is none of those a matched catalogue can give.
    """
    for name in names or ():
        if name not in STACK:
            raise UnknownNameError(kind="metric of a matched catalogue", name=name, known=STACK)
    by_band = read_bands(path)
    shared = {band: Tables(matched=table) for band, table in by_band.items() if band}
    tables = Tables(matched=_of_band(path, by_band, scope.band or ""), bands=shared)
    wanted = STACK if names is None else names
    return tuple(
        metric(tables, scope)
        for name, metric in STACK.items()
        if name in wanted and metric.definition.applies_to(scope.band)
        if name in (names or ()) or not metric.definition.cross_band or len(shared) > 1
    )
