"""The pixels that both chains read: drawn, cleaned of the instrument's signature by us, written as plain FITS.

`visit-<n>.fits` has one extension per detector, in electrons; `visit-<n>.weight.fits` the inverse variance of the
sky in each pixel (electron^-2), 0 where the pixel is bad.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits
from astropy.table import Table

from benchmarks.peer.night import BAND, FACTS, REFERENCE, TRUTH, Night, open_night
from benchmarks.peer.recipe import recipe
from qa.drp.algorithms.defects import find_defects, unstable_pixels
from qa.drp.algorithms.isr import Calibrations, remove_signature
from qa.drp.algorithms.masters import Frame, master_bias, master_dark, master_flat
from qa.drp.image import Mask
from qa.drp.raw import read_raw
from qa.twins.cache import digest, publish
from qa.twins.manifest import read_manifest
from qa.twins.produce import produce
from qa.twins.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qa.drp.image import MaskedImage, Pixels, Raw
    from qa.twins.manifest import TwinManifest


@cache
def recipe_of(night: Night) -> Recipe:
    """Recipe of a prepared folder."""
    return Recipe.model_validate(json.loads((night.folder / FACTS).read_text()))


def prepare(folder: Path, cache: Path, *, seed: int, visits: int, detectors: int, side: int) -> Night:
    """Draw a set, or take it from the cache, and write the pixels that both chains read."""
    wanted = recipe(seed=seed, visits=visits, detectors=detectors, side=side)
    if (folder / FACTS).exists() and recipe_of(open_night(folder)) == wanted:
        return open_night(folder)

    def show(done: int, total: int) -> None:
        print(f"\rseed {seed}: {done} of {total} pictures drawn", end="\n" * (done == total), file=sys.stderr)

    def make(place: Path) -> None:
        produce(wanted, dataset="peer", folder=place, progress=show)

    drawn = publish(cache, digest(wanted, "peer"), make)
    folder.mkdir(parents=True, exist_ok=True)
    return clean(drawn, folder, wanted)


def clean(drawn: Path, folder: Path, wanted: Recipe) -> Night:
    """Remove the instrument's signature from a drawn set."""
    manifest = read_manifest(drawn)
    known = {detector.id: _calibrations(drawn, manifest, detector.id) for detector in wanted.detectors}
    return clean_with(known, {raw.exposure: drawn / raw.path for raw in manifest.raws}, drawn, folder, wanted)


def clean_with(
    known: dict[int, Calibrations], raws: dict[int, Path], drawn: Path, folder: Path, wanted: Recipe
) -> Night:  # fmt: skip
    """Remove the instrument's signature with calibrations that are there."""
    for visit in wanted.visits:
        images, weights = [fits.PrimaryHDU()], [fits.PrimaryHDU()]
        for detector in wanted.detectors:
            raw = read_raw(raws[visit.exposure], detector=detector.id)
            exposure = remove_signature(raw, known[detector.id], dark_time=visit.exposure_time)
            header, weight = _plain(raw, exposure, known[detector.id].flat)
            images.append(fits.ImageHDU(exposure.image, header, name=detector.name))
            weights.append(fits.ImageHDU(weight, name=detector.name))
        fits.HDUList(images).writeto(folder / f"visit-{visit.exposure}.fits", overwrite=True)
        fits.HDUList(weights).writeto(folder / f"visit-{visit.exposure}.weight.fits", overwrite=True)
    for source, target in (("refcat.parq", REFERENCE), ("truth.parq", TRUTH)):
        _table(drawn / source).write(folder / target, overwrite=True)
    (folder / FACTS).write_text(json.dumps(wanted.model_dump(mode="json")))
    return open_night(folder)


def _calibrations(drawn: Path, manifest: TwinManifest, detector: int) -> Calibrations:
    """Make the master calibrations of a detector. Recipes of this benchmark have one epoch and one band."""

    def frames(kind: str) -> Iterator[Frame]:
        for one in manifest.calibrations:
            if one.kind == kind and detector in one.detectors:
                raw = read_raw(drawn / one.path, detector=detector)
                yield Frame(str(one.exposure), raw, float(raw.header.get("EXPTIME", 0.0)))

    bias = master_bias(frames("bias"))
    dark = master_dark(frames("dark"), bias=bias.image)
    flat = master_flat(frames("flat"), bias=bias.image)
    defects = find_defects(unstable_pixels(bias), dark.image, [flat.image])
    return Calibrations(bias.image, dark.image, flat.image, defects)


def _plain(raw: Raw, exposure: MaskedImage, flat: Pixels | None) -> tuple[fits.Header, Pixels]:
    """Make the header, and the weights that the sky alone would give: sources must not weigh down their own pixels."""
    bad = (exposure.mask & np.int16(Mask.BAD | Mask.NO_DATA | Mask.COSMIC_RAY)) != 0
    sky = float(np.median(exposure.image[::8][~bad[::8]]))
    photons = (np.maximum(exposure.image, 0) - sky) / (np.float32(1) if flat is None else flat)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = 1 / (exposure.variance - photons)
    weight[bad | ~np.isfinite(weight)] = 0
    full = min(segment.gain * (segment.saturation - float(np.median(segment.overscan))) for segment in raw.segments)
    header = fits.Header(exposure.header)
    header.update(
        CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CUNIT1="deg", CUNIT2="deg", RADESYS="ICRS", EQUINOX=2000.0,
        GAIN=1.0, SATURATE=0.95 * full, SKYLEVEL=sky, FILTER=BAND,
    )  # fmt: skip
    return header, weight.astype(np.float32)


def _table(path: Path) -> Table:
    from pyarrow import parquet

    found = parquet.read_table(path)
    return Table({name: found[name].to_numpy() for name in found.column_names})
