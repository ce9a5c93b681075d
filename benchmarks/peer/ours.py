"""Our chain of pure functions, one step per process: `python -m benchmarks.peer.ours STEP` in a prepared folder.

Between the steps lie files, as between the steps of the peer. The steps are `warm` (compiles the inner loops, once per
machine), `detect`, `calibrate`, `coadd` and `measure`; each but the first writes what it spent within the functions
that model the PSF, so that the chain can be compared with and without them.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from astropy.table import Table, vstack

from benchmarks.peer.night import BAND, REFERENCE, Night, open_night
from qa.drp.algorithms import characterize as characterizing
from qa.drp.algorithms import coadd as coadding
from qa.drp.algorithms import objects as measuring
from qa.drp.algorithms.calibrate import calibrate
from qa.drp.algorithms.observations import DetectorCatalog
from qa.drp.algorithms.rehearsal import rehearse
from qa.drp.algorithms.solution import solutions_from_table
from qa.drp.algorithms.warp import VisitInput
from qa.drp.crop import Cutouts
from qa.drp.cutouts import PLACE, PLANES, ImageFile
from qa.drp.image import Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.drp.algorithms.coadd import Coadd

PSF_FUNCTIONS = (
    (characterizing, "_with_pixels"), (characterizing, "psf_residuals"), (characterizing, "psf_flux"),
)  # fmt: skip
"""What a chain without PSF models and PSF photometry would not call."""


class Spent:
    """CPU seconds within some functions."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def watch(self, module: Any, name: str) -> None:  # noqa: ANN401 - any module
        """Replace a function of a module by one that adds its time here."""
        if hasattr(module, name):
            setattr(module, name, partial(self._timed, getattr(module, name)))

    def _timed(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        begin = time.process_time()
        try:
            return function(*args, **options)
        finally:
            self.seconds += time.process_time() - begin


def detect(night: Night) -> None:
    """Subtract the sky from every detector of every visit, find and measure its sources."""
    for visit in night.visits:
        name = f"visit-{visit}"
        with (
            fits.open(night.folder / f"{name}.fits") as images,
            fits.open(night.folder / f"{name}.weight.fits") as weights,
        ):
            for detector, image, weight in zip(night.detectors, images[1:], weights[1:], strict=True):
                found = characterizing.characterize(masked_image(image, weight))
                _write_image(night.folder / f"calexp-{visit}-{detector}.fits", found.image)
                _dump(night.folder / f"src-{visit}-{detector}.pickle", found.sources)


def masked_image(image: fits.ImageHDU, weight: fits.ImageHDU) -> MaskedImage:
    """Make a masked image of what the peer reads, too: the variance is the sky's and that of the sources' photons."""
    cards, pixels = image.header, image.data.astype(np.float32)
    weights = weight.data.astype(np.float32)
    mask = np.zeros(pixels.shape, dtype=np.int16)
    bad = weights <= 0
    mask[bad] = np.int16(Mask.BAD)
    full = pixels >= np.float32(cards["SATURATE"])
    if full.any():
        mask[full] |= np.int16(Mask.SATURATED)
    weights[bad] = 1
    variance = pixels - np.float32(cards["SKYLEVEL"])
    np.maximum(variance, 0, out=variance)
    variance += np.reciprocal(weights, out=weights)
    names = ("EXPTIME", "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CD1_1", "CD1_2", "CD2_1", "CD2_2", "GAIN")
    return MaskedImage(pixels, variance, mask, {name: cards[name] for name in names if name in cards})


def solve(night: Night) -> None:
    """Calibrate all exposures together."""
    catalogs = [
        DetectorCatalog(visit, detector, _load(night.folder / f"src-{visit}-{detector}.pickle"))
        for visit in night.visits
        for detector in night.detectors
    ]
    found = calibrate(catalogs, Table.read(night.folder / REFERENCE), band=BAND)
    _dump(night.folder / "solutions.pickle", found.solutions)
    _dump(night.folder / "matched.pickle", found.matched)


def coadd(night: Night) -> None:
    """Coadd patch by patch."""
    table = _load(night.folder / "solutions.pickle")
    solutions = solutions_from_table(table)
    for number, (_, outer) in enumerate(night.patches()):
        near = [one for one in solutions.values() if one.overlaps(night.grid, outer)]
        inputs = [VisitInput(one, _cutouts(night.folder / f"calexp-{one.visit}-{one.detector}.fits")) for one in near]
        found = coadding.coadd_visits(inputs, night.grid, outer)
        _write_image(night.folder / f"coadd-{number}.fits", found.image)
        fits.PrimaryHDU(found.n_visits).writeto(night.folder / f"coadd-{number}.n_visits.fits", overwrite=True)
        _dump(night.folder / f"coadd-{number}.psf.pickle", coadding.contributions_to_table(found.contributions, table))


def measure(night: Night, *, significance: float) -> None:
    """Find and measure the objects of every patch; those of all patches are one table."""
    measuring.SIGNIFICANCE = significance
    found = []
    for number, (inner, outer) in enumerate(night.patches()):
        one = measuring.measure_coadd(_read_coadd(night, number), night.grid, patch=number, outer=outer, inner=inner)
        found.append(one.objects[one.objects["primary"]])
    _dump(night.folder / f"objects-{significance:g}.pickle", vstack(found, metadata_conflicts="silent"))


def _read_coadd(night: Night, number: int) -> Coadd:
    with fits.open(night.folder / f"coadd-{number}.fits", memmap=False) as hdus:
        kinds = zip(PLANES, (np.float32, np.float32, np.int16), strict=True)
        image = MaskedImage(*(hdus[name].data.astype(kind) for name, kind in kinds), _cards(hdus[0].header))
    n_visits = fits.getdata(night.folder / f"coadd-{number}.n_visits.fits").astype(np.int16)
    used = coadding.contributions_from_table(_load(night.folder / f"coadd-{number}.psf.pickle"))
    return coadding.Coadd(image, n_visits, used)


def _write_image(path: Path, image: MaskedImage) -> None:
    """Write a masked image in the layout of the pipeline's own files."""
    primary, (ny, nx) = fits.PrimaryHDU(), image.shape
    for card, value in (dict(zip(PLACE, (0, 0, nx, ny), strict=True)) | image.header).items():
        primary.header[card] = value
    planes = zip(PLANES, (image.image, image.variance, image.mask.astype(np.uint8)), strict=True)
    fits.HDUList([primary, *(fits.ImageHDU(plane, name=name) for name, plane in planes)]).writeto(path, overwrite=True)


def _cutouts(path: Path) -> Cutouts:
    file, numbers = ImageFile.of(path)
    return Cutouts(numbers, file.cut)


def _cards(header: fits.Header) -> dict[str, Any]:
    structural = {"SIMPLE", "BITPIX", "NAXIS", "EXTEND", *PLACE}
    return {card: value for card, value in header.items() if card not in structural}


def _dump(path: Path, table: Table) -> None:
    path.write_bytes(pickle.dumps(table, protocol=5))


def _load(path: Path) -> Table:
    table: Table = pickle.loads(path.read_bytes())  # noqa: S301 - written by the step before
    return table


def main() -> None:
    """Do one step in the current folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=("warm", "detect", "calibrate", "coadd", "measure"))
    parser.add_argument("--significance", type=float, default=measuring.SIGNIFICANCE)
    options = parser.parse_args()
    spent = Spent()
    for module, name in PSF_FUNCTIONS:
        spent.watch(module, name)
    match options.step:
        case "warm":
            rehearse()
        case "detect":
            detect(open_night(Path()))
        case "calibrate":
            solve(open_night(Path()))
        case "coadd":
            coadd(open_night(Path()))
        case "measure":
            measure(open_night(Path()), significance=options.significance)
    Path(f"psf-{options.step}.json").write_text(json.dumps({"seconds": spent.seconds}))


if __name__ == "__main__":
    main()
