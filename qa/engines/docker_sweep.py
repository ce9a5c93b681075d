"""Containers that killed nights left behind are removed before a night begins."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from qa.engines.docker_client import answering
from qa.engines.owners import is_gone, own_name
from qa.errors import EngineError

if TYPE_CHECKING:
    from docker import DockerClient

OWNER, UNTIL, STEP = "org.obsqa.owner", "org.obsqa.until", "org.obsqa.step"
GRACE_SECONDS = 3600.0
"""How much later than its time limit a container of an unknown machine's night counts as left behind."""


def labels(step: str, timeout: float) -> dict[str, str]:
    """Return the labels of a container of this process that may take `timeout` seconds."""
    return {OWNER: own_name(), UNTIL: str(int(time.time() + timeout + GRACE_SECONDS)), STEP: step}


def is_left_behind(found: dict[str, str], now: float) -> bool:
    """Tell by its labels whether nobody waits for a container any more; `now` is in seconds since 1970."""
    until = found.get(UNTIL, "")
    return is_gone(found.get(OWNER, "")) or (until.isdigit() and now > int(until))


def sweep(client: DockerClient) -> tuple[str, ...]:
    """Remove containers of ours that nobody waits for, running or not; return what they were there for.

    Raises
    ------
    EngineError
        If the Docker Engine does not answer.
    """
    with answering():
        found = client.api.containers(all=True, filters={"label": OWNER})
    left = [one for one in found if is_left_behind(one.get("Labels") or {}, time.time())]
    for one in left:
        with contextlib.suppress(EngineError), answering():  # another night sweeps as well
            client.api.remove_container(one["Id"], force=True, v=True)
    return tuple(one["Labels"].get(STEP, one["Id"]) for one in left)
