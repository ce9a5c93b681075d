"""Instrument signature removal: from amplifier segments in ADU to one detector in electrons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from qa.drp.algorithms.background import grown
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.image import Mask, MaskedImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qa.drp.image import MaskPixels, Pixels, Raw, Segment

OVERSCAN_ROWS = 31
"""Rows over which the overscan level is smoothed: the median of one row alone would print its own noise."""

LOWEST_FLAT = 0.1
"""Pixels of a flat below this are dead."""

CARDS = ("EXPTIME", "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CD1_1", "CD1_2", "CD2_1", "CD2_2")
"""What later steps need of the raw header."""


def remove_signature(
    raw: Raw, *, bias: Pixels | None, flat: Pixels | None, defects: NDArray[np.integer[Any]] | None
) -> MaskedImage:
    """Assemble a detector and remove overscan, bias and flat field.

    Parameters
    ----------
    raw
        Segments in ADU.
    bias
        ADU, to subtract after the overscan.
    flat
        Normalised to 1.
    defects
        Not 0 where a pixel is bad.

    Returns
    -------
    exposure
        Electrons. The variance is read noise and photons. `NO_DATA` pixels have image 0 and infinite variance.

    Raises
    ------
    UnusableImageError
        If no pixel is usable or a calibration has another shape.
    """
    for name, plane in (("bias", bias), ("flat", flat), ("defects", defects)):
        if plane is not None and plane.shape != raw.shape:
            raise UnusableImageError(what=name, required=f"shape {raw.shape}", found=f"{plane.shape}")
    exposure = _assemble(raw, bias)
    _flatten(exposure, flat)
    if defects is not None:
        exposure.mask[defects != 0] |= Mask.BAD
    _blank(exposure)
    return exposure


def _assemble(raw: Raw, bias: Pixels | None) -> MaskedImage:
    image = np.zeros(raw.shape, dtype=np.float32)
    variance = np.full(raw.shape, np.inf, dtype=np.float32)
    mask = np.full(raw.shape, int(Mask.NO_DATA), dtype=np.int16)
    for segment in raw.segments:
        place = segment.target.slices
        electrons = _electrons(segment, None if bias is None else bias[place])
        image[place] = electrons
        variance[place] = np.maximum(electrons, 0) + np.float32(segment.read_noise**2)
        mask[place] = _flag(segment)
    gains = [segment.gain for segment in raw.segments]
    header = {card: raw.header[card] for card in CARDS if card in raw.header}
    return MaskedImage(image, variance, mask, header | {"GAIN": float(np.mean(gains)) if gains else 1.0})


def _electrons(segment: Segment, bias: Pixels | None) -> Pixels:
    electrons = segment.data.astype(np.float32)
    electrons -= overscan_level(segment.overscan)[:, None]
    if bias is not None:
        electrons -= bias
    electrons *= np.float32(segment.gain)
    return electrons


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
