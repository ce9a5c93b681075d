"""Instrument signature removal: from amplifier segments in ADU to one detector in electrons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from qa.drp.algorithms.background import grown
from qa.drp.algorithms.cosmics import cosmic_rays
from qa.drp.algorithms.crosstalk import without_crosstalk
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.image import Mask, MaskedImage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qa.drp.image import Box, MaskPixels, Pixels, Raw, Segment

OVERSCAN_ROWS = 31
"""Rows over which the overscan level is smoothed: the median of one row alone would print its own noise."""

LOWEST_FLAT = 0.1
"""Pixels of a flat below this are dead."""

CARDS = ("EXPTIME", "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CD1_1", "CD1_2", "CD2_1", "CD2_2")
"""What later steps need of the raw header."""

_FEWEST_COLUMNS = 4
_OVERSCAN_CLIP = 4.0
# Columns on either side of where two amplifiers meet.
_STRIP = 8


@dataclass(frozen=True, slots=True)
class Calibrations:
    """What is known about a detector; None where nothing is, planes of shape (ny, nx).

    `bias` in ADU, `dark` in electron/s, `flat` normalised to 1, `defects` not 0 where a pixel is bad; `crosstalk` is
    the fraction of an amplifier's signal that appears in the next one, in the next but one, and so on.
    """

    bias: Pixels | None = None
    dark: Pixels | None = None
    flat: Pixels | None = None
    defects: NDArray[np.integer[Any]] | None = None
    crosstalk: Sequence[float] = ()

    def insist_on(self, shape: tuple[int, int]) -> None:
        """Refuse planes of another shape.

        Raises
        ------
        UnusableImageError
            If there is one.
        """
        for name in ("bias", "dark", "flat", "defects"):
            plane = getattr(self, name)
            if plane is not None and plane.shape != shape:
                raise UnusableImageError(what=name, required=f"shape {shape}", found=f"{plane.shape}")


def remove_signature(raw: Raw, known: Calibrations, *, dark_time: float = 0.0) -> MaskedImage:
    """Assemble a detector and remove overscan, crosstalk, bias, dark current and flat field; mask what is spoilt.

    Parameters
    ----------
    raw
        Segments in ADU.
    known
        The calibrations to apply.
    dark_time
        How long charge gathered in the dark, in seconds.

    Returns
    -------
    exposure
        Electrons. The variance is read noise and photons. `NO_DATA` pixels have image 0 and infinite variance.
        `BAD`, `SATURATED` (with its neighbours) and `COSMIC_RAY` are set in the mask. The header tells the rms of the
        overscan in electron (OSCANRMS), its ratio to the read noise that the cards claim (OSCANREL), what is left of
        steps between amplifiers (AMPSTEP), and how many pixels are SATPIX saturated, BADPIX bad and CRPIX hit by
        cosmic rays.

    Raises
    ------
    UnusableImageError
        If no pixel is usable or a calibration does not fit.
    """
    known.insist_on(raw.shape)
    exposure = _assemble(raw, known)
    if known.dark is not None and dark_time > 0:
        exposure.image -= known.dark * np.float32(dark_time)
    _flatten(exposure, known.flat)
    if known.defects is not None:
        exposure.mask |= (known.defects != 0) * np.int16(Mask.BAD)
    _blank(exposure)
    exposure.mask |= cosmic_rays(exposure) * np.int16(Mask.COSMIC_RAY)
    exposure.header.update(_steps(exposure, [segment.target for segment in raw.segments]))
    for card, bit in (("SATPIX", Mask.SATURATED), ("BADPIX", Mask.BAD), ("CRPIX", Mask.COSMIC_RAY)):
        exposure.header[card] = int(np.count_nonzero(exposure.mask & np.int16(bit)))
    return exposure


def signals(raw: Raw, crosstalk: Sequence[float] = ()) -> list[Pixels]:
    """Pixels of each amplifier in ADU over its overscan, without crosstalk."""
    found = [segment.data - overscan_level(segment.overscan)[:, None] for segment in raw.segments]
    return without_crosstalk(raw.segments, found, crosstalk) if len(crosstalk) else found


def assembled(raw: Raw, parts: Sequence[Pixels]) -> Pixels:
    """Put the amplifiers' pixels into one plane; NaN where there is none."""
    plane = np.full(raw.shape, np.nan, dtype=np.float32)
    for segment, part in zip(raw.segments, parts, strict=True):
        plane[segment.target.slices] = part
    return plane


def _assemble(raw: Raw, known: Calibrations) -> MaskedImage:
    image = np.zeros(raw.shape, dtype=np.float32)
    variance = np.full(raw.shape, np.inf, dtype=np.float32)
    mask = np.full(raw.shape, int(Mask.NO_DATA), dtype=np.int16)
    for segment, signal in zip(raw.segments, signals(raw, known.crosstalk), strict=True):
        place = segment.target.slices
        electrons = signal if known.bias is None else signal - known.bias[place]
        electrons *= np.float32(segment.gain)
        image[place] = electrons
        variance[place] = np.maximum(electrons, 0) + np.float32(segment.read_noise**2)
        mask[place] = _flag(segment)
    gains = [segment.gain for segment in raw.segments]
    header = {card: raw.header[card] for card in CARDS if card in raw.header}
    return MaskedImage(image, variance, mask, header | {"GAIN": float(np.mean(gains)) if gains else 1.0} | _noise(raw))


def _noise(raw: Raw) -> dict[str, float]:
    """Cards of the noise in the overscan: the median amplifier's, in electron and relative to what the cards claim."""
    measured = {segment.name: overscan_rms(segment) for segment in raw.segments}
    known = [(measured[one.name], one.read_noise) for one in raw.segments if np.isfinite(measured[one.name])]
    if not known:
        return {}
    ratios = [rms / claimed for rms, claimed in known if claimed > 0]
    cards = {"OSCANRMS": float(np.median([rms for rms, _ in known]))}
    return cards | ({"OSCANREL": float(np.median(ratios))} if ratios else {})


def _steps(exposure: MaskedImage, places: Sequence[Box]) -> dict[str, float]:
    """Card of the rms step of the sky where amplifiers meet side by side, relative to the sky; none if none do.

    Good masters leave none but noise: a gain that changed since the flats were taken, or a wrong bias, shows here.
    """
    pairs = [(a, b) for a in places for b in places if (a.x1, a.y0, a.y1) == (b.x0, b.y0, b.y1)]
    steps = []
    for left, right in pairs:
        rows = slice(left.y0, left.y1)
        level, other = (
            float(np.median(exposure.image[rows, columns]))
            for columns in (slice(left.x1 - _STRIP, left.x1), slice(right.x0, right.x0 + _STRIP))
        )
        if level + other > 0:
            steps.append(2 * (other - level) / (other + level))
    return {"AMPSTEP": float(np.sqrt(np.mean(np.square(steps))))} if steps else {}


def overscan_rms(segment: Segment) -> float:
    """Rms of the overscan about its level, in electron; NaN where there is nothing to measure.

    Every fourth row is enough. Values farther than four times the rms are left out once; quantiles would not do, since
    the noise of many cameras is no more than a few of the integers that they write.
    """
    rows = segment.overscan[::4]
    if rows.shape[1] < _FEWEST_COLUMNS:
        return float("nan")
    rest = (rows - overscan_level(rows)[:, None]).ravel()
    rest = rest[np.isfinite(rest)]
    if not rest.size:
        return float("nan")
    kept = rest[np.abs(rest) <= _OVERSCAN_CLIP * np.std(rest)]
    return float(np.std(kept)) * segment.gain


def overscan_level(overscan: Pixels) -> Pixels:
    """Level of every row in ADU: the rows' medians, smoothed; rows that cannot be read take the level of the others."""
    if overscan.size == 0:
        return np.zeros(overscan.shape[0], dtype=np.float32)
    rows = np.median(overscan, axis=1)
    good = np.isfinite(rows)
    if not good.any():
        return np.zeros(overscan.shape[0], dtype=np.float32)
    rows = np.where(good, rows, np.median(rows[good]))
    size = min(OVERSCAN_ROWS, len(rows))
    level: Pixels = ndimage.uniform_filter1d(rows.astype(np.float64), size, mode="nearest").astype(np.float32)
    return level


def _flag(segment: Segment) -> MaskPixels:
    mask = np.zeros(segment.data.shape, dtype=np.int16)
    full = segment.data >= np.float32(segment.saturation)
    if full.any():
        # Charge spills over into the neighbours.
        mask[grown(full, 1)] = Mask.SATURATED
    mask[~np.isfinite(segment.data)] |= np.int16(Mask.NO_DATA)
    return mask


def _flatten(exposure: MaskedImage, flat: Pixels | None) -> None:
    if flat is None:
        return
    live = flat > LOWEST_FLAT  # false for NaN, too
    if not live.all():
        exposure.mask[~live] |= np.int16(Mask.BAD)
        flat = np.where(live, flat, np.float32(1))
    exposure.image /= flat
    exposure.variance /= flat
    exposure.variance /= flat


def _blank(exposure: MaskedImage) -> None:
    unknown = ~np.isfinite(exposure.image)
    unknown |= (exposure.mask & np.int16(Mask.NO_DATA)) != 0
    if unknown.any():
        exposure.image[unknown] = 0
        exposure.variance[unknown] = np.inf
        exposure.mask[unknown] |= np.int16(Mask.NO_DATA)
    if ((exposure.mask & np.int16(Mask.NO_DATA | Mask.BAD)) != 0).all():
        raise UnusableImageError(what="detector", required="pixels with data", found="none")
