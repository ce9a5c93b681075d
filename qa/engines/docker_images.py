"""What an image is: its id and the digests of its layers, which name all the software in it."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qa.engines.docker_client import NoImageError, answering, connect
from qa.errors import InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from docker import DockerClient


@dataclass(frozen=True, slots=True)
class Image:
    """An image in a Docker Engine.

    `identity` is the engine's id, which holds the time of an import; `layers` are the digests of the file systems, and
    `settings` that of what the image sets (environment, entry point, folder): those are the same wherever an image of
    the same contents was made.
    """

    name: str
    identity: str
    layers: tuple[str, ...]
    settings: str

    @property
    def contents(self) -> str:
        """Name what is in the image and how it is begun, the same for all images in which that is the same."""
        return f"{' '.join(self.layers)} set up as {self.settings}"


def find_image(client: DockerClient, name: str) -> Image:
    """Look an image up.

    Raises
    ------
    NoImageError
        If it is not there; nothing is fetched.
    EngineError
        If the engine does not answer.
    """
    from docker.errors import ImageNotFound  # noqa: PLC0415 - an extra

    with answering():
        try:
            found: dict[str, Any] = client.api.inspect_image(name)  # type: ignore[no-untyped-call]
        except ImageNotFound:
            raise NoImageError(name) from None
    return Image(name, str(found["Id"]), tuple(found["RootFS"].get("Layers") or ()), _settings(found.get("Config")))


def image_facts(images: Mapping[str, str]) -> dict[str, str]:
    """Return what a run's provenance tells of images, given by camera: contents and, apart from that, name and id.

    Of what cannot be asked for nothing is returned: the steps will tell why.
    """
    facts: dict[str, str] = {}
    if not images:
        return facts
    with suppress(InfrastructureError), closing(connect()) as client:
        for camera, name in images.items():
            with suppress(NoImageError):
                image = find_image(client, name)
                facts |= {f"container {camera}": image.contents, f"image {camera}": f"{image.name} {image.identity}"}
    return facts


def _settings(config: dict[str, Any] | None) -> str:
    """Return a digest of what the image sets for the processes in it."""
    kept = {key: (config or {}).get(key) or None for key in ("Env", "Entrypoint", "Cmd", "WorkingDir", "User", "Shell")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
