"""Calibration of one detector in one visit: where its pixels lie on the sky (TAN-SIP) and how bright they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table
from numpy.polynomial.polynomial import polyval2d

from qa.drp.algorithms.psf import PsfModel, polynomials
from qa.drp.algorithms.skygrid import TangentGrid, plane_to_sky, sky_to_plane

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from qa.drp.image import Box

    Floats = NDArray[np.float64]

ORDER = 4
"""Order of the SIP polynomials, both ways."""

TERMS = tuple((n - j, j) for n in range(2, ORDER + 1) for j in range(n + 1))
ZERO_POINT_ORDER = 2


@dataclass(frozen=True, slots=True)
class TanSip:
    """A TAN-SIP world coordinate system (Shupe et al. 2005, ASP Conf. 347, 491).

    `crval` in degrees, `crpix` 0-based pixels, `cd` degrees per pixel; `a`, `b` are indexed by the powers of x and y.
    The inverse `ap`, `bp` is for the readers of headers; `sky_to_pixel` inverts the forward polynomials themselves.
    """

    crval: tuple[float, float]
    crpix: tuple[float, float]
    cd: Floats
    a: Floats
    b: Floats
    ap: Floats
    bp: Floats

    def pixel_to_sky(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Sky coordinates in degrees of 0-based pixels."""
        u = np.asarray(x, dtype=np.float64) - self.crpix[0]
        v = np.asarray(y, dtype=np.float64) - self.crpix[1]
        f, g = u + polyval2d(u, v, self.a), v + polyval2d(u, v, self.b)
        xi, eta = self.cd[0, 0] * f + self.cd[0, 1] * g, self.cd[1, 0] * f + self.cd[1, 1] * g
        return plane_to_sky(xi, eta, ra0=self.crval[0], dec0=self.crval[1])

    def sky_to_pixel(self, ra: ArrayLike, dec: ArrayLike) -> tuple[Floats, Floats]:
        """0-based pixels of sky coordinates in degrees; exact to 1e-6 px on the detector."""
        xi, eta = sky_to_plane(ra, dec, ra0=self.crval[0], dec0=self.crval[1])
        inverse = np.linalg.inv(self.cd)
        f, g = inverse[0, 0] * xi + inverse[0, 1] * eta, inverse[1, 0] * xi + inverse[1, 1] * eta
        u, v = f + polyval2d(f, g, self.ap), g + polyval2d(f, g, self.bp)
        for _ in range(3):  # the distortion's slope is below 1e-2: each round gains two digits
            u, v = f - polyval2d(u, v, self.a), g - polyval2d(u, v, self.b)
        return u + self.crpix[0], v + self.crpix[1]

    def to_header(self) -> dict[str, str | int | float | bool]:
        """FITS cards."""
        cards: dict[str, str | int | float | bool] = {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"}
        cards |= {"CUNIT1": "deg", "CUNIT2": "deg", "RADESYS": "ICRS", "EQUINOX": 2000.0}
        cards |= {f"CRVAL{i + 1}": float(self.crval[i]) for i in range(2)}
        cards |= {f"CRPIX{i + 1}": float(self.crpix[i] + 1) for i in range(2)}
        cards |= {f"CD{i + 1}_{j + 1}": float(self.cd[i, j]) for i in range(2) for j in range(2)}
        for name, plane in (("A", self.a), ("B", self.b), ("AP", self.ap), ("BP", self.bp)):
            cards[f"{name}_ORDER"] = ORDER
            terms = TERMS if len(name) == 1 else ((0, 0), (1, 0), (0, 1), *TERMS)
            cards |= {f"{name}_{p}_{q}": float(plane[p, q]) for p, q in terms}
        return cards

    @classmethod
    def from_header(cls, cards: Mapping[str, Any]) -> TanSip:
        """Read FITS cards, also of a plain TAN header (the crude one of a raw exposure)."""
        planes = []
        for name in ("A", "B", "AP", "BP"):
            plane = np.zeros((ORDER + 1, ORDER + 1))
            for p in range(ORDER + 1):
                for q in range(ORDER + 1 - p):
                    plane[p, q] = cards.get(f"{name}_{p}_{q}", 0.0)
            planes.append(plane)
        cd = np.array([[cards[f"CD{i}_{j}"] for j in (1, 2)] for i in (1, 2)], dtype=np.float64)
        crval = float(cards["CRVAL1"]), float(cards["CRVAL2"])
        return cls(crval, (float(cards["CRPIX1"]) - 1, float(cards["CRPIX2"]) - 1), cd, *planes)


def fit_tan_sip(x: Floats, y: Floats, ra: Floats, dec: Floats, *, shape: tuple[int, int]) -> TanSip:
    """TAN-SIP through the sky positions of pixels; (x, y) must cover the detector of `shape` (a grid does)."""
    ny, nx = shape
    crpix, scale = ((nx - 1) / 2, (ny - 1) / 2), max(nx, ny) / 2
    u, v = (x - crpix[0]) / scale, (y - crpix[1]) / scale
    nearest = int(np.argmin(u**2 + v**2))
    crval = float(ra[nearest]), float(dec[nearest])
    for _ in range(3):  # the tangent point moves onto crpix; its shift shrinks a thousandfold each time
        fit = _fit_plane(u, v, np.column_stack(sky_to_plane(ra, dec, ra0=crval[0], dec0=crval[1])), scale)
        shifted = plane_to_sky(fit[0, 0, 0], fit[0, 0, 1], ra0=crval[0], dec0=crval[1])
        crval = float(shifted[0]), float(shifted[1])
    cd = np.array([[fit[1, 0, 0], fit[0, 1, 0]], [fit[1, 0, 1], fit[0, 1, 1]]])
    fit[0, 0] = fit[1, 0] = fit[0, 1] = 0
    a, b = np.moveaxis(fit @ np.linalg.inv(cd).T, -1, 0)
    pixels = u * scale, v * scale
    f, g = pixels[0] + polyval2d(*pixels, a), pixels[1] + polyval2d(*pixels, b)
    back = _fit_plane(f / scale, g / scale, np.column_stack([pixels[0] - f, pixels[1] - g]), scale)
    return TanSip(crval, crpix, cd, a, b, *np.ascontiguousarray(np.moveaxis(back, -1, 0)))


def _fit_plane(u: Floats, v: Floats, values: Floats, scale: float) -> Floats:
    """Coefficients [p, q, column] of polynomials in scale * u, scale * v."""
    powers = [(n - j, j) for n in range(ORDER + 1) for j in range(n + 1)]
    basis = np.column_stack([u**p * v**q for p, q in powers])
    solved = np.linalg.lstsq(basis, values, rcond=None)[0]
    out = np.zeros((ORDER + 1, ORDER + 1, values.shape[1]))
    for (p, q), row in zip(powers, solved, strict=True):
        out[p, q] = row / scale ** (p + q)
    return out


@dataclass(frozen=True, slots=True)
class ZeroPoint:
    """AB magnitude of one electron, a polynomial of second order over the detector (`psf.polynomials`)."""

    nx: int
    ny: int
    coefficients: Floats

    def at(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """Zero point at pixels."""
        x, y = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        basis = polynomials(x.ravel(), y.ravel(), shape=(self.ny, self.nx), order=ZERO_POINT_ORDER)
        value: Floats = (basis @ self.coefficients).reshape(x.shape)
        return value

    @property
    def middle(self) -> float:
        """Zero point at the centre of the detector."""
        return float(self.coefficients[0])


@dataclass(frozen=True, slots=True)
class Solution:
    """The calibration of one detector (nx by ny pixels) in one visit; `psf` is None where none was modelled."""

    visit: int
    detector: int
    nx: int
    ny: int
    wcs: TanSip
    zero_point: ZeroPoint
    psf: PsfModel | None = None

    def footprint(self, grid: TangentGrid) -> tuple[Floats, Floats]:
        """Points around the edge of the detector, in pixels of the tract."""
        ramp = np.linspace(-0.5, 0.5, 9)
        side = np.full(9, 0.5)
        u, v = np.concatenate([ramp, side, ramp, -side]), np.concatenate([-side, ramp, side, ramp])
        return grid.sky_to_pixel(*self.wcs.pixel_to_sky((u + 0.5) * self.nx - 0.5, (v + 0.5) * self.ny - 0.5))

    def overlaps(self, grid: TangentGrid, box: Box) -> bool:
        """Whether the detector's bounding box on the tract meets `box`."""
        x, y = self.footprint(grid)
        if not np.isfinite(x + y).all():
            return False
        return bool(x.max() >= box.x0 - 1 and x.min() <= box.x1 and y.max() >= box.y0 - 1 and y.min() <= box.y1)


def psf_of(row: Mapping[str, Any]) -> PsfModel | None:
    """Read a PSF model from the meta of a catalogue or a row of `solutions_to_table`; None where there is none."""
    return PsfModel.from_row(row) if row.get("psf_terms") else None


def solutions_to_table(solutions: Iterable[Solution]) -> Table:
    """One row per solution: visit, detector, nx, ny, cards of the WCS, terms zp_0 ... of the zero point, psf_*."""
    rows = []
    for solution in solutions:
        row: dict[str, Any] = {
            "visit": solution.visit,
            "detector": solution.detector,
            "nx": solution.nx,
            "ny": solution.ny,
        }
        row |= {name: card for name, card in solution.wcs.to_header().items() if isinstance(card, float)}
        row |= {f"zp_{i}": float(c) for i, c in enumerate(solution.zero_point.coefficients)}
        rows.append(row | (solution.psf.to_row() if solution.psf else {}))
    return Table(rows=rows)


def solutions_from_table(table: Table) -> dict[tuple[int, int], Solution]:
    """Undo `solutions_to_table`; keys are (visit, detector)."""
    solutions = {}
    terms = [name for name in table.colnames if name.startswith("zp_")]
    for one in table:
        row = {name: one[name] for name in table.colnames}
        nx, ny = int(row["nx"]), int(row["ny"])
        zero_point = ZeroPoint(nx, ny, np.array([row[name] for name in terms], dtype=np.float64))
        key = int(row["visit"]), int(row["detector"])
        solutions[key] = Solution(*key, nx, ny, TanSip.from_header(row), zero_point, psf_of(row))
    return solutions
