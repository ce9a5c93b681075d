from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("docker")

from obs_registry.model import Limits
from qa.engines.docker_box import NOBODY, Box, User
from qa.errors import EngineError

USER = User(1000, 100, (4, 7), "ada")


def a_box(folder: Path, **given: object) -> Box:
    """Build a box that runs nothing special."""
    limits = Limits(memory_gib=2.0, cpus=1.5, processes=64)
    return Box("img", ("run", "me"), folder, **{"user": USER, "limits": limits, **given})  # type: ignore[arg-type]


def mounts(box: Box) -> dict[str, bool]:
    """Return which paths are mounted, and whether they can only be read."""
    return {one["Target"]: one["ReadOnly"] for one in box.asked_of_host()["mounts"]}


def test_a_container_is_shut_off() -> None:
    """It has no network, no capabilities and no way to get them, and cannot write its own files."""
    asked = a_box(Path("/runs/x")).asked_of_host()
    assert asked["network_mode"] == "none"
    assert asked["cap_drop"] == ["ALL"]
    assert asked["security_opt"] == ["no-new-privileges"]
    assert asked["read_only"] is True
    assert "privileged" not in asked


def test_a_container_has_limits() -> None:
    """Memory without swap, processors, processes; its temporary files count as memory."""
    asked = a_box(Path("/runs/x")).asked_of_host()
    assert asked["mem_limit"] == asked["memswap_limit"] == 2 * 2**30
    assert asked["nano_cpus"] == 1_500_000_000
    assert asked["pids_limit"] == 64
    assert asked["tmpfs"] == {"/tmp": f"mode=1777,size={2**30}"}  # noqa: S108 - inside the container


def test_only_what_is_written_to_can_be_written(tmp_path: Path) -> None:
    """All else is mounted read-only, each where it is outside, what lies in another one only once."""
    work, data, more = (tmp_path / name for name in ("work", "data", "more"))
    box = a_box(work, reads=(data, data / "raw", work), writes=(more, more / "inner"))
    assert mounts(box) == {str(work): False, str(more): False, str(data): True}


def test_a_set_up_script_of_this_machine_is_mounted_and_one_of_the_image_is_not(tmp_path: Path) -> None:
    """Both are sourced before the command."""
    script = tmp_path / "setup.sh"
    script.touch()
    for path, mounted in ((script, {str(script): True}), (Path("/opt/lsst/setup.sh"), {})):
        box = a_box(tmp_path / "work", setup=path)
        assert mounts(box) == {str(tmp_path / "work"): False, **mounted}
        assert box.asked()["command"][-3:] == [str(path), "run", "me"]


def test_the_root_of_the_machine_is_never_given_away() -> None:
    """It would hide the image's files, and show all of the machine's."""
    with pytest.raises(EngineError, match="a folder below the root must be given to the container, found /"):
        a_box(Path("/runs/x"), reads=(Path("/"),)).asked_of_host()


def test_a_container_is_its_caller() -> None:
    """With the caller's groups, by which data can often be read, and a home it can write."""
    box = a_box(Path("/runs/x"), env={"COLOUR": "red"})
    assert box.asked()["user"] == "1000:100"
    assert box.asked_of_host()["group_add"] == ["4", "7"]
    environment = box.asked()["environment"]
    assert environment["COLOUR"] == "red"
    assert environment["USER"] == "ada"
    assert environment["HOME"] == "/tmp"  # noqa: S108 - inside the container


def test_the_caller_is_never_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of root, nobody; and no group of root's."""
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert User.of_caller() == User(NOBODY, NOBODY, name="nobody")
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(os, "getgid", lambda: 100)
    monkeypatch.setattr(os, "getgroups", lambda: [0, 4, 7, 100])
    assert User.of_caller({"USER": "ada"}) == USER
