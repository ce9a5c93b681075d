"""A Docker Engine of the tests' own, which ends with them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class DockerEngine:
    """A Docker Engine of the tests' own; its folder is short, since addresses of sockets are."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """Address of the engine, as DOCKER_HOST has it."""
        return f"unix://{self.folder}/docker.sock"

    def start(self) -> None:
        """Start, and wait until it answers."""
        place = self.folder
        command = [
            *("dockerd", "--host", self.host, "--data-root", f"{place}/data", "--exec-root", f"{place}/exec"),
            *("--pidfile", f"{place}/docker.pid", "--storage-driver=overlay2", "--oom-score-adjust=0"),
            *("--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", "--bridge=none"),
            *("--exec-opt", "native.cgroupdriver=cgroupfs"),
        ]
        with (place / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        for _ in range(300):
            if self.process.poll() is not None:
                break
            with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(f"{place}/docker.sock")
                return
            time.sleep(0.1)
        self.kill()
        last = (place / "log").read_text(errors="replace").strip().rpartition("\n")[2]
        msg = f"dockerd does not start: {last[-300:]}"
        raise InfrastructureError(msg)

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def remove(self) -> None:
        """End it, its containers and all it has on the disk."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
        self.kill()
        with suppress(OSError, ValueError):  # containerd outlives an engine that was killed
            os.kill(int((self.folder / "exec/containerd/containerd.pid").read_text()), signal.SIGTERM)
        subprocess.run(["umount", f"{self.folder}/exec/netns/default"], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def docker_engine() -> Iterator[DockerEngine]:
    """Start a Docker Engine and end it.

    Raises
    ------
    InfrastructureError
        If it does not start within half a minute.
    """
    engine = DockerEngine(Path(tempfile.mkdtemp(prefix="oq", dir="/tmp")))
    try:
        engine.start()
        yield engine
    finally:
        engine.remove()
