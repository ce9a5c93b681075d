"""A small image with a shell, made without a registry, in a Docker Engine of the tests' own."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from docker import DockerClient

TOOLS = "obsqa-test:tools"
WHOLE = "obsqa-test:whole"


@pytest.fixture
def give_tools(tmp_path: Path) -> Callable[[DockerClient], str]:
    """Return what gives an engine the small image."""
    from ci.images.build import import_tar, tar_of
    from ci.images.contents import complete, tools

    def give(client: DockerClient) -> str:
        if not client.images.list(TOOLS):
            import_tar(client, tar_of(tmp_path / "tools.tar", complete(tools())), TOOLS)
        return TOOLS

    return give


@pytest.fixture
def client(docker_engine: Any, give_tools: Callable[[DockerClient], str]) -> Iterator[DockerClient]:
    """Yield a client of an engine that has the small image, or skip."""
    from qa.engines.docker_client import connect

    with closing(connect()) as found:
        give_tools(found)
        yield found


@pytest.fixture
def whole_image(docker_engine: Any, tmp_path: Path) -> str:
    """Return the name of an image of obsqa, made of all that is installed here, or skip."""
    from ci.images.build import IMPORT_SECONDS, import_tar, make_tar
    from qa.engines.docker_client import connect

    with closing(connect(seconds=IMPORT_SECONDS)) as found:
        if not found.images.list(WHOLE):
            tar = make_tar(tmp_path / "image.tar")
            import_tar(found, tar, WHOLE)
            tar.path.unlink()
    return WHOLE
