"""What lies in the folder of a drawn twin: which raws, calibrations and catalogues, and what was injected.

Reading a manifest needs no drawing library.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - pydantic resolves the annotations at run time

from qa.documents import read_document, write_document

FILE_NAME = "manifest.json"
REDRAW = "remove its folder from the cache, and it is drawn again"


@dataclass(frozen=True, slots=True)
class TwinDetector:
    """One detector: the camera's own id and name, and the shape (ny, nx) of its trimmed assembled image."""

    id: int
    name: str
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True)
class TwinRaw:
    """One raw file, relative to the folder; a multi-extension file holds several detectors."""

    path: str
    exposure: int
    detectors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TwinCalibration:
    """One raw calibration exposure: a `bias`, a `dark` or a `flat`.

    The exposures of one `group` make master calibrations together, which are valid for begin <= date < end, ISO dates
    in TAI; None is open.
    """

    kind: str
    path: str
    exposure: int
    detectors: tuple[int, ...]
    group: str
    begin: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True)
class TwinTract:
    """The square TAN tract that covers all detectors.

    Centre in degrees, `pixel_scale` in arcsec, `npix` the side of the tract, `patch_npix` the side of a
    patch's inner region, `border` the pixels a patch reaches beyond it.
    """

    ra: float
    dec: float
    pixel_scale: float
    npix: int
    patch_npix: int
    border: int


@dataclass(frozen=True, slots=True)
class TwinInjected:
    """What was injected into one detector of one exposure, at the detector's centre.

    `zero_point` is the AB magnitude of one electron in the exposure, `sky` in electron per pixel, `fwhm`
    in arcsec; e1 and e2 are (xx-yy)/(xx+yy) and 2xy/(xx+yy) of the PSF along the pixel axes.
    """

    exposure: int
    detector: int
    zero_point: float
    sky: float
    fwhm: float
    e1: float
    e2: float


@dataclass(frozen=True, slots=True)
class TwinManifest:
    """Contents of a twin's folder, or of a user's own; paths are relative to it or absolute.

    `crosstalk` is the fraction of an amplifier's signal that appears in the next one, in the next but one, and so on.
    Without a reference catalogue nothing can be tied to the sky; without truth nothing is compared with it.
    """

    camera: str
    dataset: str
    instrument: str
    detectors: tuple[TwinDetector, ...]
    filters: dict[str, str]
    raws: tuple[TwinRaw, ...]
    calibrations: tuple[TwinCalibration, ...]
    refcat: str | None
    truth: str | None
    tract: TwinTract
    injected: tuple[TwinInjected, ...] = ()
    crosstalk: tuple[float, ...] = ()


def write_manifest(folder: Path, manifest: TwinManifest) -> None:
    """Write the manifest of a folder."""
    write_document(folder / FILE_NAME, "twin", manifest, TwinManifest)


def read_manifest(folder: Path) -> TwinManifest:
    """Read the manifest of a folder.

    Raises
    ------
    qa.errors.DocumentError
        If it is absent or not a manifest.
    """
    path = folder.resolve() / FILE_NAME  # not the link of the run: the folder that would have to be removed
    manifest: TwinManifest = read_document(path, "twin", TwinManifest, action=REDRAW)
    return manifest
