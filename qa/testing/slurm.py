"""A Slurm cluster of the tests' own: one machine, this one, whose daemons end with them."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import InfrastructureError
from qa.testing.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
"""What must be installed."""

SLURM_CONF = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={root}/munge.sock
CredType=cred/munge
SlurmctldPort={port}
SlurmdPort={other}
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
KillWait=5
MinJobAge=3600
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=2000 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=60 State=UP
"""


@dataclass(frozen=True)
class Slurm:
    """A cluster of one machine, this one, with the partition `debug`."""

    root: Path
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self) -> None:
        """Start the daemons and wait until the node is idle."""
        self._configure()
        munge = ("--foreground", "--force", f"--key-file={self.root}/munge.key", f"--socket={self.root}/munge.sock")
        files = (f"--log-file={self.root}/munged.log", f"--pid-file={self.root}/munged.pid")
        self._begin("munged", *munge, *files, f"--seed-file={self.root}/munge.seed")
        self._wait((self.root / "munge.sock").exists)
        self.start_controller()
        self._begin("slurmd", "-D")
        self._wait(lambda: self.ask("sinfo", "--noheader", "--format=%t") == "idle")

    def start_controller(self) -> None:
        """Start what jobs are submitted to."""
        self._begin("slurmctld", "-D", *(() if any((self.root / "state").iterdir()) else ("-i",)))

    def stop_controller(self) -> None:
        """End what jobs are submitted to; what runs, runs on."""
        daemon = self.daemons.pop("slurmctld")
        daemon.terminate()
        daemon.wait()

    def ask(self, *command: str) -> str:
        """Return what a program of Slurm says."""
        environment = os.environ | {"SLURM_CONF": str(self.root / "slurm.conf")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def stop(self) -> None:
        """End all jobs and the daemons."""
        if "slurmctld" not in self.daemons:
            self.start_controller()
            self._wait(lambda: self.ask("sinfo", "--noheader", "--format=%t") != "")
        self.ask("scancel", "--me")
        self._wait(lambda: self.ask("squeue", "--noheader") == "")
        for name in ("slurmd", "slurmctld", "munged"):
            self.daemons[name].terminate()
            self.daemons[name].wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def _configure(self) -> None:
        for name in ("state", "spool"):
            (self.root / name).mkdir()
        (self.root / "munge.key").write_bytes(os.urandom(1024))
        (self.root / "munge.key").chmod(0o400)
        self.root.chmod(0o755)
        host, user = socket.gethostname().partition(".")[0], pwd.getpwuid(os.geteuid()).pw_name
        named = {"host": host, "user": user, "root": self.root, "cpus": os.cpu_count()}
        text = SLURM_CONF.format(**named, port=free_port(), other=free_port())
        (self.root / "slurm.conf").write_text(text)

    def _begin(self, name: str, *arguments: str) -> None:
        program = program_of(name) or name
        environment = os.environ | {"SLURM_CONF": str(self.root / "slurm.conf")}
        with (self.root / f"{name}.out").open("ab") as log:
            self.daemons[name] = subprocess.Popen((program, *arguments), env=environment, stdout=log, stderr=log)

    def _wait(self, ready: Callable[[], bool]) -> None:
        for _ in range(600):
            if ready():
                return
            time.sleep(0.1)
        logs = [path.read_text(errors="replace")[-500:] for path in sorted(self.root.glob("*.out"))]
        msg = f"Slurm does not get ready: {logs}"
        raise InfrastructureError(msg)


def program_of(name: str) -> str | None:
    """Return where a program of Slurm is: on PATH, or where Debian has its daemons."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def slurm_cluster() -> Iterator[Slurm]:
    """Start a cluster and end it.

    Raises
    ------
    InfrastructureError
        If it does not get ready within a minute.
    """
    cluster = Slurm(Path(tempfile.mkdtemp(prefix="oq-slurm-", dir="/tmp")))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
