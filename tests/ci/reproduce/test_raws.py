"""A user's own raws in an archive: packed where they are small, named with their digests where they are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("lsst.daf.butler")

from astropy.time import Time

from ci.reproduce import contents
from ci.reproduce import raws as module
from ci.reproduce.raws import exposures_of, found, lay_out, plain, raws_of
from obs_registry.model import OwnRaws
from qa.drp.own_raws import read_described, write_described
from qa.drp.scan import Scanned
from qa.errors import DocumentError, RequestError
from qa.twins.manifest import TwinCalibration, TwinManifest, TwinRaw, TwinTract

if TYPE_CHECKING:
    from pathlib import Path

    from ci.reproduce.raws import Raws
    from obs_registry.model import Camera
    from qa.provenance.reproduction import Reproduction

pytestmark = pytest.mark.pipeline

FILTERS = {1: "HSC-R", 2: "HSC-I", 20: "HSC-R", 21: "HSC-I"}
CHANGE = "2018-01-20T00:00:00"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Write down what a scan found: two visits of two bands, two epochs of biases, and flats."""
    folder = tmp_path / "my raws"
    folder.mkdir()

    def a_file(name: str) -> str:
        (folder / name).write_text(f"the raw {name}")
        return str(folder / name)

    manifest = TwinManifest(
        camera="hsc",
        dataset="field",
        instrument="HSC",
        detectors=(),
        filters={"HSC-R": "r", "HSC-I": "i"},
        raws=(TwinRaw(a_file("r<1>.fits"), 1, (49,)), TwinRaw(a_file("i.fits"), 2, (49,))),
        calibrations=(
            TwinCalibration("bias", a_file("b1.fits"), 10, (49,), "a", None, CHANGE),
            TwinCalibration("bias", a_file("b2.fits"), 11, (49,), "b", CHANGE, None),
            TwinCalibration("flat", a_file("fr.fits"), 20, (49,), "a"),
            TwinCalibration("flat", a_file("fi.fits"), 21, (49,), "a"),
        ),
        refcat=None,
        truth="/etc/passwd",
        tract=TwinTract(0.0, 0.0, 0.17, 100, 100, 10),
    )
    write_described(tmp_path / "run", Scanned(manifest, ("one left out",)), b"stars")
    return tmp_path / "run"


@pytest.fixture
def raws(place: Path, monkeypatch: pytest.MonkeyPatch) -> Raws:
    """Read it, with headers that say filter and time."""
    of_run = raws_of(place)

    def describe(path: Path) -> SimpleNamespace:
        number = next(int(name[:4]) for name, one in of_run.sources.items() if one == path)
        exposure = (1, 2, 10, 11, 20, 21)[number]
        time = Time("2018-01-19T12:00:00", scale="tai")
        return SimpleNamespace(info=SimpleNamespace(physical_filter=FILTERS.get(exposure), datetime_begin=time))

    monkeypatch.setattr(module, "describe_raw", describe)
    return of_run


@pytest.fixture
def own(what: Reproduction, hsc: Camera) -> tuple[Reproduction, Camera]:
    """Return a value of these raws, and their camera."""
    expected = replace(what.expected, scope=replace(what.expected.scope, dataset="field"))
    dataset = OwnRaws(name="field", bands=("i", "r"), reference=True)
    return replace(what, dataset="field", expected=expected), hsc.model_copy(update={"datasets": (dataset,)})


def test_files_have_names_of_their_own(raws: Raws) -> None:
    """In the letters that archives have; where they lay is nobody's business."""
    assert list(raws.sources)[:2] == ["0000-r_1_.fits", "0001-i.fits"]
    assert raws.exposures == (1, 2, 10, 11, 20, 21)
    assert (raws.scanned.manifest.truth, raws.scanned.manifest.refcat, raws.scanned.caveats) == (None, None, ())
    assert plain("a/../b c.fits") == "a_.._b_c.fits"


def test_a_band_needs_its_visits_their_biases_and_its_flats(raws: Raws) -> None:
    """As of a day all epochs, for which of them hold then follows from all."""
    assert exposures_of(raws, ("r",)) == (1, 10, 20)
    assert exposures_of(raws, ("i", "r")) == (1, 2, 10, 20, 21)
    assert exposures_of(raws, ("r",), day=date(2018, 1, 18)) == (1, 10, 11, 20)
    assert exposures_of(raws, ("z",)) == ()


def test_an_archive_holds_the_raws_of_its_exposures(
    raws: Raws, own: tuple[Reproduction, Camera], tmp_path: Path, recipes: Path
) -> None:
    """And is laid out in a run as the originals were, without the others."""
    folder = tmp_path / "archive"
    folder.mkdir()
    what, camera = replace(own[0], exposures=(1, 10, 20)), own[1]
    contents.seal(folder, packed(folder, what, camera, recipes, raws))
    read, again = contents.read(folder)
    assert again.datasets == camera.datasets
    assert contents.foreign_code(folder, again) == ()
    assert str(tmp_path) not in (folder / "data" / "scanned.json").read_text()
    sources = found(folder, read, None)
    assert sorted(sources) == ["0000-r_1_.fits", "0002-b1.fits", "0004-fr.fits"]
    lay_out(folder, tmp_path / "place", sources, read.exposures)
    scanned, reference = read_described(tmp_path / "place")
    assert [one.path for one in scanned.manifest.raws] == [str(folder / "data" / "raws" / "0000-r_1_.fits")]
    assert [one.exposure for one in scanned.manifest.calibrations] == [10, 20]
    assert reference is not None
    assert reference.read_bytes() == b"stars"


def packed(folder: Path, what: Reproduction, camera: Camera, recipes: Path, raws: Raws) -> Reproduction:
    """Write an archive's folder with code."""
    from ci.reproduce.software import Code

    return contents.write(folder, what, camera, recipes, code=Code({}, "abc", exact=True), raws=raws)


def test_large_raws_are_named_and_found_by_their_digest(
    raws: Raws, own: tuple[Reproduction, Camera], tmp_path: Path, recipes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any folder below the one that is given; the line says which is not there, or is another."""
    monkeypatch.setattr(module, "MOST_BYTES", 4)
    with pytest.raises(RequestError, match="a reference catalogue must have at most"):
        packed(tmp_path, own[0], own[1], recipes, raws)
    monkeypatch.setattr(module, "MOST_BYTES", 20)
    folder, elsewhere = tmp_path / "archive", tmp_path / "elsewhere"
    folder.mkdir()
    what = packed(folder, replace(own[0], exposures=(1, 10)), own[1], recipes, raws)
    assert sorted(what.outside) == ["0000-r_1_.fits", "0002-b1.fits"]
    assert not (folder / "data" / "raws").exists()
    page = (folder / "README.md").read_text()
    assert "./run --install --raws RAWS" in page
    with pytest.raises(RequestError, match=r"rests on 2 raw files that it does not hold \(r_1_.fits, ...\)"):
        found(folder, what, None)
    (elsewhere / "deep").mkdir(parents=True)
    with pytest.raises(RequestError, match=r"must have the raw file r_1_.fits, SHA-256 [0-9a-f]{64}, found none"):
        found(folder, what, elsewhere)
    (elsewhere / "r<1>.fits").write_text("another")
    with pytest.raises(RequestError, match="found one of that name with another content"):
        found(folder, what, elsewhere)
    for name in ("0000-r_1_.fits", "0002-b1.fits"):
        path = raws.sources[name]
        (elsewhere / "deep" / path.name).write_bytes(path.read_bytes())
    sources = found(folder, what, elsewhere)
    assert sources["0000-r_1_.fits"] == (elsewhere / "deep" / "r<1>.fits").resolve()


def test_a_raw_that_is_gone_is_told(place: Path, tmp_path: Path) -> None:
    """Before anything is processed."""
    (tmp_path / "my raws" / "fi.fits").unlink()
    with pytest.raises(DocumentError, match=r"fi.fits: must be the raw file that the run was made of, found none"):
        raws_of(place)


def test_an_archive_cannot_name_files_of_this_machine(
    raws: Raws, own: tuple[Reproduction, Camera], tmp_path: Path, recipes: Path
) -> None:
    """A raw is one that it holds or names, or there is none."""
    folder = tmp_path / "archive"
    folder.mkdir()
    what = packed(folder, own[0], own[1], recipes, raws)
    scanned, _ = read_described(folder / "data")
    (first, *rest) = scanned.manifest.raws
    manifest = replace(scanned.manifest, raws=(replace(first, path="/etc/passwd"), *rest))
    write_described(folder / "data", replace(scanned, manifest=manifest), None)
    with pytest.raises(DocumentError, match="must be raws of the archive, found '/etc/passwd'"):
        lay_out(folder, tmp_path / "place", found(folder, what, None), ())
