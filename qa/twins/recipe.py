"""Recipes of twin skies: what is to be drawn, written by hand in `regression_data/skies/*.yaml`.

Unknown keys are refused, and every fault of a recipe is reported at once.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from obs_registry.document import YamlError, parse
from qa.errors import RequestError

if TYPE_CHECKING:
    from pathlib import Path

_FAST_BETAS = (2.5, 3.5)
Offset = tuple[float, float]
Bits = Annotated[float, Field(gt=0, lt=2**18)]


class RecipeError(RequestError):
    """A recipe has faults; all of them are listed."""

    def __init__(self, path: Path | str, faults: tuple[str, ...]) -> None:
        self.path, self.faults = path, faults
        super().__init__(f"{path}: " + "; ".join(faults))


class Part(BaseModel):
    """Base of all parts of a recipe: frozen, strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Detector(Part):
    """A detector: id and name in the real camera, and its centre in the focal plane in pixels."""

    id: NonNegativeInt
    name: str
    centre: Offset


class Optics(Part):
    """Telescope and camera: pixel scale in arcsec, rotation in degrees.

    Unrotated, x points to the west and y to the north; `mirrored` turns y around afterwards. The radial
    cubic distortion amounts to `distortion` arcsec at `radius` arcmin from the field centre.
    """

    pixel_scale: PositiveFloat
    rotation: float = 0.0
    mirrored: bool = False
    radius: PositiveFloat
    distortion: float


def _has_a_fast_transform(beta: float) -> float:
    # GalSim knows the Fourier transform of these in closed form; any other takes a Bessel function per pixel.
    if beta not in _FAST_BETAS:
        msg = f"beta must be one of {', '.join(map(str, _FAST_BETAS))}"
        raise ValueError(msg)
    return beta


class Psf(Part):
    """A Moffat profile whose width and shape vary over the field.

    At `radius` from the centre the FWHM is wider by the fraction `growth`, and the ellipticity differs by `shear`.
    """

    beta: Annotated[float, AfterValidator(_has_a_fast_transform)] = 3.5
    growth: NonNegativeFloat = 0.06
    shear: NonNegativeFloat = 0.02


class Electronics(Part):
    """Amplifiers. Gain in electron/ADU, read noise in electron, the rest in ADU.

    `spread` is the relative scatter of gain and read noise among amplifiers, `gain_error` that of the
    header's gain about the true one; `structure` is the size of the bias pattern and `drift` the range of
    the overscan level along the rows; `dark_current` is in electron/s.

    `crosstalk` is the fraction of an amplifier's signal that appears in the next one of the same detector, in the next
    but one, and so on.
    """

    gain: PositiveFloat
    read_noise: PositiveFloat
    bias: Bits
    saturation: Bits
    spread: NonNegativeFloat = 0.05
    gain_error: NonNegativeFloat = 0.01
    structure: NonNegativeFloat = 20.0
    drift: NonNegativeFloat = 6.0
    dark_current: NonNegativeFloat = 0.03
    crosstalk: tuple[float, ...] = ()


class Blemishes(Part):
    """What spoils pixels: bad columns, hot and unstable pixels per detector, cosmic rays per megapixel and 100 s.

    `vignetting` is the loss at `radius` from the field centre, `pixel_scatter` the rms of the pixels' response.
    """

    bad_columns: NonNegativeInt = 3
    hot_pixels: NonNegativeInt = 60
    unstable_pixels: NonNegativeInt = 10
    cosmic_rays: NonNegativeFloat = 60.0
    vignetting: NonNegativeFloat = 0.12
    pixel_scatter: NonNegativeFloat = 0.006


class Population(Part):
    """Objects per arcmin^2 between two magnitudes, their number rising as 10^(slope * magnitude)."""

    density: NonNegativeFloat
    brightest: float
    faintest: float
    slope: PositiveFloat

    @model_validator(mode="after")
    def _faint_is_fainter(self) -> Self:
        if self.faintest <= self.brightest:
            msg = f"faintest must be fainter than brightest ({self.brightest}), got {self.faintest}"
            raise ValueError(msg)
        return self


class Reference(Part):
    """The reference catalogue: its limits in magnitudes and its errors in mas and mmag."""

    brightest: float
    faintest: float
    position_error: NonNegativeFloat = 10.0
    magnitude_error: NonNegativeFloat = 10.0


class Band(Part):
    """A filter.

    `zero_point` is the AB magnitude of one electron per second, `colour` the mean magnitude of galaxies in it
    minus that in the first band.
    """

    physical_filter: str
    zero_point: float
    colour: float = 0.0


class Kind(StrEnum):
    """What an exposure is taken for."""

    SCIENCE = "science"
    BIAS = "bias"
    DARK = "dark"
    FLAT = "flat"


class Shot(Part):
    """One exposure: begin in UTC, exposure time in seconds, and the filter that was in the beam."""

    exposure: PositiveInt
    band: str
    begin: datetime
    exposure_time: NonNegativeFloat
    kind: Kind


class Visit(Shot):
    """An exposure of the sky: dither in arcsec to the east and north, seeing in arcsec, sky in AB mag/arcsec^2.

    `transparency` is the change of the zero point in magnitudes, `ellipticity` the PSF's e1 and e2 at the
    field centre, `pointing_error` what the header's pointing is off, in arcsec.
    """

    kind: Literal[Kind.SCIENCE] = Kind.SCIENCE
    exposure_time: PositiveFloat
    dither: Offset
    seeing: PositiveFloat
    ellipticity: Offset = (0.0, 0.0)
    transparency: float = 0.0
    sky: float
    pointing_error: Offset = (1.5, -1.2)


class Epoch(Part):
    """Calibration exposures of one time: from `begin` (UTC) on a new bias pattern holds.

    `exposure` is the id of the first one; there are `bias` biases, `dark` darks of `dark_time` seconds, and in each
    band `flat` flats of `flat_time` seconds.
    """

    begin: datetime
    exposure: PositiveInt
    bias: NonNegativeInt = 5
    dark: NonNegativeInt = 3
    flat: NonNegativeInt = 3
    dark_time: PositiveFloat = 300.0
    flat_time: PositiveFloat = 8.0


class Tract(Part):
    """The tract around the field centre: coadd pixel scale in arcsec, sizes in pixels."""

    pixel_scale: PositiveFloat
    npix: PositiveInt
    patch_npix: PositiveInt
    border: NonNegativeInt = 50


class Recipe(Part):
    """A twin sky and the exposures taken of it. The field centre is in degrees.

    `zero_point_gradient` is the change of the zero point in magnitudes over `optics.radius`; the first of the
    `epochs` holds for all before, too. `only` names the exposures that are drawn, all if it is empty: each of them is
    the same to the last bit as among all, for the sky and the dates are those of the whole.
    """

    camera: str
    seed: NonNegativeInt
    centre: Offset
    detector_shape: tuple[PositiveInt, PositiveInt]
    detectors: Annotated[tuple[Detector, ...], Field(min_length=1)]
    optics: Optics
    psf: Psf = Psf()
    electronics: Electronics
    blemishes: Blemishes = Blemishes()
    zero_point_gradient: float = 0.006
    bands: Annotated[dict[str, Band], Field(min_length=1)]
    stars: Population
    galaxies: Population
    reference: Reference
    epochs: Annotated[tuple[Epoch, ...], Field(min_length=1)]
    visits: Annotated[tuple[Visit, ...], Field(min_length=1)]
    tract: Tract
    only: tuple[PositiveInt, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for visit in self.visits:
            if visit.band not in self.bands:
                msg = f"band of visit {visit.exposure} must be one of {', '.join(self.bands)}, got {visit.band}"
                raise ValueError(msg)
        if self.only and not {visit.exposure for visit in self.visits} & set(self.only):
            msg = "only must name a visit, got none of them"
            raise ValueError(msg)
        for kind, names in (
            ("visits", [visit.exposure for visit in self.visits]),
            ("detectors", [detector.id for detector in self.detectors]),
        ):
            if len(set(names)) != len(names):
                msg = f"{kind} must have different ids, got {', '.join(map(str, names))}"
                raise ValueError(msg)
        return self

    def draws(self, exposure: int) -> bool:
        """Tell whether an exposure is among those to be drawn."""
        return not self.only or exposure in self.only


def load_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises
    ------
    RecipeError
        If it is absent, not YAML, or not a recipe; all faults at once.
    """
    try:
        body = parse(path.read_text(encoding="utf-8")).value
    except FileNotFoundError:
        raise RecipeError(path, ("must be a recipe of a sky, found no such file",)) from None
    except YamlError as error:
        raise RecipeError(path, (f"must be YAML, found {error.problem} on line {error.line}",)) from None
    except UnicodeDecodeError as error:
        raise RecipeError(path, (f"must be text in UTF-8, found {error.reason}",)) from None
    try:
        return Recipe.model_validate(body)
    except ValidationError as error:
        raise RecipeError(path, tuple(_fault(dict(each)) for each in error.errors())) from None


def _fault(error: dict[str, object]) -> str:
    where = ".".join(str(part) for part in error["loc"]) if isinstance(error["loc"], tuple) else ""
    found = repr(error["input"]) if not isinstance(error["input"], dict) else "a mapping"
    return f"{where or 'recipe'}: {error['msg']}, found {found}"
