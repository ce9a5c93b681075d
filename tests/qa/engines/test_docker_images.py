from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("docker")

from qa.engines.docker_client import ContainerEngineGoneError, NoImageError, connect
from qa.engines.docker_images import find_image, image_facts

if TYPE_CHECKING:
    from pathlib import Path

    from docker import DockerClient

TOOLS = "obsqa-test:tools"


def test_images_of_the_same_contents_are_known_as_such(client: DockerClient, tmp_path: Path) -> None:
    """The engine's id holds the time of the import, the digests of layers do not."""
    from ci.images.build import import_tar, tar_of
    from ci.images.contents import complete, tools

    first = find_image(client, TOOLS)
    again = import_tar(client, tar_of(tmp_path / "again.tar", complete(tools())), "obsqa-test:again")
    assert again.identity != first.identity
    assert again.contents == first.contents
    assert again.layers == tuple(layer for layer in first.layers if layer.startswith("sha256:"))
    client.images.remove("obsqa-test:again")


def test_what_an_image_sets_for_its_processes_is_part_of_its_contents(client: DockerClient) -> None:
    """The same files with another search path may run something else."""
    made = client.containers.create(TOOLS, "true")
    other = made.commit("obsqa-test", "other", changes='ENV PATH="/other"')
    made.remove()
    first, second = find_image(client, TOOLS), find_image(client, "obsqa-test:other")
    assert second.settings != first.settings
    assert second.contents != first.contents
    client.images.remove(str(other.id), force=True)


def test_a_runs_provenance_has_the_contents_and_apart_from_them_the_id(client: DockerClient) -> None:
    """Of an image that is not there nothing is told, and the others are."""
    image = find_image(client, TOOLS)
    assert image_facts({"hsc": TOOLS, "decam": "obsqa-test:none"}) == {
        "container hsc": image.contents,
        "image hsc": f"{TOOLS} {image.identity}",
    }
    assert image_facts({}) == {}


@pytest.mark.usefixtures("docker_engine")
def test_an_image_that_is_not_there_is_not_fetched() -> None:
    """The line says what to do."""
    with pytest.raises(NoImageError, match="no image 'obsqa-test:none' in the Docker Engine; run: docker pull"):
        find_image(connect(), "obsqa-test:none")


def test_without_an_engine_there_is_a_line_and_no_fact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A night goes on without: the steps that need the engine tell of it."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(ContainerEngineGoneError, match=f"must answer at DOCKER_HOST=unix://{tmp_path}/none.sock"):
        connect()
    assert image_facts({"hsc": TOOLS}) == {}
