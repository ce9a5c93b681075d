"""How each sponsored camera lays a detector out in a raw file, told from the file's own header cards.

One entry of `LAYOUTS` per camera: which HDUs are a detector, and which cards describe its amplifiers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.drp.image import Box, Segment
from qa.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from astropy.io.fits import Header
    from numpy.typing import NDArray

_SECTION = re.compile(r"\[(\d+):(\d+),(\d+):(\d+)\]")
# Nominal values of HSC, whose cards carry neither (obs_subaru, hsc/camera/camera.py gives them per amplifier).
_HSC_READ_NOISE = 4.5
_HSC_SATURATION = 60000.0


class RawError(DocumentError):
    """A raw file cannot be read."""

    def __init__(self, path: Path | str, required: str, found: str) -> None:
        super().__init__(path, required=required, found=found, action="fetch or draw the file again")


@dataclass(frozen=True, slots=True)
class Section:
    """A FITS section `[x1:x2,y1:y2]` as a box, and whether it runs backwards along an axis."""

    box: Box
    flip_x: bool = False
    flip_y: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (ny, nx)."""
        return self.box.y1 - self.box.y0, self.box.x1 - self.box.x0


def format_section(section: Section) -> str:
    """Write a section as a FITS card has it.

    >>> format_section(Section(Box(0, 0, 4, 2), flip_x=True))
    '[4:1,1:2]'
    """
    box = section.box
    columns, rows = (box.x0 + 1, box.x1), (box.y0 + 1, box.y1)
    x1, x2 = reversed(columns) if section.flip_x else columns
    y1, y2 = reversed(rows) if section.flip_y else rows
    return f"[{x1}:{x2},{y1}:{y2}]"


class Cards:
    """Header cards of which every missing or unusable one is a `RawError`."""

    def __init__(self, path: Path, header: Header) -> None:
        self.path, self.header = path, header

    def _value(self, key: str) -> Any:  # noqa: ANN401 - whatever the card holds
        value = self.header.get(key)
        if not isinstance(value, int | float | str):  # absent, or present without a value
            raise RawError(self.path, f"a raw exposure with the card {key}", "none")
        return value

    def number(self, key: str) -> float:
        """Value of a card that must be a number."""
        value = self._value(key)
        if isinstance(value, bool | str):
            raise RawError(self.path, f"a raw exposure with a number in the card {key}", repr(value))
        return float(value)

    def text(self, key: str) -> str:
        """Value of a card as text."""
        return str(self._value(key)).strip()

    def section(self, key: str) -> Section:
        """Value of a card that must be a section."""
        text = self.text(key).replace(" ", "")
        match = _SECTION.fullmatch(text)
        if not match:
            raise RawError(self.path, f"a raw exposure with a section [x1:x2,y1:y2] in the card {key}", repr(text))
        x1, x2, y1, y2 = (int(part) for part in match.groups())
        return Section(Box(min(x1, x2) - 1, min(y1, y2) - 1, max(x1, x2), max(y1, y2)), x1 > x2, y1 > y2)


@dataclass(frozen=True, slots=True)
class Amplifier:
    """Where one amplifier's pixels lie in the raw frame and in the assembled detector.

    `against` tells whether it is read against the detector's x and y axis.
    """

    name: str
    data: Section
    overscan: Section
    target: Section
    gain: float
    read_noise: float
    saturation: float
    against: tuple[bool, bool]


def _cut(path: Path, frame: NDArray[Any], section: Section, onto: Section) -> NDArray[np.float32]:
    """Cut a section out of a frame, oriented like the assembled detector."""
    ny, nx = frame.shape
    box = section.box
    if not (0 <= box.x0 < box.x1 <= nx and 0 <= box.y0 < box.y1 <= ny):
        raise RawError(path, f"a raw exposure whose sections lie within its {nx}x{ny} pixels", format_section(section))
    step_x = -1 if section.flip_x != onto.flip_x else 1
    step_y = -1 if section.flip_y != onto.flip_y else 1
    return np.ascontiguousarray(frame[box.slices][::step_y, ::step_x], dtype=np.float32)


def cut_segment(path: Path, frame: NDArray[Any], amplifier: Amplifier) -> Segment:
    """Cut one amplifier's pixels and the overscan beside them out of its raw frame."""
    data, target = amplifier.data, amplifier.target
    if data.shape != target.shape:
        required = f"a raw exposure whose amplifier {amplifier.name} fills {format_section(target)}"
        raise RawError(path, required, format_section(data))
    # Overscan sections may be higher than the data; the rows beside the data are wanted.
    box = amplifier.overscan.box
    beside = Section(Box(box.x0, data.box.y0, box.x1, data.box.y1), data.flip_x, data.flip_y)
    return Segment(
        amplifier.name,
        _cut(path, frame, data, target),
        _cut(path, frame, beside, target),
        target.box,
        amplifier.gain,
        amplifier.read_noise,
        amplifier.saturation,
        amplifier.against,
    )


def _hsc_box(cards: Cards, kind: str, channel: int) -> Box:
    x0, x1, y0, y1 = (int(cards.number(f"T_{kind}{end}{channel}{axis}")) for axis in (1, 2) for end in ("MN", "MX"))
    return Box(x0 - 1, y0 - 1, x1, y1)


def _hsc(cards: Cards, _: Sequence[Header]) -> Iterator[Amplifier]:
    x0 = 0
    for channel in range(1, 5):
        data = Section(_hsc_box(cards, "EF", channel))
        rows, columns = data.shape
        overscan = Section(_hsc_box(cards, "OS", channel))
        yield Amplifier(
            f"channel{channel}",
            data,
            overscan,
            Section(Box(x0, 0, x0 + columns, rows)),
            cards.number(f"T_GAIN{channel}"),
            _HSC_READ_NOISE,
            _HSC_SATURATION,
            # The overscan follows the data in time.
            (overscan.box.x0 < data.box.x0, False),
        )
        x0 += columns


def _two_amplifiers(
    data: str, overscan: str, target: str, saturation: str
) -> Callable[[Cards, Sequence[Header]], Iterator[Amplifier]]:
    """Tell the amplifiers A and B of one extension from the cards so called, plus the amplifier's letter."""

    def read(cards: Cards, _: Sequence[Header]) -> Iterator[Amplifier]:
        for letter in "AB":
            place = cards.section(target + letter)
            yield Amplifier(
                letter,
                cards.section(data + letter),
                cards.section(overscan + letter),
                place,
                cards.number(f"GAIN{letter}"),
                cards.number(f"RDNOISE{letter}"),
                cards.number(saturation + letter),
                # Each half is read towards its own side.
                (place.box.x0 > 0, False),
            )

    return read


def _lsst(cards: Cards, headers: Sequence[Header]) -> Iterator[Amplifier]:
    for header in headers:
        amplifier = Cards(cards.path, header)
        data, target = amplifier.section("DATASEC"), amplifier.section("DETSEC")
        yield Amplifier(
            amplifier.text("EXTNAME"),
            data,
            Section(Box(data.box.x1, data.box.y0, int(amplifier.number("NAXIS1")), data.box.y1)),
            target,
            amplifier.number("GAIN"),
            amplifier.number("RDNOISE"),
            amplifier.number("SATURATE"),
            # Raw frames are in the order of reading.
            (data.flip_x != target.flip_x, data.flip_y != target.flip_y),
        )


def _corner_of_data_section(cards: Cards) -> tuple[int, int]:
    box = cards.section("DATASEC").box
    return box.x0, box.y0


def _corner_of_first_channel(cards: Cards) -> tuple[int, int]:
    box = _hsc_box(cards, "EF", 1)
    return box.x0, box.y0


def _no_corner(_: Cards) -> tuple[int, int]:
    return 0, 0


@dataclass(frozen=True, slots=True)
class Layout:
    """One camera's layout.

    `amplifiers` gets the detector's cards and the headers of its pixel HDUs; `corner` is the raw pixel that
    becomes (0, 0) of the assembled detector as far as the WCS cards are concerned; `per_extension` says that
    each extension is a detector by itself.
    """

    amplifiers: Callable[[Cards, Sequence[Header]], Iterator[Amplifier]]
    corner: Callable[[Cards], tuple[int, int]]
    per_extension: bool = False


LAYOUTS: Mapping[str, Layout] = {
    "HSC": Layout(_hsc, _corner_of_first_channel),
    "DECam": Layout(
        _two_amplifiers("DATASEC", "BIASSEC", "CCDSEC", "SATURAT"), _corner_of_data_section, per_extension=True
    ),
    "MegaPrime": Layout(_two_amplifiers("DSEC", "BSEC", "CSEC", "MAXLIN"), _corner_of_data_section, per_extension=True),
    # LSST's WCS cards count pixels of the assembled detector.
    "LSSTCam": Layout(_lsst, _no_corner),
    "LATISS": Layout(_lsst, _no_corner),
}
