"""A PostgreSQL server of the tests' own, which ends with them."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from qa.testing.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


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
