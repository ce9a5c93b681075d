import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qa.drp.crop import crop, filled, uncrop
from qa.drp.image import Box, Mask, MaskedImage


@given(
    x0=st.integers(0, 9),
    y0=st.integers(0, 7),
    width=st.integers(0, 10),
    height=st.integers(0, 8),
    bits=st.integers(0, 127),
)
def test_cropping_loses_nothing(*, x0: int, y0: int, width: int, height: int, bits: int) -> None:
    """Whatever lies in an otherwise empty image comes back when it is cropped and restored."""
    whole = MaskedImage(
        np.zeros((8, 10), np.float32), np.full((8, 10), np.inf, np.float32), np.full((8, 10), 16, np.int16), {"A": 1}
    )
    part = (slice(y0, y0 + height), slice(x0, x0 + width))
    whole.mask[part] = bits
    if bits != Mask.NO_DATA:
        whole.image[part], whole.variance[part] = 3, 4
    box = filled(whole.mask)
    back = uncrop(crop(whole, box), box, whole.shape)
    for name in ("image", "variance", "mask"):
        np.testing.assert_array_equal(getattr(back, name), getattr(whole, name))
    assert back.header == whole.header


def test_filled_is_the_smallest_rectangle() -> None:
    """Pixels that are masked for other reasons count as filled."""
    mask = np.full((8, 10), Mask.NO_DATA, np.int16)
    mask[2, 3], mask[5, 7] = 0, Mask.NO_DATA | Mask.CLIPPED
    assert filled(mask) == Box(3, 2, 8, 6)
