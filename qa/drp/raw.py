"""Reading raw exposures of the sponsored cameras: pixels by amplifier, cards, and what they mean.

Whatever is wrong with a file is a `RawError` of one line. Instrument signature removal is not done here.
"""

from __future__ import annotations

import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from qa.drp.image import Raw
from qa.drp.layouts import LAYOUTS, Cards, Layout, RawError, cut_segment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from astro_metadata_translator import ObservationInfo

__all__ = [
    "DetectorFacts",
    "RawError",
    "RawFile",
    "describe_raw",
    "detector_header",
    "detector_ids",
    "kind_of",
    "observation_info",
    "read_raw",
]

_WCS_CARDS = ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CD1_1", "CD1_2", "CD2_1", "CD2_2")
_REQUIRED = frozenset(
    {"instrument", "exposure_id", "datetime_begin", "datetime_end", "exposure_time", "observation_type"}
)
_REQUIRED_OF_THE_SKY = frozenset({"visit_id", "physical_filter", "tracking_radec", "boresight_airmass"})
_KINDS = {
    "science": "science",
    "bias": "bias",
    "zero": "bias",
    "dark": "dark",
    "flat": "flat",
    "dome flat": "flat",
    "domeflat": "flat",
    "sky flat": "flat",
    "skyflat": "flat",
}


@dataclass(frozen=True, slots=True)
class _Detector:
    """One detector within an open file; `kind` is what the exposure was taken for, as `kind_of` has it."""

    id: int
    layout: Layout
    cards: Cards
    hdus: list[Any]
    kind: str


def kind_of(observation_type: str) -> str:
    """Translate the cameras' words for what an exposure is taken for; those not known stay as they are.

    >>> kind_of("zero"), kind_of("Dome Flat"), kind_of("focus")
    ('bias', 'flat', 'focus')
    """
    word = observation_type.strip().lower()
    return _KINDS.get(word, word)


def read_raw(path: Path, *, detector: int) -> Raw:
    """Read one detector of a raw exposure.

    The header holds EXPTIME and, of an exposure of the sky, a crude linear TAN WCS of the assembled detector, off by
    the pointing error.

    Raises
    ------
    RawError
        If the file is damaged, lacks a card, or does not hold that detector.
    """
    with _opened(path) as hdus:
        chosen = _select(path, hdus, detector)
        headers = [hdu.header for hdu in chosen.hdus]
        amplifiers = list(chosen.layout.amplifiers(chosen.cards, headers))
        with _damage_told(path):
            frames = [hdu.data for hdu in chosen.hdus]
        # One frame per amplifier, or one frame for all of them.
        if len(frames) == 1:
            frames *= len(amplifiers)
        pairs = zip(frames, amplifiers, strict=True)
        segments = tuple(cut_segment(path, frame, amplifier) for frame, amplifier in pairs)
        shape = max(part.target.y1 for part in segments), max(part.target.x1 for part in segments)
        return Raw(_trimmed(chosen), shape, segments)


@dataclass(frozen=True, slots=True)
class DetectorFacts:
    """One detector in a raw file: its id, its name in the focal plane, its shape (ny, nx) and its header."""

    id: int
    name: str
    shape: tuple[int, int]
    header: fits.Header


@dataclass(frozen=True, slots=True)
class RawFile:
    """What is in a raw file, without its pixels; `kind` is what the exposure was taken for, as `kind_of` has it."""

    info: ObservationInfo
    kind: str
    detectors: tuple[DetectorFacts, ...]


def describe_raw(path: Path) -> RawFile:
    """Read all that the cards of a raw file tell.

    Raises
    ------
    RawError
        If the file is damaged, of an unknown camera, or lacks a card that says when, where or how long.
    """
    with _opened(path) as hdus:
        found = list(_detectors(path, hdus))
        infos = [_translated(path, one) for one in found]
        facts = tuple(
            DetectorFacts(one.id, info.detector_unique_name or str(one.id), _shape(one), _trimmed(one))
            for one, info in zip(found, infos, strict=True)
        )
        return RawFile(infos[0], found[0].kind, facts)


def _shape(detector: _Detector) -> tuple[int, int]:
    headers = [hdu.header for hdu in detector.hdus]
    boxes = [amplifier.target.box for amplifier in detector.layout.amplifiers(detector.cards, headers)]
    return max(box.y1 for box in boxes), max(box.x1 for box in boxes)


def detector_header(path: Path, *, detector: int) -> fits.Header:
    """Read the header that `read_raw` would return, without the pixels."""
    with _opened(path) as hdus:
        return _trimmed(_select(path, hdus, detector))


def detector_ids(path: Path) -> tuple[int, ...]:
    """Ids of the detectors in a raw file, in its order."""
    with _opened(path) as hdus:
        return tuple(found.id for found in _detectors(path, hdus))


def observation_info(path: Path, *, detector: int | None = None) -> ObservationInfo:
    """Translate the cards of a raw exposure; of its first detector unless one is named.

    Raises
    ------
    RawError
        If the file is damaged, of an unknown camera, or lacks a card that says when, where or how long.
    """
    with _opened(path) as hdus:
        return _translated(path, next(_detectors(path, hdus)) if detector is None else _select(path, hdus, detector))


def _translated(path: Path, detector: _Detector) -> ObservationInfo:
    from astro_metadata_translator import ObservationInfo  # noqa: PLC0415 - costs 0.3 s

    required = _REQUIRED | _REQUIRED_OF_THE_SKY if detector.kind == "science" else _REQUIRED
    try:
        return ObservationInfo(detector.cards.header, filename=str(path), required=set(required))
    except (KeyError, ValueError, TypeError) as error:
        wanted = "a raw exposure whose cards say when, where and how long it was taken"
        raise RawError(path, wanted, f"something else ({str(error).splitlines()[0]})") from error


@contextmanager
def _opened(path: Path) -> Iterator[fits.HDUList]:
    with ExitStack() as stack:
        with _damage_told(path):
            # Opened here: astropy leaves its own handle open when it stumbles.
            stream = stack.enter_context(path.open("rb"))
            hdus = stack.enter_context(fits.open(stream, memmap=False))
            len(hdus)  # reads all headers
        yield hdus


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """Turn whatever is wrong with a file as a FITS file into a `RawError`."""
    try:
        with warnings.catch_warnings():
            # astropy only warns of a truncated file, and would hand out what is left of it.
            warnings.simplefilter("error", AstropyUserWarning)
            yield
    except FileNotFoundError:
        raise RawError(path, "a FITS file", "no such file") from None
    except (OSError, TypeError, ValueError, AstropyUserWarning) as error:
        found = str(error).splitlines() or [type(error).__name__]
        raise RawError(path, "a complete FITS file", f"a damaged one ({found[0]})") from error


def _select(path: Path, hdus: fits.HDUList, detector: int) -> _Detector:
    found = {each.id: each for each in _detectors(path, hdus)}
    if detector not in found:
        raise RawError(path, f"a raw exposure of detector {detector}", f"detector {', '.join(map(str, found))}")
    return found[detector]


def _detectors(path: Path, hdus: fits.HDUList) -> Iterator[_Detector]:
    pictures = [hdu for hdu in hdus if hdu.header.get("NAXIS") == 2]  # noqa: PLR2004 - a picture has two axes
    if not pictures:
        raise RawError(path, "a raw exposure", "a FITS file without pictures")
    primary = hdus[0].header
    translator = _translator(path, primary if "INSTRUME" in primary else pictures[0].header)
    layout = LAYOUTS[translator.name]
    for group in [[hdu] for hdu in pictures] if layout.per_extension else [pictures]:
        header = _inherited(primary, group[0].header) if layout.per_extension else primary
        number, kind = _identity(path, translator, header)
        yield _Detector(number, layout, Cards(path, header), group, kind)


def _inherited(primary: fits.Header, extension: fits.Header) -> fits.Header:
    if not extension.get("INHERIT", False):
        return extension
    header = primary.copy(strip=True)
    header.update(extension)
    return header


def _translator(path: Path, header: fits.Header) -> Any:  # noqa: ANN401 - a translator class
    from astro_metadata_translator import MetadataTranslator  # noqa: PLC0415

    import qa.translators  # noqa: F401, PLC0415 - makes the cameras known that the package lacks

    try:
        translator = MetadataTranslator.determine_translator(header, filename=str(path))
    except ValueError:
        translator = None
    if translator is None or translator.name not in LAYOUTS:
        found = repr(header.get("INSTRUME", "no card INSTRUME"))
        raise RawError(path, f"a raw exposure of {', '.join(LAYOUTS)}", found)
    return translator


def _identity(path: Path, translator: Any, header: fits.Header) -> tuple[int, str]:  # noqa: ANN401
    """Tell detector and kind of an exposure."""
    translated = translator(header, filename=str(path))
    try:
        return int(translated.to_detector_num()), kind_of(translated.to_observation_type())
    except (KeyError, ValueError) as error:
        raise RawError(path, "a raw exposure whose cards name the detector and the type", f"none ({error})") from error


def _trimmed(detector: _Detector) -> fits.Header:
    """Copy the detector's header with the WCS moved to the assembled detector."""
    cards = detector.cards
    cards.number("EXPTIME")
    header = cards.header.copy(strip=True)
    if detector.kind != "science":
        return header
    for key in _WCS_CARDS:
        cards.number(key)
    x0, y0 = detector.layout.corner(cards)
    header["CRPIX1"] -= x0
    header["CRPIX2"] -= y0
    return header
