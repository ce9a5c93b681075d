"""Maps of a coadd and the sky left on it, of tables with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Table

from qa.metrics import METRICS, Tables
from qa.model import Measurement, Scope, Unmeasured

SCOPE = Scope("hsc", "twin", "r")


def tiles(count: int = 101) -> Table:
    """Return a map whose depth rises by 1 mag over tiles of eight visits, with two shallow tiles and an empty one."""
    table = Table({"n_visits": np.full(count, 8), "depth5": np.linspace(25, 26, count)})
    table["psf_fwhm"] = np.linspace(0.6, 0.8, count)
    table["psf_e1"], table["psf_e2"] = np.full(count, 0.03), np.full(count, -0.04)
    table.add_row([1, 20.0, 2.0, 0.5, 0.5])
    table.add_row([3, 21.0, 2.0, 0.5, 0.5])
    table.add_row([0, np.nan, np.nan, np.nan, np.nan])
    return table


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("coadd_depth_p05", 25.05),
        ("coadd_depth_spread", 0.9),
        ("coadd_fwhm", 0.7),
        ("coadd_fwhm_p95", 0.79),
        ("coadd_psf_ellipticity", 0.05),
    ],
)
def test_maps_are_read_where_the_coadd_is_well_covered(name: str, expected: float) -> None:
    """Tiles with less than half the visits of the deepest do not count."""
    result = METRICS[name](Tables(coadd_map=tiles()), SCOPE)
    assert isinstance(result, Measurement)
    assert result.value == pytest.approx(expected)
    assert result.n == 101


def test_few_tiles_are_no_map() -> None:
    """The reason counts them."""
    result = METRICS["coadd_fwhm"](Tables(coadd_map=tiles(3)), SCOPE)
    assert isinstance(result, Unmeasured)
    assert result.reason == "at least 4 tiles of the coadd with a measured psf_fwhm are needed, and there are 3"


def test_sky_is_averaged_by_area() -> None:
    """Patches without a value do not count."""
    depth = Table({"area_arcmin2": [1.0, 3.0, 2.0], "sky_residual": [4.0, 0.0, np.nan]})
    depth["sky_noise_ratio"] = [1.04, 1.00, np.nan]
    depth["sky_residual_bright"] = [-4.0, -8.0, np.nan]
    values = {
        name: METRICS[name](Tables(depth=depth), SCOPE)
        for name in ("coadd_sky_residual", "coadd_sky_noise_excess", "coadd_sky_residual_bright")
    }
    assert [result.value for result in values.values() if isinstance(result, Measurement)] == pytest.approx([1, 1, -7])


def test_the_psf_of_the_coadd_is_averaged_by_area() -> None:
    """Size in percent; patches whose stars are too few to judge do not count, and no patch at all is a reason."""
    depth = Table({"area_arcmin2": [1.0, 3.0, 2.0], "psf_size_residual": [0.04, 0.0, np.nan]})
    depth["psf_e_residual"] = [0.02, 0.02, np.nan]
    size, shape = (METRICS[f"coadd_psf_{name}_residual"] for name in ("size", "ellipticity"))
    values = [metric(Tables(depth=depth), SCOPE) for metric in (size, shape)]
    assert [one.value for one in values if isinstance(one, Measurement)] == pytest.approx([1.0, 0.02])
    result = size(Tables(depth=depth[2:]), SCOPE)
    assert isinstance(result, Unmeasured)
    assert result.reason == "at least 1 patches with a measured psf_size_residual are needed, and there are 0"


def test_a_crowded_field_is_a_reason() -> None:
    """Where no patch has a ratio the reader learns why."""
    depth = Table({"area_arcmin2": [1.0], "sky_noise_ratio": [np.nan]})
    result = METRICS["coadd_sky_noise_excess"](Tables(depth=depth), SCOPE)
    assert isinstance(result, Unmeasured)
    assert "too crowded to tell noise from faint sources" in result.reason


def test_a_single_patch_has_no_error() -> None:
    """Nothing scatters."""
    result = METRICS["coadd_sky_residual"](Tables(depth=Table({"area_arcmin2": [1.0], "sky_residual": [2.0]})), SCOPE)
    assert isinstance(result, Measurement)
    assert result.stderr is None


def test_the_psf_fit_is_judged_by_bright_stars() -> None:
    """Galaxies, faint, flagged and secondary objects do not count."""
    objects = Table({"psf_chi2": [1.1] * 10 + [9.0] * 4, "snr": [60.0] * 13 + [20.0]})
    objects["extendedness"] = [0.0] * 10 + [1.0, 0.0, 0.0, 0.0]
    objects["flag"] = [False] * 11 + [True, False, False]
    objects["primary"] = [True] * 12 + [False, True]
    result = METRICS["coadd_psf_chi2"](Tables(objects=objects), SCOPE)
    assert isinstance(result, Measurement)
    assert (result.value, result.n) == (1.1, 10)
