"""Ports of this machine, for servers of the tests' own."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from qa.errors import InfrastructureError


def free_port() -> int:
    """Return a port that no server listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until a server answers at a port.

    Raises
    ------
    InfrastructureError
        If none does within a minute.
    """
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    msg = f"no server answers at port {port}"
    raise InfrastructureError(msg)
