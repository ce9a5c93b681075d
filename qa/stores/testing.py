"""For tests of what reads runs and talks to servers: runs on disk, and servers of one's own that end with the test."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from qa.errors import InfrastructureError
from qa.journal import FILE_NAME, Journal
from qa.record import RunFinished, RunStarted, StepFinished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qa.record import RunRecord


def write_run(runs: Path, record: RunRecord) -> Path:
    """Write the journal of a run that gives its record, and return its folder."""
    folder = runs / record.run_id
    with Journal(folder / FILE_NAME, lambda: record.started) as journal:
        journal.append(RunStarted(record.plan, record.provenance))
        for measured in record.measured.values():
            journal.append(measured)
        for outcome in record.outcomes.values():
            journal.append(StepFinished(outcome))
        if record.exit_code is not None:
            journal.append(RunFinished(record.exit_code))
    return folder


@dataclass(frozen=True, slots=True)
class Postgres:
    """A real PostgreSQL server that asks for a password. As root it runs as `postgres` or `nobody`: it refuses root."""

    folder: Path
    port: int
    password: str = "se/cr:et@word"  # noqa: S105 - of a server that ends with the test

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://qa:{quote(self.password, safe='')}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        data, log = str(self.folder / "data"), str(self.folder / "log")
        self._run("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """End, cutting all connections."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "fast", "-w", "stop")

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Carry out a statement as the owner."""
        import psycopg  # noqa: PLC0415 - an optional part

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def make(self) -> None:
        """Make its files."""
        if os.geteuid() == 0:
            known = {one.pw_name: one for one in pwd.getpwall()}
            account = known.get("postgres") or known["nobody"]
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        data = ("initdb", "-D", str(self.folder / "data"), "-U", "qa", "--no-sync", "-E", "UTF8", "--locale=C")
        self._run(*data, "-A", "scram-sha-256", f"--pwfile={secret}")

    def _run(self, name: str, *arguments: str) -> None:
        program, owner = program_of(name), self.folder.stat()
        command = [program or name, *arguments]
        uid, gid = (owner.st_uid, owner.st_gid) if os.geteuid() == 0 else (None, None)
        others = () if uid is not None else None
        subprocess.run(
            command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, user=uid, group=gid, extra_groups=others
        )


def program_of(name: str) -> str | None:
    """Return where a program of PostgreSQL is: on PATH, or where Debian has it."""
    debian = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *debian]))


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Start a PostgreSQL server and end it."""
    server = Postgres(Path(tempfile.mkdtemp(prefix="obsqa-pg-")), free_port())
    try:
        server.make()
        server.start()
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):
            server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


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
        _wait_for(port)
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """Return a port that no server listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    msg = f"no server answers at port {port}"
    raise InfrastructureError(msg)
