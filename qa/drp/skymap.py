"""Where coadds lie on the sky: one tangent-plane tract, cut into square patches that overlap by a border."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.drp.algorithms.skygrid import TangentGrid
from qa.drp.image import Box

if TYPE_CHECKING:
    from lsst.daf.butler import Butler
    from lsst.sphgeom import ConvexPolygon
    from numpy.typing import NDArray

    Coordinates = NDArray[np.float64]

TRACT = 0


@dataclass(frozen=True, slots=True)
class SkyMap:
    """One square tract. Centre in degrees, pixel scale in arcsec, sizes in pixels of the tract.

    The inner regions of the patches tile the tract; the outer region of a patch is its inner region grown by
    `border` on all sides, as far as the tract reaches.
    """

    name: str
    ra: float
    dec: float
    pixel_scale: float
    npix: int
    patch_npix: int
    border: int

    @property
    def grid(self) -> TangentGrid:
        """The tract's projection."""
        return TangentGrid(ra=self.ra, dec=self.dec, pixel_scale=self.pixel_scale, npix=self.npix)

    @property
    def patches_per_side(self) -> int:
        """Number of patches along one side of the tract."""
        return -(-self.npix // self.patch_npix)

    @property
    def patches(self) -> range:
        """The patch numbers, row by row."""
        return range(self.patches_per_side**2)

    @property
    def tract_box(self) -> Box:
        """All pixels of the tract."""
        return Box(0, 0, self.npix, self.npix)

    def inner(self, patch: int) -> Box:
        """Return the pixels that belong to this patch alone."""
        row, column = divmod(patch, self.patches_per_side)
        x0, y0 = column * self.patch_npix, row * self.patch_npix
        return Box(x0, y0, min(x0 + self.patch_npix, self.npix), min(y0 + self.patch_npix, self.npix))

    def outer(self, patch: int) -> Box:
        """Return the pixels that the coadd of this patch covers."""
        box, grow = self.inner(patch), self.border
        return Box(
            max(box.x0 - grow, 0),
            max(box.y0 - grow, 0),
            min(box.x1 + grow, self.npix),
            min(box.y1 + grow, self.npix),
        )

    def region(self, box: Box) -> ConvexPolygon:
        """Return the region on the sky of a rectangle of tract pixels."""
        return polygon(*self.grid.pixel_to_sky(*corners(box)))

    @property
    def digest(self) -> bytes:
        """Twenty bytes that differ when anything about the sky map differs."""
        return hashlib.sha1(repr(astuple(self)).encode(), usedforsecurity=False).digest()

    def register(self, butler: Butler) -> None:
        """Insert sky map, tract and patches into the registry."""
        sides = self.patches_per_side
        sky_map = {
            "name": self.name,
            "hash": self.digest,
            "tract_max": TRACT + 1,
            "patch_nx_max": sides,
            "patch_ny_max": sides,
        }
        tract = {"skymap": self.name, "id": TRACT, "region": self.region(self.tract_box)}
        butler.registry.insertDimensionData("skymap", sky_map)
        butler.registry.insertDimensionData("tract", tract)
        butler.registry.insertDimensionData("patch", *(self._patch_record(patch) for patch in self.patches))

    def _patch_record(self, patch: int) -> dict[str, Any]:
        row, column = divmod(patch, self.patches_per_side)
        # The inner region: a visit that reaches only the border adds nothing to the patch's own objects.
        region = self.region(self.inner(patch))
        place = {"cell_x": column, "cell_y": row}
        return {"skymap": self.name, "tract": TRACT, "id": patch, "region": region, **place}


def corners(box: Box, *, margin: float = 0.0) -> tuple[Coordinates, Coordinates]:
    """Return x and y of the outer corners of a rectangle of pixels, grown by `margin` pixels."""
    x0, x1 = box.x0 - 0.5 - margin, box.x1 - 0.5 + margin
    y0, y1 = box.y0 - 0.5 - margin, box.y1 - 0.5 + margin
    return np.array([x0, x1, x1, x0]), np.array([y0, y0, y1, y1])


def polygon(ra: Coordinates, dec: Coordinates) -> ConvexPolygon:
    """Return the convex hull of positions on the sky, in degrees."""
    from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d  # noqa: PLC0415 - the tasks need no regions

    points = [UnitVector3d(LonLat.fromDegrees(float(a), float(d))) for a, d in zip(ra, dec, strict=True)]
    return ConvexPolygon.convexHull(points)
