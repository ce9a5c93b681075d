"""A server of the tests' own that speaks the protocol of S3, and ends with them."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.testing.ports import free_port, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class S3:
    """A server that speaks the protocol of S3: moto's, which keeps everything in memory."""

    endpoint: str
    process: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that lead to it."""
        secrets = {"AWS_ACCESS_KEY_ID": "planted-key", "AWS_SECRET_ACCESS_KEY": "planted-secret"}
        return {"S3_ENDPOINT_URL": self.endpoint, "AWS_DEFAULT_REGION": "us-east-1", **secrets}

    def stop(self) -> None:
        """End."""
        self.process.terminate()
        self.process.wait()


@contextmanager
def s3_server() -> Iterator[S3]:
    """Start an S3 server and end it.

    Raises
    ------
    InfrastructureError
        If it does not answer.
    """
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = S3(f"http://127.0.0.1:{port}", process)
    try:
        wait_for(port)
        yield server
    finally:
        server.stop()
