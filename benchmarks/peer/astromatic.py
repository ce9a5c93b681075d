"""The peer: source-extractor, SCAMP, SWarp, PSFEx, as one who knows them would set them for these pixels.

One thread each. Each visit is a file of several extensions, so that SCAMP knows the detectors' common focal plane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits
from astropy.table import Table

from benchmarks.peer.data import recipe_of
from benchmarks.peer.night import BAND, REFERENCE, SCALE
from benchmarks.peer.process import Cost, run
from qa.drp.algorithms.sources import kernel

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.peer.night import Night

MESH = 128
VISIT_KERNEL, VISIT_THRESHOLD = 3.0, 1.5
"""FWHM in px of the detection kernel on visits, threshold in sigma."""

STAMP = 25
APERTURES = "10,14,20"
"""Diameters in px: 2.5, 3.5 and 5 times the FWHM."""

VISIT_COLUMNS = (
    "NUMBER", "X_IMAGE", "Y_IMAGE", "XWIN_IMAGE", "YWIN_IMAGE", "ERRAWIN_IMAGE", "ERRBWIN_IMAGE", "ERRTHETAWIN_IMAGE",
    "FLUX_AUTO", "FLUXERR_AUTO", "FLUX_APER(3)", "FLUXERR_APER(3)", "FLUX_RADIUS", "SNR_WIN", "ELONGATION", "FLAGS",
    "FLAGS_WEIGHT", "CLASS_STAR",
)  # fmt: skip
COADD_COLUMNS = (
    "NUMBER", "XWIN_IMAGE", "YWIN_IMAGE", "X_IMAGE", "Y_IMAGE", "ALPHA_J2000", "DELTA_J2000", "FLUX_AUTO",
    "FLUXERR_AUTO", "FLUX_APER(3)", "FLUXERR_APER(3)", "FLUX_RADIUS", "A_IMAGE", "B_IMAGE", "THETA_IMAGE",
    "KRON_RADIUS", "FLAGS", "FLAGS_WEIGHT", "CLASS_STAR",
)  # fmt: skip

COMMON = {
    "FILTER": "Y", "DETECT_MINAREA": 5, "DEBLEND_NTHRESH": 32, "DEBLEND_MINCONT": 0.005, "CLEAN": "Y",
    "BACK_SIZE": MESH, "BACK_FILTERSIZE": 3, "WEIGHT_TYPE": "MAP_WEIGHT", "WEIGHT_GAIN": "N", "GAIN_KEY": "GAIN",
    "PHOT_APERTURES": APERTURES, "PHOT_AUTOPARAMS": "2.5,3.5", "PIXEL_SCALE": SCALE, "CHECKIMAGE_TYPE": "NONE",
    "STARNNW_NAME": "default.nnw", "VERBOSE_TYPE": "QUIET", "WRITE_XML": "N",
}  # fmt: skip
NETWORK = "/usr/share/source-extractor/default.nnw"


def options(values: dict[str, object]) -> list[str]:
    """Options of a command line."""
    return [word for name, value in values.items() for word in (f"-{name}", str(value))]


def write_inputs(night: Night) -> None:
    """Write what the programs want as files: columns, kernels and the reference catalogue."""
    folder = night.folder
    for name, columns in (("visit", VISIT_COLUMNS), ("psf", (*VISIT_COLUMNS, f"VIGNET({STAMP},{STAMP})")),
                          ("coadd", COADD_COLUMNS)):  # fmt: skip
        (folder / f"{name}.param").write_text("\n".join(columns) + "\n")
    _write_kernel(folder / "visit.conv", VISIT_KERNEL)
    _write_kernel(folder / "coadd.conv", coadd_fwhm(night))
    (folder / "default.nnw").write_text(open(NETWORK).read())  # noqa: PTH123, SIM115
    for name in ("default.sex", "default.scamp", "default.swarp", "default.psfex"):
        (folder / name).write_text("")
    _write_reference(folder)


def coadd_fwhm(night: Night) -> float:
    """FWHM of the coadd in px: that of the visits is known to whoever has looked at their catalogues."""
    return float(np.median([visit.seeing for visit in recipe_of(night).visits])) / SCALE


def _write_kernel(path: Path, fwhm: float) -> None:
    plane = kernel(fwhm)
    rows = "\n".join(" ".join(f"{value:.6f}" for value in row / plane.max()) for row in plane)
    path.write_text(f"CONV NORM\n# Gaussian, FWHM {fwhm:.2f} px\n{rows}\n")


def _write_reference(folder: Path) -> None:
    """Write the reference stars in the format SCAMP reads (FITS_LDAC)."""
    stars = Table.read(folder / REFERENCE)
    degrees = np.asarray(stars["ra_err"]) / 3.6e6
    zero = np.zeros(len(stars))
    values = {
        "X_WORLD": stars["ra"], "Y_WORLD": stars["dec"], "ERRA_WORLD": degrees, "ERRB_WORLD": degrees,
        "ERRTHETA_WORLD": zero, "MAG": stars[f"mag_{BAND}"], "MAGERR": stars[f"mag_err_{BAND}"],
        "OBSDATE": zero + 2019.1,
    }  # fmt: skip
    formats = {"MAG": "E", "MAGERR": "E"}
    units = {"X_WORLD": "deg", "Y_WORLD": "deg"}
    columns = [
        fits.Column(name, formats.get(name, "D"), array=np.asarray(value), unit=units.get(name))
        for name, value in values.items()
    ]
    text = fits.Header([("OBJECT", "reference")]).tostring(padding=False)
    lines = np.array([[text[at : at + 80] for at in range(0, len(text), 80)]])
    card = fits.Column("Field Header Card", f"{len(text)}A", array=lines, dim=f"(80, {lines.size})")
    header = fits.BinTableHDU.from_columns([card], name="LDAC_IMHEAD")
    table = fits.BinTableHDU.from_columns(columns, name="LDAC_OBJECTS")
    fits.HDUList([fits.PrimaryHDU(), header, table]).writeto(folder / "reference.cat", overwrite=True)


def detect(night: Night, *, stamps: bool = False) -> Cost:
    """Make a catalogue of each visit; with `stamps`, those that PSFEx needs."""
    kind, total = "psf" if stamps else "visit", Cost()
    for visit in night.visits:
        values = COMMON | {
            "PARAMETERS_NAME": f"{kind}.param", "CATALOG_NAME": f"{kind}-{visit}.cat", "CATALOG_TYPE": "FITS_LDAC",
            "FILTER_NAME": "visit.conv", "DETECT_THRESH": VISIT_THRESHOLD, "ANALYSIS_THRESH": VISIT_THRESHOLD,
            "WEIGHT_IMAGE": f"visit-{visit}.weight.fits", "SATUR_KEY": "SATURATE",
        }  # fmt: skip
        command = ["source-extractor", f"visit-{visit}.fits", "-c", "default.sex", *options(values)]
        total += run(command, folder=night.folder, log=f"{kind}.log")
    return total


def calibrate(night: Night) -> Cost:
    """Solve all visits together."""
    values = {
        "ASTREF_CATALOG": "FILE", "ASTREFCAT_NAME": "reference.cat", "ASTREFCENT_KEYS": "X_WORLD,Y_WORLD",
        "ASTREFERR_KEYS": "ERRA_WORLD,ERRB_WORLD,ERRTHETA_WORLD", "ASTREFMAG_KEY": "MAG", "ASTREFMAGERR_KEY": "MAGERR",
        "ASTREFOBSDATE_KEY": "OBSDATE", "CENTROID_KEYS": "XWIN_IMAGE,YWIN_IMAGE",
        "CENTROIDERR_KEYS": "ERRAWIN_IMAGE,ERRBWIN_IMAGE,ERRTHETAWIN_IMAGE", "DISTORT_DEGREES": 3,
        "STABILITY_TYPE": "INSTRUMENT", "MOSAIC_TYPE": "UNCHANGED", "SN_THRESHOLDS": "10.0,100.0",
        "PHOTFLUX_KEY": "FLUX_APER(2)", "PHOTFLUXERR_KEY": "FLUXERR_APER(2)",
        "CROSSID_RADIUS": 1.0,         "POSITION_MAXERR": 0.2, "POSANGLE_MAXERR": 0.5, "PIXSCALE_MAXERR": 1.01,
        "MATCH_FLIPPED": "N", "MATCH_RESOL": 2.0, "MATCH_NMAX": 300,
        "PHOTINSTRU_KEY": "FILTER", "MAGZERO_OUT": 31.4, "CHECKPLOT_TYPE": "NONE", "CHECKPLOT_DEV": "NULL",
        "WRITE_XML": "N", "VERBOSE_TYPE": "NORMAL", "NTHREADS": 1,
    }  # fmt: skip
    catalogs = [f"visit-{visit}.cat" for visit in night.visits]
    return run(["scamp", *catalogs, "-c", "default.scamp", *options(values)], folder=night.folder, log="scamp.log")


def coadd(night: Night) -> Cost:
    """Resample and combine the visits on the grid of our own coadd."""
    values = {
        "IMAGEOUT_NAME": "peer.fits", "WEIGHTOUT_NAME": "peer.weight.fits", "WEIGHT_TYPE": "MAP_WEIGHT",
        "COMBINE_TYPE": "CLIPPED", "CLIP_SIGMA": 4.0, "CLIP_AMPFRAC": 0.3, "RESAMPLING_TYPE": "LANCZOS3",
        "OVERSAMPLING": 0,         "CELESTIAL_TYPE": "EQUATORIAL", "PROJECTION_TYPE": "TAN", "CENTER_TYPE": "MANUAL",
        "CENTER": f"{night.centre[0]},{night.centre[1]}", "PIXELSCALE_TYPE": "MANUAL",
        "PIXEL_SCALE": night.scale, "IMAGE_SIZE": f"{night.npix},{night.npix}", "SUBTRACT_BACK": "Y",
        "BACK_SIZE": MESH, "BACK_FILTERSIZE": 3, "GAIN_KEYWORD": "GAIN", "SATLEV_KEYWORD": "SATURATE",
        "FSCALASTRO_TYPE": "VARIABLE", "DELETE_TMPFILES": "Y", "COMBINE_BUFSIZE": 1024, "MEM_MAX": 1024,
        "WRITE_XML": "N",         "VERBOSE_TYPE": "NORMAL", "NTHREADS": 1,
    }  # fmt: skip
    images = [f"visit-{visit}.fits" for visit in night.visits]
    # SWarp looks for the solutions of SCAMP under the names of the images.
    return run(["SWarp", *images, "-c", "default.swarp", *options(values)], folder=night.folder, log="swarp.log")


def measure(night: Night, *, significance: float) -> Cost:
    """Detect on the coadd, at so many sigma of the smoothed image."""
    threshold = significance * float(np.sqrt(np.sum(kernel(coadd_fwhm(night)) ** 2)))
    values = COMMON | {
        "PARAMETERS_NAME": "coadd.param", "CATALOG_NAME": f"peer-{significance:g}.cat", "CATALOG_TYPE": "FITS_LDAC",
        "FILTER_NAME": "coadd.conv", "DETECT_THRESH": threshold, "ANALYSIS_THRESH": threshold,
        "WEIGHT_IMAGE": "peer.weight.fits", "GAIN": 1e6, "SATUR_KEY": "SATURATE",
    }  # fmt: skip
    command = ["source-extractor", "peer.fits", "-c", "default.sex", *options(values)]
    return run(command, folder=night.folder, log="coadd.log")


def model_psf(night: Night) -> Cost:
    """Model the PSF of every detector of every visit from the catalogues with stamps."""
    values = {
        "BASIS_TYPE": "PIXEL_AUTO", "PSF_SAMPLING": 0.0, "PSF_SIZE": f"{STAMP},{STAMP}",
        "PSFVAR_KEYS": "X_IMAGE,Y_IMAGE", "PSFVAR_GROUPS": "1,1", "PSFVAR_DEGREES": 2,
        "CENTER_KEYS": "X_IMAGE,Y_IMAGE", "PHOTFLUX_KEY": "FLUX_APER(2)",
        "PHOTFLUXERR_KEY": "FLUXERR_APER(2)", "SAMPLE_AUTOSELECT": "Y", "SAMPLE_FWHMRANGE": "2.0,8.0",
        "SAMPLE_VARIABILITY": 0.2, "SAMPLE_MINSN": 30, "CHECKPLOT_TYPE": "NONE", "CHECKPLOT_DEV": "NULL",
        "CHECKIMAGE_TYPE": "NONE", "WRITE_XML": "N", "VERBOSE_TYPE": "NORMAL", "NTHREADS": 1,
    }  # fmt: skip
    catalogs = [f"psf-{visit}.cat" for visit in night.visits]
    return run(["psfex", *catalogs, "-c", "default.psfex", *options(values)], folder=night.folder, log="psfex.log")
