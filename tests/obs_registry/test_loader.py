from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obs_registry.errors import RegistryError
from obs_registry.loader import PLUGINS, Registry, load_registry, parse_camera, read_file, read_registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from obs_registry.loader import Reading


def read(*folders: Path) -> Reading:
    """Read folders alone, without the shipped files."""
    first, *others = folders
    return read_registry(others, shipped=first, plugins=False)


def lines(reading: Reading) -> list[str]:
    """Return the faults as lines, without folders."""
    return [str(fault).replace(f"{fault.file.rpartition('/')[0]}/", "") for fault in reading.faults]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sound: str) -> Callable[[str], Path]:
    """Return a function that installs a package with the camera `curio`, whose entry point names a given package."""

    def install(named: str) -> Path:
        site = tmp_path / "site"
        cameras = site / "obs_curio" / "obsqa"
        cameras.mkdir(parents=True)
        (site / "obs_curio" / "__init__.py").write_text("")
        (cameras / "__init__.py").write_text("raise RuntimeError('a package must not be imported for its files')")
        (cameras / "curio.yaml").write_text(sound)
        info = site / "obs_curio-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: obs-curio\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{PLUGINS}]\ncurio = {named}\n")
        monkeypatch.syspath_prepend(site)
        return cameras

    return install


def test_a_registry_is_a_mapping_that_knows_its_files(sound: str, folder: Callable[..., Path]) -> None:
    """Cameras by name, with the file each came from."""
    place = folder(curio=sound)
    registry = load_registry(shipped=place, plugins=False)
    assert list(registry) == ["curio"]
    assert len(registry) == 1
    assert registry["curio"].title == "Curio"
    assert registry.path("curio") == place / "curio.yaml"
    assert "hsc" not in registry
    assert len(Registry()) == 0


def test_folders_add_to_the_shipped_cameras(sound: str, folder: Callable[..., Path]) -> None:
    """A site's cameras stand after the shipped ones; a folder named twice is read once."""
    place = folder(curio=sound)
    registry = load_registry([place, place / ".." / place.name], plugins=False)
    assert list(registry)[-1] == "curio"
    assert "hsc" in registry


def test_every_fault_of_every_file_is_raised_at_once(folder: Callable[..., Path], spoilt: Callable[..., str]) -> None:
    """One error holds all lines, file by file and in the order of the lines."""
    place = folder(
        curio=spoilt(("title: Curio", "colour: red"), ("2026-12-31 ", "2025-12-31 "), ("bands: [r]", "bands: [u]")),
        broken="a: }",
        empty="",
        items="- 1\n",
    )
    with pytest.raises(RegistryError) as caught:
        load_registry(shipped=place, plugins=False)
    assert [(fault.camera, fault.line, fault.key) for fault in caught.value.faults] == [
        ("broken", 1, ""),
        ("curio", 1, "title"),
        ("curio", 3, "colour"),
        ("curio", 11, "lease.until"),
        ("curio", 22, "datasets.1.bands.0"),
        ("empty", 1, ""),
        ("items", 1, ""),
    ]


def test_a_faulty_file_harms_no_other_camera(folder: Callable[..., Path], sound: str) -> None:
    """The healthy cameras are there, and the faults name the others."""
    reading = read(folder(curio=sound, broken="a: [", other="name: other"))
    assert list(reading.registry) == ["curio"]
    assert {fault.camera for fault in reading.faults} == {"broken", "other"}


def test_a_camera_is_described_by_one_file_only(tmp_path: Path, folder: Callable[..., Path], sound: str) -> None:
    """The second of two files is the fault, even if it has others; the first stays."""
    first = folder(curio=sound)
    second = tmp_path / "more"
    second.mkdir()
    (second / "curio.yaml").write_text(sound.replace("title: Curio", "title: 5"))
    reading = read(first, second)
    assert reading.registry.path("curio") == first / "curio.yaml"
    found = f"'curio', which is in {first}/curio.yaml:2"
    assert lines(reading) == [
        f"curio.yaml:2: name: required a camera that no other file describes, found {found}",
        "curio.yaml:3: title: required text, found 5",
    ]


def test_a_file_is_called_like_its_camera(folder: Callable[..., Path], sound: str) -> None:
    """Otherwise nobody finds it, and a second file of the same camera would pass."""
    reading = read(folder(curious=sound))
    assert len(reading.registry) == 0
    assert lines(reading) == ["curious.yaml:2: name: required 'curious', like the file, found 'curio'"]


@pytest.mark.parametrize("name", ["5", "[a]", ""])
def test_a_name_that_is_no_text_is_one_fault(
    spoilt: Callable[..., str], folder: Callable[..., Path], name: str
) -> None:
    """It is not compared with anything."""
    reading = read(folder(curio=spoilt(("name: curio\n", f"name: {name}\n"))))
    assert [fault.key for fault in reading.faults] == ["name"]


@pytest.mark.parametrize("number", ["2", "0", "true", "'1'", "[1]"])
def test_a_file_of_another_format_is_not_judged_by_this_one(spoilt: Callable[..., str], number: str) -> None:
    """Only the number is reported: the other keys mean something else."""
    entry = parse_camera(spoilt(("schema: 1", f"schema: {number}"), ("title: Curio", "colour: 5")), "curio.yaml")
    assert entry.camera is None
    (fault,) = entry.faults
    assert (fault.line, fault.key, fault.required) == (1, "schema", "1, the format this version reads")


def test_a_file_without_the_number_of_its_format_is_judged_all_the_same(spoilt: Callable[..., str]) -> None:
    """Forgetting the number hides no other fault."""
    entry = parse_camera(spoilt(("schema: 1\n", ""), ("title: Curio", "title: 5")), "curio.yaml")
    assert [fault.key for fault in entry.faults] == ["schema", "title"]


def test_a_repeated_key_is_a_fault(spoilt: Callable[..., str]) -> None:
    """YAML readers keep the last of equal keys silently; here it is refused, with the line of the second."""
    entry = parse_camera(spoilt(("  detectors: 9\n", "  detectors: 9\n  detectors: 10\n")), "curio.yaml")
    assert entry.camera is None
    assert [str(fault) for fault in entry.faults] == [
        "curio.yaml:15: instrument.detectors: required each key once, found the key again"
    ]


def test_a_file_that_cannot_be_read_is_a_fault(folder: Callable[..., Path], sound: str) -> None:
    """Bytes that are no text, or a link to nothing, harm no other file."""
    place = folder(curio=sound)
    (place / "bytes.yaml").write_bytes(b"a: \xff")
    (place / "gone.yaml").symlink_to(place / "nothing")
    reading = read(place)
    assert list(reading.registry) == ["curio"]
    assert [(fault.camera, fault.required) for fault in reading.faults] == [
        ("bytes", "readable text in UTF-8"),
        ("gone", "readable text in UTF-8"),
    ]


def test_a_file_of_the_other_suffix_is_not_passed_over(folder: Callable[..., Path], sound: str) -> None:
    """A camera that is not read would be missed by nobody; notes beside the files are."""
    place = folder(curio=sound)
    (place / "other.yml").write_text(sound)
    (place / "README.md").write_text("our cameras")
    assert lines(read(place)) == ["other.yml: required a file name that ends in .yaml, found other.yml"]


def test_a_folder_must_be_one(tmp_path: Path, folder: Callable[..., Path], sound: str) -> None:
    """A misspelt folder is told, and the others are read."""
    place = folder(curio=sound)
    reading = read(place, tmp_path / "nothing", place / "curio.yaml")
    assert list(reading.registry) == ["curio"]
    assert [(fault.required, fault.found) for fault in reading.faults] == [
        ("a folder of camera files", "nothing"),
        ("a folder of camera files", "a file"),
    ]


def test_an_installed_package_brings_its_cameras(package: Callable[[str], Path]) -> None:
    """The entry point names a package, whose files are read without importing it."""
    cameras = package("obs_curio.obsqa")
    registry = load_registry()
    assert registry.path("curio") == cameras / "curio.yaml"
    assert "curio" not in load_registry(plugins=False)


@pytest.mark.parametrize("named", ["obs_curio.nothing", "obs_nothing.obsqa", "obs_curio:cameras", "json.decoder"])
def test_an_entry_point_without_files_is_a_fault(package: Callable[[str], Path], named: str) -> None:
    """The line names the entry point and the package that declares it."""
    package(named)
    (fault,) = read_registry().faults
    assert fault.file == "entry point 'curio' of obs-curio"
    assert fault.found == repr(named)


def test_reading_one_file_gives_camera_or_faults(folder: Callable[..., Path], sound: str) -> None:
    """Never both, never neither."""
    place = folder(curio=sound, other=sound)
    good, bad = read_file(place / "curio.yaml"), read_file(place / "other.yaml")
    assert good.camera is not None
    assert good.faults == ()
    assert bad.camera is None
    assert len(bad.faults) == 1
