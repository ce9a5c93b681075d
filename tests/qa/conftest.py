"""Toy twins: recipes of 128 pixels a side that are drawn in a fraction of a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qa.twins.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Per camera: detectors, filter, and the ids of two exposures.
TOYS: dict[str, tuple[list[tuple[int, str]], str, tuple[int, int]]] = {
    "hsc": ([(49, "0_12"), (50, "1_12")], "HSC-R", (137000, 138000)),
    "decam": ([(27, "S3"), (34, "N3")], "r DECam SDSS c0002 6415.0 1480.0", (824100, 825300)),
    "megaprime": ([(12, "ccd12"), (13, "ccd13")], "r.MP9601", (2350100, 2350900)),
    "lsstcam": ([(94, "R22_S11"), (95, "R22_S12")], "r_57", (2025042200250, 2025042600310)),
    "latiss": ([(0, "RXX_S00")], "SDSSr_65mm~empty", (2024062400106, 2024062700088)),
}


def toy_recipe(camera: str, **changes: Any) -> Recipe:
    """Make a recipe of two visits in two nights; keyword arguments replace parts of it."""
    detectors, physical_filter, exposures = TOYS[camera]
    visit = {"band": "r", "exposure_time": 30.0, "seeing": 0.7, "sky": 20.9, "ellipticity": (0.05, -0.03)}
    body: dict[str, Any] = {
        "camera": camera,
        "seed": 7,
        "centre": (150.1, 2.2),
        "detector_shape": (128, 128),
        "detectors": [
            {"id": number, "name": name, "centre": (140.0 * place, 0.0)}
            for place, (number, name) in enumerate(detectors)
        ],
        "optics": {"pixel_scale": 0.2, "rotation": 90.0, "mirrored": True, "radius": 1.0, "distortion": 0.5},
        "electronics": {"gain": 2.0, "read_noise": 5.0, "bias": 1500.0, "saturation": 60000.0},
        "blemishes": {"bad_columns": 2, "hot_pixels": 5},
        "bands": {"r": {"physical_filter": physical_filter, "zero_point": 28.0}},
        "stars": {"density": 60.0, "brightest": 16.0, "faintest": 24.0, "slope": 0.2},
        "galaxies": {"density": 30.0, "brightest": 18.0, "faintest": 24.0, "slope": 0.3},
        "reference": {"brightest": 16.0, "faintest": 22.0},
        "epochs": [
            {"begin": "2018-01-15T00:00:00", "exposure": exposures[0] - 100, "bias": 4, "dark": 3, "flat": 3},
            {"begin": "2018-01-20T00:00:00", "exposure": exposures[1] - 100, "bias": 4, "dark": 0, "flat": 0},
        ],
        "visits": [
            visit | {"exposure": exposures[0], "begin": "2018-01-16T12:00:00", "dither": (0.0, 0.0)},
            visit | {"exposure": exposures[1], "begin": "2018-01-22T11:30:00", "dither": (2.0, -1.0)},
        ],
        "tract": {"pixel_scale": 0.2, "npix": 400, "patch_npix": 200, "border": 20},
    }
    return Recipe.model_validate(body | changes)


@pytest.fixture(name="toy_recipe", scope="session")
def toy_recipe_fixture() -> Callable[..., Recipe]:
    """Return the function that makes toy recipes."""
    return toy_recipe


@pytest.fixture(scope="session")
def toy_twin(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that draws a camera's toy twin, once per session, and returns its folder."""
    drawn: dict[str, Path] = {}

    def draw(camera: str) -> Path:
        if camera not in drawn:
            from qa.twins.produce import produce

            drawn[camera] = tmp_path_factory.mktemp(f"toy-{camera}")
            produce(toy_recipe(camera), dataset="toy", folder=drawn[camera], progress=lambda _done, _total: None)
        return drawn[camera]

    return draw
