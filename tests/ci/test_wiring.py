from __future__ import annotations

from typing import TYPE_CHECKING

from ci.settings import Settings
from ci.wiring import read_cameras
from obs_registry.loader import SHIPPED

if TYPE_CHECKING:
    from pathlib import Path


def settings_with(folder: Path, name: str, text: str) -> Settings:
    """Make settings with one more camera file."""
    (folder / name).write_text(text)
    return Settings(runs=folder, cache=folder, regression_data=folder, registry=(folder,))


def test_a_faulty_file_is_a_camera_that_does_not_run(tmp_path: Path) -> None:
    """The camera is called like its file, and the first fault says why; the others are healthy."""
    healthy, faulty = read_cameras(settings_with(tmp_path, "newcam.yaml", "schema: 1\nname: newcam\n"))
    assert [one.camera for one in faulty] == ["newcam"]
    assert "newcam.yaml:" in faulty[0].reason
    assert "hsc" in {camera.name for camera in healthy}


def test_a_second_file_of_a_camera_is_told_beside_the_camera(tmp_path: Path) -> None:
    """The camera runs by its first file; the second one is listed by its file name, so that nothing is there twice."""
    shipped = (SHIPPED / "hsc.yaml").read_text()
    healthy, faulty = read_cameras(settings_with(tmp_path, "hsc.yaml", shipped), ("hsc",))
    assert [one.camera for one in faulty] == ["hsc.yaml"]
    assert "a camera that no other file describes" in faulty[0].reason
    assert "hsc" in {camera.name for camera in healthy}


def test_faults_of_cameras_not_asked_for_are_passed_over(tmp_path: Path) -> None:
    """Who asks for one camera is not bothered with the file of another."""
    _, faulty = read_cameras(settings_with(tmp_path, "newcam.yaml", "name: 1\n"), ("hsc",))
    assert not faulty
