# mypy: disable-error-code="misc"
# (the middleware is untyped for us: its classes are Any, and subclassing Any is what `misc` complains about)
"""How the Butler reads and writes the images of the embedded pipeline."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from astropy.io import fits
from astropy.table import Table
from lsst.daf.butler import FormatterV2

from qa.drp.crop import Cutouts, crop, filled, uncrop
from qa.drp.cutouts import PLACE, PLANES, ImageFile
from qa.drp.image import Box, MaskedImage, Raw
from qa.drp.skymap import SkyMap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lsst.daf.butler import DatasetProvenance, DatasetRef
    from lsst.resources import ResourcePath
    from numpy.typing import NDArray

_PREFIX = "LSST BUTLER"
# Cards that say how the pixels are stored, not what they are.
_STRUCTURAL = frozenset({"SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "EXTEND", "COMMENT", "HISTORY", ""})
# The calibrations and neighbours of an image are few; a coadd of a deep field may have thousands.
_MAX_INPUTS = 100
CUTOUTS = "cutouts"
_META, _PROVENANCE = b"obsqa", "butler"
_WCS = re.compile(r"CTYPE\d|CUNIT\d|CRVAL\d|CRPIX\d|CD\d_\d|(A|B|AP|BP)_(ORDER|\d_\d)|RADESYS|EQUINOX")


class FitsFormatter(FormatterV2):
    """Base of the readers and writers of FITS files."""

    default_extension: ClassVar[str | None] = ".fits"
    supported_extensions: ClassVar[frozenset[str]] = frozenset({".fits", ".fits.gz", ".fits.fz"})
    can_read_from_local_file: ClassVar[bool] = True


class RawFormatter(FitsFormatter):
    """Reads one detector of a camera's raw file, whichever way that camera lays out its files."""

    def read_from_local_file(self, path: str, component: str | None = None, expected_size: int = -1) -> Raw:  # noqa: ARG002 - the middleware's signature
        """Read the detector that the data ID names."""
        from qa.drp.raw import read_raw  # noqa: PLC0415 - writers of images do not need the translators

        return read_raw(Path(path), detector=self.data_id["detector"])


class PlaneFormatter(FitsFormatter):
    """Reads and writes one plane of pixels in the primary HDU: calibration frames, maps of coverage."""

    def read_from_local_file(
        self,
        path: str,
        component: str | None = None,  # noqa: ARG002 - the middleware's signature
        expected_size: int = -1,  # noqa: ARG002
    ) -> NDArray[Any]:
        """Read the plane, in the byte order of this machine."""
        with fits.open(path, memmap=False) as hdus:
            return _native(hdus[0].data)

    def write_local_file(self, in_memory_dataset: NDArray[Any], uri: ResourcePath) -> None:
        """Write the plane."""
        fits.PrimaryHDU(in_memory_dataset).writeto(uri.ospath)


class MaskedImageFormatter(FitsFormatter):
    """Reads and writes masked images without their empty margins.

    The primary header is that of the image in memory, with what it was made from; the HDU of the pixels has the WCS
    of the pixels in the file, for those who look at it.
    """

    def read_from_local_file(
        self,
        path: str,
        component: str | None = None,
        expected_size: int = -1,  # noqa: ARG002 - the middleware's signature
    ) -> MaskedImage | Cutouts:
        """Read the three planes and the header; as the component `cutouts`, only where they are."""
        # A file that was fetched from afar is gone once this returns.
        if component == CUTOUTS and self.file_descriptor.location.uri.isLocal:
            file, numbers = ImageFile.of(Path(path))
            return Cutouts(numbers, file.cut)
        with fits.open(path, memmap=False) as hdus:
            cards = hdus[0].header
            header = {card: value for card, value in cards.items() if _is_ours(card)}
            x0, y0, nx, ny = (int(cards[name]) for name in PLACE)
            image, variance, mask = (_native(hdus[name].data) for name in PLANES)
        box = Box(x0, y0, x0 + image.shape[1], y0 + image.shape[0])
        whole = uncrop(MaskedImage(image, variance, mask.astype(np.int16, copy=False), header), box, (ny, nx))
        return Cutouts(header, partial(crop, whole)) if component == CUTOUTS else whole

    def write_local_file(self, in_memory_dataset: MaskedImage, uri: ResourcePath) -> None:
        """Write the three planes and the header."""
        box, (ny, nx) = filled(in_memory_dataset.mask), in_memory_dataset.shape
        part = crop(in_memory_dataset, box)
        place = dict(zip(PLACE, (box.x0, box.y0, nx, ny), strict=True))
        primary = fits.PrimaryHDU()
        for card, value in (place | part.header).items():
            primary.header[card if len(card) <= _CARD else f"HIERARCH {card}"] = value
        planes = part.image, part.variance, _narrowed(part.mask)
        named = zip(PLANES, planes, strict=True)
        hdus = [fits.ImageHDU(np.ascontiguousarray(plane), name=name) for name, plane in named]
        hdus[0].header.update(_wcs(part.header, box))
        fits.HDUList([primary, *hdus]).writeto(uri.ospath)

    def add_provenance(
        self, in_memory_dataset: MaskedImage, /, *, provenance: DatasetProvenance | None = None
    ) -> MaskedImage:
        """Stamp run, quantum and inputs into the header."""
        if provenance is None:
            return in_memory_dataset
        stamp = {f"{_PREFIX} {name}": value for name, value in _stamp(provenance, self.dataset_ref).items()}
        kept = {card: value for card, value in in_memory_dataset.header.items() if not card.startswith(_PREFIX)}
        planes = in_memory_dataset.image, in_memory_dataset.variance, in_memory_dataset.mask
        return MaskedImage(*planes, kept | stamp)


class TableFormatter(FormatterV2):
    """Reads and writes astropy tables as Parquet, their meta as JSON in the schema.

    The middleware's own formatter takes 30 ms a table for YAML, and drops the meta when it reads.
    """

    default_extension: ClassVar[str | None] = ".parq"
    supported_extensions: ClassVar[frozenset[str]] = frozenset({".parq", ".parquet"})
    can_read_from_local_file: ClassVar[bool] = True

    def read_from_local_file(self, path: str, component: str | None = None, expected_size: int = -1) -> Table:  # noqa: ARG002 - the middleware's signature
        """Read a table, or the columns of it that the parameter `columns` names."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - images need no tables

        wanted = (self.file_descriptor.parameters or {}).get("columns")
        arrow = pq.read_table(path, columns=wanted, use_threads=False)
        meta = json.loads((arrow.schema.metadata or {}).get(_META, b"{}"))
        return Table({name: arrow[name].to_numpy() for name in arrow.column_names}, meta=meta, copy=False)

    def write_local_file(self, in_memory_dataset: Table, uri: ResourcePath) -> None:
        """Write a table; its columns are plain arrays, which all of ours are."""
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415

        meta = dict(in_memory_dataset.meta)
        stamp = meta.pop(_PROVENANCE, {})
        columns = {name: np.asarray(in_memory_dataset[name]) for name in in_memory_dataset.colnames}
        schema = {_META: json.dumps(meta), _PROVENANCE: json.dumps(stamp)}
        pq.write_table(pa.table(columns).replace_schema_metadata(schema), uri.ospath)

    def add_provenance(self, in_memory_dataset: Table, /, *, provenance: DatasetProvenance | None = None) -> Table:
        """Keep run, quantum and inputs for the writer."""
        if provenance is None:
            return in_memory_dataset
        stamped = in_memory_dataset.copy(copy_data=False)
        stamped.meta[_PROVENANCE] = _stamp(provenance, self.dataset_ref)
        return stamped


class SkyMapFormatter(FormatterV2):
    """Reads and writes sky maps as JSON."""

    default_extension: ClassVar[str | None] = ".json"
    supported_extensions: ClassVar[frozenset[str]] = frozenset({".json"})
    can_read_from_local_file: ClassVar[bool] = True

    def read_from_local_file(self, path: str, component: str | None = None, expected_size: int = -1) -> SkyMap:  # noqa: ARG002 - the middleware's signature
        """Read a sky map."""
        return SkyMap(**json.loads(Path(path).read_text()))

    def write_local_file(self, in_memory_dataset: SkyMap, uri: ResourcePath) -> None:
        """Write a sky map."""
        Path(uri.ospath).write_text(json.dumps(asdict(in_memory_dataset), sort_keys=True))


_CARD = 8


def _stamp(provenance: DatasetProvenance, ref: DatasetRef) -> dict[str, str | int | float | bool]:
    """Say in plain values what a data set is and what it was made from."""
    stamp = provenance.to_flat_dict(
        ref, sep=" ", simple_types=True, use_upper=True, max_inputs=_MAX_INPUTS, store_minimalist_inputs=True
    )
    return {name: value for name, value in stamp.items() if value is not None}


def _narrowed(mask: NDArray[np.int16]) -> NDArray[Any]:
    """Take bytes for a mask whose bits fit: a tenth less to write and read."""
    fits_a_byte = mask.size and mask.min() >= 0 and mask.max() <= np.iinfo(np.uint8).max
    return mask.astype(np.uint8) if fits_a_byte else mask


def _is_ours(card: str) -> bool:
    return card not in _STRUCTURAL and card not in PLACE and not card.startswith(_PREFIX)


def _native(plane: NDArray[Any]) -> NDArray[Any]:
    """Turn a plane that was just read into the byte order of this machine, in place."""
    return plane if plane.dtype.isnative else plane.byteswap(inplace=True).view(plane.dtype.newbyteorder("="))


def _wcs(header: Mapping[str, Any], box: Box) -> dict[str, Any]:
    """Return the WCS cards of a part of an image, none if the whole has no WCS."""
    if "CTYPE1" not in header:
        return {}
    cards = {card: value for card, value in header.items() if _WCS.fullmatch(card)}
    return cards | {"CRPIX1": header["CRPIX1"] - box.x0, "CRPIX2": header["CRPIX2"] - box.y0}
