"""Talking to a Docker Engine: the one that `DOCKER_HOST` names, else the one of this machine."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qa.errors import EngineError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

ANSWER_SECONDS = 60.0
"""Longest wait for an answer; the creation of a container on a busy disk takes some."""


class ContainerEngineGoneError(EngineError):
    """The Docker Engine does not answer."""

    def __init__(self, found: str) -> None:
        self.found = found
        where = f"at DOCKER_HOST={os.environ['DOCKER_HOST']}" if os.environ.get("DOCKER_HOST") else "on this machine"
        super().__init__(f"a Docker Engine must answer {where}, found: {found}; start it, or set DOCKER_HOST")


class NoImageError(EngineError):
    """An image is not in the Docker Engine. None is fetched during a night, since names move."""

    def __init__(self, image: str) -> None:
        self.image = image
        super().__init__(f"no image {image!r} in the Docker Engine; run: docker pull {image}, or: obsqa image build")


def connect(*, seconds: float = ANSWER_SECONDS) -> DockerClient:
    """Return a client of the Docker Engine, which answered; for each answer it has `seconds`.

    Raises
    ------
    MissingExtraError
        If the SDK is not installed.
    ContainerEngineGoneError
        If no engine answers.
    """
    try:
        import docker  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MissingExtraError(extra="container", module=str(error.name)) from None
    with answering():
        client = docker.from_env(timeout=int(seconds))
        try:
            client.ping()
        except BaseException:
            client.close()
            raise
        return client


@contextmanager
def answering() -> Iterator[None]:
    """Turn what goes wrong between us and the engine into one line.

    Raises
    ------
    NoImageError
        If an image is not there.
    ContainerEngineGoneError
        If the engine does not answer.
    EngineError
        If it refuses.
    """
    import requests  # noqa: PLC0415 - comes with the SDK
    from docker.errors import APIError, DockerException  # noqa: PLC0415

    try:
        yield
    except APIError as error:
        msg = f"the Docker Engine refuses: {_in_one_line(error.explanation or error)}"
        raise EngineError(msg) from error
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        raise ContainerEngineGoneError(_in_one_line(error)) from error


def _in_one_line(error: object) -> str:
    return " ".join(str(error).split())
