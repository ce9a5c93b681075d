"""An image of obsqa made of the environment that runs now, and given to a Docker Engine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from ci.images.contents import HOME, entries
from ci.images.tarball import write_tar
from qa.documents import atomic_open
from qa.engines.docker_client import answering
from qa.engines.docker_images import Image, find_image
from qa.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from docker import DockerClient

    from ci.images.contents import Entry

SETTINGS = (f"ENV PATH=/{HOME}/bin:/bin:/usr/bin", "ENV LANG=C.UTF-8", "WORKDIR /work", 'CMD ["obsqa", "--help"]')
IMPORT_SECONDS = 600
"""Longest wait for the engine to take an image of more than a gigabyte in."""


@dataclass(frozen=True, slots=True)
class Tar:
    """A tar of an image's files; `digest` is that of the layer it makes, `size` is in bytes."""

    path: Path
    digest: str
    files: int
    size: int


def default_tag() -> str:
    """Return what an image of this version is called."""
    return f"obsqa:{version('obsqa')}"


def make_tar(path: Path) -> Tar:
    """Write all files of an image of obsqa; the same environment gives the same bytes.

    Raises
    ------
    InfrastructureError
        If something that is needed is not installed here.
    DiskFullError
        If there is no space for it, about 1.3 GB.
    """
    return tar_of(path, entries())


def tar_of(path: Path, files: Mapping[str, Entry]) -> Tar:
    """Write files as the tar of an image."""
    with atomic_open(path) as stream:
        write_tar(stream, files.values())
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Tar(path, f"sha256:{digest}", len(files), path.stat().st_size)


def import_tar(client: DockerClient, tar: Tar, tag: str) -> Image:
    """Give an image to a Docker Engine, as its only layer, and return it.

    Raises
    ------
    EngineError
        If the engine is gone, does not take it, or has something else afterwards.
    """
    name, _, label = tag.rpartition(":") if ":" in tag.rpartition("/")[2] else (tag, "", "latest")
    with answering():
        said = client.api.import_image_from_file(str(tar.path), repository=name, tag=label, changes=list(SETTINGS))
    error = _error_in(said)
    if error:
        msg = f"the Docker Engine does not take the image: {error}"
        raise EngineError(msg)
    image = find_image(client, f"{name}:{label}")
    if image.layers != (tar.digest,):
        msg = f"the image must have the layer {tar.digest}, found {' '.join(image.layers)}; import {tar.path} again"
        raise EngineError(msg)
    return image


def _error_in(said: str) -> str:
    """Return what went wrong by the engine's answer, which is a line of JSON for each thing it did."""
    answers = [json.loads(line) for line in said.splitlines() if line.strip()]
    return next((str(one["error"]) for one in answers if "error" in one), "")
