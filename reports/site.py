"""The only writer: a static site that opens from a folder, beside it JUnit XML, Markdown and JSON.

Pictures and plots carry a digest of what they show in their names, so that an unchanged one is not drawn again; pages
are written only where their text changed. Files of an earlier report that no page refers to any longer are removed.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import TYPE_CHECKING

from qa.documents import atomic_open, write_document
from qa.errors import DocumentError
from reports import figures, html, images, maps, text
from reports.figures import Figures
from reports.images import Sky
from reports.junit import junit
from reports.summary import Summary, summary
from reports.view import build
from reports.wording import slug

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reports.images import Mosaic
    from reports.maps import Map
    from reports.night import Night, Picture
    from reports.view import MetricView, NightView

    _Loaded = tuple[str, str, Mosaic]

DRAWING = 2
"""Version of the drawings: raise it when the same input shall look different."""

_OURS = {
    "cameras": re.compile(r".*\.html"),
    "metrics": re.compile(r".*\.html"),
    "figures": re.compile(r".*-[0-9a-f]{12}(-dark)?\.svg"),
    "pictures": re.compile(r".*-[0-9a-f]{12}\.(png|svg)"),
}


@dataclass(slots=True)
class _Site:
    """A folder being written, and which of its files belong to this report."""

    root: Path
    kept: set[Path] = field(default_factory=set)

    def put(self, name: str, content: bytes) -> None:
        """Write a file unless it already says the same."""
        path = self.root / name
        self.kept.add(path)
        if not path.is_file() or path.read_bytes() != content:
            with atomic_open(path) as stream:
                stream.write(content)

    def once(self, name: str, draw: Callable[[], bytes]) -> None:
        """Write a file whose name tells its content, unless it is there."""
        path = self.root / name
        self.kept.add(path)
        if not path.is_file():
            with atomic_open(path) as stream:
                stream.write(draw())

    def prune(self) -> None:
        """Remove what an earlier report left and this one does not refer to."""
        baselines = self.root / "baselines.html"
        if baselines not in self.kept:
            baselines.unlink(missing_ok=True)
        for folder, ours in _OURS.items():
            for path in (self.root / folder).glob("*"):
                if path not in self.kept and ours.fullmatch(path.name):
                    path.unlink()


def write_site(night: Night, out: Path) -> Path:
    """Write the report of a night into the folder `out`; returns the path of its first page.

    A picture that cannot be read is left out and said among the camera's caveats: one bad file costs no report.

    Raises
    ------
    DiskFullError
        If there is no space left.
    """
    pictures, troubles = _load(night)
    view = build(_with_caveats(night, troubles))
    site = _Site(out)
    for name in ("static/obsqa.css", "static/icon.svg"):
        site.put(name, resources.files("reports").joinpath(name).read_bytes())
    for camera in view.cameras:
        skies = tuple(_sky(site, camera.slug, one) for one in pictures[camera.name])
        site.put(f"cameras/{camera.slug}.html", html.camera_page(view, camera, skies).encode("utf-8", "replace"))
    for metric in view.metrics:
        site.put(
            f"metrics/{metric.slug}.html",
            html.metric_page(view, metric, _together(site, metric)).encode("utf-8", "replace"),
        )
    if view.baselines:
        site.put("baselines.html", html.baselines_page(view, view.baselines).encode("utf-8", "replace"))
    _put_summaries(site, view)
    # Last, so that whoever finds it finds everything it leads to.
    site.put("index.html", html.night_page(view).encode("utf-8", "replace"))
    site.prune()
    return out / "index.html"


def _load(night: Night) -> tuple[dict[str, list[_Loaded]], dict[str, list[str]]]:
    """Read the pictures of all cameras, with the complaints about those that cannot be read."""
    pictures: dict[str, list[_Loaded]] = {camera.name: [] for camera in night.cameras}
    troubles: dict[str, list[str]] = {camera.name: [] for camera in night.cameras}
    for camera in night.cameras:
        for picture in camera.pictures:
            try:
                pictures[camera.name].append(_read(picture))
            except DocumentError as error:
                troubles[camera.name].append(f"No coadd picture in {picture.band}: {picture.path.name} {error.found}.")
    return pictures, troubles


def _read(picture: Picture) -> _Loaded:
    mosaic = images.load(picture.path)
    digest = hashlib.sha256(f"{DRAWING}".encode() + picture.path.read_bytes()).hexdigest()[:12]
    return picture.band, digest, mosaic


def _with_caveats(night: Night, troubles: dict[str, list[str]]) -> Night:
    cameras = tuple(replace(one, caveats=(*one.caveats, *troubles[one.name])) for one in night.cameras)
    return replace(night, cameras=cameras)


def _sky(site: _Site, camera: str, loaded: _Loaded) -> Sky:
    band, digest, mosaic = loaded
    stem = f"pictures/{camera}-{slug(band)}-{digest}"
    site.once(f"{stem}.png", lambda: images.png(mosaic))
    site.once(f"{stem}.svg", lambda: images.overlay(mosaic).encode("utf-8", "replace"))
    galaxies = int(mosaic.extended.sum())
    width, height = mosaic.size
    return Sky(
        band=band,
        image=f"{stem}.png",
        overlay=f"{stem}.svg",
        width=width,
        height=height,
        stars=len(mosaic.x) - galaxies,
        galaxies=galaxies,
        unmarked=max(0, len(mosaic.x) - images.MARKED),
        field=mosaic.field,
        centre=mosaic.centre,
        maps=_maps(site, stem, mosaic),
    )


def _maps(site: _Site, stem: str, mosaic: Mosaic) -> tuple[Map, ...]:
    if mosaic.tiles is None:
        return ()
    width, height = mosaic.size
    found = []
    for drawing in maps.draw(mosaic.tiles, width=width, height=height, factor=mosaic.factor):
        path = f"{stem.replace('pictures/', f'pictures/{drawing.kind.name}-', 1)}.svg"
        site.put(path, drawing.svg.encode())
        found.append(drawing.placed(path))
    return tuple(found)


def _together(site: _Site, metric: MetricView) -> Figures | None:
    """Draw the plot of all cameras unless a plot of just these values is there."""
    series = figures.together(metric)
    if not series:
        return None
    name = metric.definition.name
    ylabel = f"{name} against baseline, %"
    digest = hashlib.sha256(repr((DRAWING, ylabel, series)).encode("utf-8", "replace")).hexdigest()[:12]
    stem = f"figures/{metric.slug}-{digest}"
    light, dark = f"{stem}.svg", f"{stem}-dark.svg"
    if not all((site.root / file).is_file() for file in (light, dark)):
        drawn = figures.draw(series, ylabel=ylabel)
        for file, content in zip((light, dark), drawn, strict=True):
            site.put(file, content.encode("utf-8", "replace"))
    site.kept |= {site.root / light, site.root / dark}
    width, height = (round(72 * side) for side in figures.SIZE)
    return Figures(light, dark, width, height, figures.alt(name, series))


def _put_summaries(site: _Site, view: NightView) -> None:
    site.put("junit.xml", junit(view))
    site.put("summary.md", text.markdown(view).encode("utf-8", "replace"))
    write_document(site.root / "summary.json", "summary", summary(view), Summary)
