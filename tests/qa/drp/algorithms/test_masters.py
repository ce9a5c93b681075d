from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("numba")
pytest.importorskip("galsim")

from qa.drp.algorithms.defects import Defect, find_defects, unstable_pixels
from qa.drp.algorithms.errors import UnusableImageError
from qa.drp.algorithms.masters import Frame, master_bias, master_dark, master_flat
from qa.drp.raw import read_raw
from qa.twins import electronics
from qa.twins.forms import form_of
from qa.twins.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qa.twins.electronics import Chip
    from qa.twins.recipe import Recipe

pytestmark = pytest.mark.pipeline
CAMERA = "lsstcam"
DARK_TIME = {"bias": 0.9, "dark": 300.9, "flat": 8.9}


class Drawn:
    """Calibration frames of a detector, and what they were drawn from."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        manifest = read_manifest(folder)
        self.recipe, self.detector = recipe, recipe.detectors[0]
        self.channels = form_of(recipe.camera).geometry(recipe.detector_shape).channels
        self.chip: Chip = electronics.make_chip(recipe, self.detector, self.channels)
        self.bias = electronics.bias_pattern(recipe, self.detector, 0, self.channels)
        self.frames: dict[str, list[Frame]] = {kind: [] for kind in DARK_TIME}
        for one in manifest.calibrations:
            if self.detector.id in one.detectors and one.group == "calibration-0":
                raw = read_raw(folder / one.path, detector=self.detector.id)
                self.frames[one.kind].append(Frame(f"{one.kind} {one.exposure}", raw, DARK_TIME[one.kind]))

    @property
    def response(self) -> np.ndarray:
        """Response with the errors of the headers' gains, of median 1."""
        response = self.chip.response.copy()
        for channel, amplifier in zip(self.channels, self.chip.amplifiers, strict=True):
            response[channel.target.box.slices] *= amplifier.header_gain / amplifier.gain
        return response / np.median(response)


@pytest.fixture(scope="module")
def drawn(toy_twin: Callable[[str], Path], toy_recipe: Callable[..., Recipe]) -> Drawn:
    """Read the toy twin's frames."""
    return Drawn(toy_twin(CAMERA), toy_recipe(CAMERA))


def test_masters_are_the_patterns_that_were_drawn(drawn: Drawn) -> None:
    """Bias, dark and flat differ from the truth by the noise that their frames leave, and nothing is left out."""
    good = ~drawn.chip.bad
    bias = master_bias(drawn.frames["bias"])
    dark = master_dark(drawn.frames["dark"], bias=bias.image)
    flat = master_flat(drawn.frames["flat"], bias=bias.image)
    for master, truth, frames in (
        (bias, drawn.bias, 4),
        (dark, drawn.chip.dark, 3),
        (flat, drawn.response, 3),
    ):
        assert (master.frames, master.caveats) == (frames, ())
        rest = (master.image - truth)[good]
        scatter = 1.4826 * np.median(np.abs(rest - np.median(rest)))
        # The noise of the master bias comes on top in the darks.
        assert 0.8 < scatter / master.noise < 1.4
        assert abs(np.median(rest)) < 0.2 * master.noise + 1e-3 * np.median(truth)


def test_every_defect_is_found_and_little_else(drawn: Drawn) -> None:
    """Hot and dead columns, hot pixels and those that flicker are masked."""
    bias = master_bias(drawn.frames["bias"])
    dark = master_dark(drawn.frames["dark"], bias=bias.image)
    flat = master_flat(drawn.frames["flat"], bias=bias.image)
    flags = find_defects(unstable_pixels(bias), dark.image, [flat.image])
    bad = drawn.chip.bad
    steady = drawn.chip.unstable == 0
    assert (flags[bad & steady] != 0).all()
    assert (flags[bad & ~steady] != 0).mean() > 0.6  # some never changed while the biases were taken
    assert (flags[~bad] != 0).mean() < 0.005
    assert (flags[drawn.chip.response < 0.4] & Defect.DEAD).all()
    assert (flags[drawn.chip.dark > 2] & Defect.HOT).all()


def test_gaps_in_bad_columns_are_closed() -> None:
    """Between bad pixels of a column that is often bad, none is trusted; single pixels do not spread."""
    unstable = np.zeros((100, 20), dtype=bool)
    unstable[30:90:4, 7] = unstable[50, 12] = unstable[54, 12] = True
    flags = find_defects(unstable)
    assert (flags[30:87, 7] != 0).all()
    assert (flags[31, 7], flags[30, 7]) == (Defect.COLUMN, Defect.UNSTABLE)
    assert np.count_nonzero(flags[:, 12]) == 2


def test_frames_of_another_kind_are_left_out(drawn: Drawn) -> None:
    """A flat among the biases, a bias among the darks and a dark among the flats are told, and change nothing."""
    biases, darks, flats = (drawn.frames[kind] for kind in ("bias", "dark", "flat"))
    bias = master_bias(biases)
    wrong = master_bias([*biases, replace(flats[0], name="bias 7")])
    np.testing.assert_array_equal(wrong.image, bias.image)
    (told,) = wrong.caveats
    assert told.startswith("bias 7 left out: must have the level of the other frames, found one ")
    dark = master_dark([*darks, replace(biases[0], name="dark 7", dark_time=0.0)], bias=bias.image)
    assert dark.caveats == ("dark 7 left out: must be exposed in the dark, found 0 s",)
    flat = master_flat([*flats, replace(darks[0], name="flat 7")], bias=bias.image)
    assert flat.caveats[0].startswith("flat 7 left out: must have a level from 1000 to ")


def test_noisy_and_misshapen_frames_are_left_out(drawn: Drawn) -> None:
    """A frame with pickup noise and one of half the detector are told."""
    biases = drawn.frames["bias"]
    rng = np.random.default_rng(1)
    noisy = tuple(
        replace(one, data=one.data + rng.normal(0, 12, one.data.shape).astype(np.float32))
        for one in biases[0].raw.segments
    )
    half = replace(biases[0].raw, shape=(64, 128), segments=biases[0].raw.segments[:8])
    upper = tuple(replace(one, target=replace(one.target, y0=0, y1=64)) for one in half.segments)
    odd = [
        Frame("bias 8", replace(biases[0].raw, segments=noisy)),
        Frame("bias 9", replace(half, segments=upper)),
    ]
    shape, scatter = master_bias([*biases, *odd]).caveats
    assert shape == "bias 9 left out: must have shape (128, 128) as the others, found (64, 128)"
    assert scatter.startswith("bias 8 left out: must scatter about the other frames as the noise, found ")


def test_too_few_frames_are_refused(drawn: Drawn) -> None:
    """With one usable frame there is no master, and the message says what became of the others."""
    biases = drawn.frames["bias"]
    with pytest.raises(UnusableImageError, match="bias: must have at least 2 frames, found 1"):
        master_bias(biases[:1])
    bias = master_bias(biases).image
    wrong = replace(biases[0], name="flat 3")
    with pytest.raises(UnusableImageError, match=r"flat: .* found 1 \(flat 3 left out: must have a level"):
        master_flat([drawn.frames["flat"][0], wrong], bias=bias)
    with pytest.raises(UnusableImageError, match="bias: must have shape"):
        master_dark(drawn.frames["dark"], bias=np.zeros((3, 3), np.float32))
