"""The sky that both chains process: four 2048 x 2048 detectors of DECam's kind, dithered visits in one band."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peer.night import BAND, SCALE
from qa.twins.recipe import Band, Detector, Electronics, Epoch, Optics, Population, Psf, Recipe, Reference, Tract, Visit

if TYPE_CHECKING:
    from numpy.random import Generator

GAP = 100
"""Pixels between neighbouring detectors."""

DITHER = 30.0
"""Arcsec that pointings scatter in right ascension and declination, at most."""

FIRST_EXPOSURE = 900_001
PATCH, BORDER = 1600, 50
"""Largest side of a patch of the coadd, and what it reaches beyond, in pixels."""

EDGE = 100
"""Pixels of tract beyond the outermost detector."""


def recipe(*, seed: int, visits: int, detectors: int, side: int) -> Recipe:
    """Write the recipe of a set; everything in it follows from the seed.

    Seeing, its ellipticity, transparency, sky and pointing error differ from visit to visit; the PSF and the zero point
    vary over the field, and a radial distortion of 2 arcsec at 14 arcmin is left out of the headers.
    """
    rng = np.random.default_rng([seed, visits, detectors])
    columns = int(np.ceil(np.sqrt(detectors)))
    rows = -(-detectors // columns)
    pitch = side + GAP
    widest = (columns - 1) * pitch + side
    patches = -(-int(widest + 2 * (DITHER / SCALE + EDGE)) // PATCH)
    patch = -(-int(widest + 2 * (DITHER / SCALE + EDGE)) // patches)
    centres = [
        ((index % columns - (columns - 1) / 2) * pitch, (index // columns - (rows - 1) / 2) * pitch)
        for index in range(detectors)
    ]
    return Recipe(
        camera="decam",
        seed=seed,
        centre=(150.1, 2.2),
        detector_shape=(side, side),
        detectors=tuple(Detector(id=1 + n, name=f"S{1 + n}", centre=centre) for n, centre in enumerate(centres)),
        optics=Optics(pixel_scale=SCALE, rotation=90.0, mirrored=True, radius=14.0, distortion=2.0),
        psf=Psf(beta=2.5, growth=0.06, shear=0.02),
        electronics=Electronics(gain=4.4, read_noise=7.1, bias=1900.0, saturation=43000.0),
        bands={BAND: Band(physical_filter="r DECam SDSS c0002 6415.0 1480.0", zero_point=26.9)},
        # Thrice the stars of the COSMOS field: what is measured of them gets smaller errors.
        stars=Population(density=8.0, brightest=14.5, faintest=25.5, slope=0.16),
        galaxies=Population(density=30.0, brightest=18.5, faintest=25.5, slope=0.3),
        reference=Reference(brightest=16.2, faintest=21.6),
        epochs=(Epoch(begin=datetime(2019, 2, 8), exposure=899_001),),  # noqa: DTZ001 - recipes are in UTC
        visits=tuple(_visit(rng, number) for number in range(visits)),
        tract=Tract(pixel_scale=SCALE, npix=patches * patch, patch_npix=patch, border=BORDER),
    )


def _visit(rng: Generator, number: int) -> Visit:
    begin = datetime(2019, 2, 10, 3, tzinfo=UTC) + timedelta(minutes=2 * number)
    dither, error = rng.uniform(-DITHER, DITHER, 2), rng.uniform(-2.0, 2.0, 2)
    e1, e2 = rng.uniform(-0.03, 0.03, 2)
    return Visit(
        exposure=FIRST_EXPOSURE + number,
        band=BAND,
        begin=begin.replace(tzinfo=None),
        exposure_time=90.0,
        dither=(float(dither[0]), float(dither[1])),
        seeing=float(rng.uniform(0.85, 1.1)),
        ellipticity=(float(e1), float(e2)),
        transparency=float(rng.uniform(-0.1, 0.05)),
        sky=float(rng.uniform(20.8, 21.0)),
        pointing_error=(float(error[0]), float(error[1])),
    )
