from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("docker")

from ci.cli import run
from ci.images.build import default_tag, tar_of
from ci.images.contents import Entry, complete, tools

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qa.testing.docker import DockerEngine

    Obsqa = Callable[..., tuple[int, str]]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an image be made of a shell and a few tools: the whole one is made elsewhere."""
    monkeypatch.setattr(
        "ci.images.build.make_tar", lambda path: tar_of(path, complete([*tools(), Entry("opt/x", data=b"y")]))
    )


@pytest.fixture
def obsqa(capsys: pytest.CaptureFixture[str]) -> Obsqa:
    """Return what runs a command and returns its exit code and all it says."""

    def obsqa(*arguments: str) -> tuple[int, str]:
        code = run(arguments)
        return code, "".join(capsys.readouterr())

    return obsqa


@pytest.mark.usefixtures("small", "docker_engine")
def test_an_image_is_made_and_shown_with_the_digests_that_provenance_has(obsqa: Obsqa) -> None:
    """The layer that was made is the layer that is there."""
    code, made = obsqa("image", "build", "--tag", "obsqa-test:verb", "--json")
    assert code == 0, made
    facts = json.loads(made)
    assert facts["name"] == "obsqa-test:verb"
    assert [layer.startswith("sha256:") for layer in facts["layers"]] == [True]
    code, shown = obsqa("image", "show", "obsqa-test:verb")
    assert code == 0
    assert f"layers: {facts['layers'][0]}" in shown
    assert facts["identity"] in shown


@pytest.mark.usefixtures("small")
def test_the_files_of_an_image_are_kept_without_any_engine(
    obsqa: Obsqa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For an engine elsewhere."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    code, told = obsqa("image", "build", "--tar", str(tmp_path / "obsqa.tar"), "--json")
    assert code == 0, told
    assert json.loads(told)["bytes"] == (tmp_path / "obsqa.tar").stat().st_size


def test_without_an_engine_there_is_one_line(obsqa: Obsqa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the exit code of infrastructure."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    for arguments in (("image", "show", "obsqa:night"), ("image", "clean")):
        code, told = obsqa(*arguments)
        assert code == 3
        assert "Docker Engine" in told
        assert len(told.strip().splitlines()) == 1


def test_an_image_that_is_not_there_is_one_line(obsqa: Obsqa, docker_engine: DockerEngine) -> None:
    """Nothing is fetched."""
    assert docker_engine.process is not None
    code, told = obsqa("image", "show", "nobody/has:this")
    assert code != 0
    assert "nobody/has:this" in told
    assert len(told.strip().splitlines()) == 1


def test_an_image_is_called_after_the_version() -> None:
    """Unless it is given a name."""
    assert default_tag().startswith("obsqa:")
