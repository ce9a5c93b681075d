"""One container from its creation to its removal: its lines as they come, its end, and what it came to."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

from qa.engines.docker_client import answering
from qa.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from docker import DockerClient

    from qa.engines.docker_box import Box

POLL_SECONDS = 0.2
COST_SECONDS = 1.0
"""How often CPU time and memory are asked for: they are gone with the container's end."""
GRACE_SECONDS = 5
"""How long a command may take to end once it is told to."""
_NANO, _MIB = 1e9, 2.0**20


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container ended.

    `late` and `stopped` say that we ended it; `out_of_memory` that the kernel killed a process in it at the limit of
    memory, be it the first one or another. CPU time in seconds and peak memory in MiB are as last seen, 0 if never.
    """

    code: int
    wall_seconds: float
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0
    out_of_memory: bool = False
    late: bool = False
    stopped: bool = False


@dataclass(slots=True)
class _Cost:
    """What a container was last seen to have used."""

    cpu_seconds: float = 0.0
    peak_mib: float = 0.0
    asked: float = 0.0

    def ask(self, client: DockerClient, identity: str) -> None:
        """Ask, unless that was done a moment ago; a container that has just ended has no answer."""
        now = time.monotonic()
        if now - self.asked < COST_SECONDS:
            return
        self.asked = now
        seen: dict[str, Any] = client.api.stats(identity, stream=False, one_shot=True)
        memory = seen.get("memory_stats") or {}
        cpu = (seen.get("cpu_stats") or {}).get("cpu_usage") or {}
        self.cpu_seconds = max(self.cpu_seconds, cpu.get("total_usage", 0) / _NANO)
        # Only the first version of control groups tells the highest value.
        self.peak_mib = max(self.peak_mib, memory.get("max_usage", memory.get("usage", 0)) / _MIB)


def run_box(client: DockerClient, box: Box, *, timeout: float, stop: Event, line: Callable[[str], None]) -> Ended:
    """Run a container until it ends, is late (seconds) or no longer wanted; nothing of it is left.

    Raises
    ------
    EngineError
        If the Docker Engine is gone, refuses, or has no such image.
    """
    began = time.monotonic()
    with _created(client, box) as identity, _attached(client, identity, line) as over:
        with answering():
            client.api.start(identity)
        cost = _Cost()
        while not _is_over(client, identity, over, cost):
            late = time.monotonic() - began >= timeout
            if late or stop.is_set():
                with answering():
                    client.api.stop(identity, timeout=GRACE_SECONDS)
                return _ended(client, identity, began, cost, late=late, stopped=not late)
            over.wait(POLL_SECONDS)
        over.wait(GRACE_SECONDS)  # for the last lines
        return _ended(client, identity, began, cost)


@contextlib.contextmanager
def _created(client: DockerClient, box: Box) -> Iterator[str]:
    """Make a container, and remove it whatever happens; one whose engine is gone is swept up by a later night."""
    with answering():
        host = client.api.create_host_config(**box.asked_of_host())
        identity = str(client.api.create_container(**box.asked(), host_config=host)["Id"])
    try:
        yield identity
    finally:
        with contextlib.suppress(EngineError), answering():
            client.api.remove_container(identity, force=True, v=True)


@contextlib.contextmanager
def _attached(client: DockerClient, identity: str, line: Callable[[str], None]) -> Iterator[Event]:
    """Pass on what a container prints; the event tells that there is no more. While this lasts its input is open."""
    over = Event()
    with answering():
        printed = client.api.attach(identity, stream=True, stdout=True, stderr=True)
        tie = client.api.attach_socket(identity, params={"stdin": 1, "stream": 1})
    reading = threading.Thread(target=_read, args=(printed, line, over), daemon=True)
    reading.start()
    try:
        yield over
    finally:
        with contextlib.suppress(OSError):
            tie.close()
        reading.join(GRACE_SECONDS)


def _read(printed: Iterable[bytes], line: Callable[[str], None], over: Event) -> None:
    try:
        with contextlib.suppress(EngineError), answering():
            for text in lines_of(printed):
                line(text)
    finally:
        over.set()


def lines_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of a text that comes in pieces, the last one also without an end."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (one.decode(errors="replace").rstrip("\r") for one in whole)
    if rest:
        yield rest.decode(errors="replace")


def _is_over(client: DockerClient, identity: str, over: Event, cost: _Cost) -> bool:
    with answering():
        if not over.is_set():
            cost.ask(client, identity)
        return not client.api.inspect_container(identity)["State"]["Running"]


def _ended(
    client: DockerClient, identity: str, began: float, cost: _Cost, *, late: bool = False, stopped: bool = False
) -> Ended:
    with answering():
        state = client.api.inspect_container(identity)["State"]
    return Ended(
        code=int(state["ExitCode"]),
        wall_seconds=time.monotonic() - began,
        cpu_seconds=cost.cpu_seconds,
        peak_mib=cost.peak_mib,
        out_of_memory=bool(state["OOMKilled"]),
        late=late,
        stopped=stopped,
    )
