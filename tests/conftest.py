"""Fixtures shared by all tests; the optional parts of obsqa and the shared data skip with a reason."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import AbstractContextManager

    from qa.stores.testing import S3, Postgres

# No test is timed: machines are noisy, and the first example may compile.
settings.register_profile("obsqa", deadline=None)
settings.load_profile("obsqa")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def required(what: str) -> bool:
    """Tell whether `OBSQA_REQUIRE` says that a skip for want of `what` is a failure."""
    return what in os.environ.get("OBSQA_REQUIRE", "").split(",")


def skip_or_fail(what: str, reason: str) -> None:
    """Skip the test, or fail it where `what` is required."""
    if required(what):
        pytest.fail(f"{what} is required here: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def unavailable() -> Callable[[str, str], None]:
    """Return `skip_or_fail` to fixtures of other folders."""
    return skip_or_fail


@pytest.fixture(scope="session")
def free_ports() -> Callable[[], int]:
    """Return `free_port` to fixtures of other folders."""
    return free_port


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data, or skip."""
    folder = Path(os.environ.get("OBSQA_SHARED_DATA", SHARED_DATA))
    if not folder.is_dir():
        skip_or_fail("shared_data", f"the real data sets are not at {folder}")
    return folder


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the suite of faults, which takes many minutes, to those who ask for it: `tox -e faults`."""
    return True if collection_path.name == "faults" and not any("faults" in one for one in config.args) else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests of the embedded pipeline where it is not installed."""
    if item.get_closest_marker("pipeline") and importlib.util.find_spec("lsst.daf.butler") is None:
        skip_or_fail("pipeline", "the extra 'pipeline' is not installed")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail the collection of a module that skips itself for want of the pipeline where that is required."""
    report = yield
    if report.outcome == "skipped" and required("pipeline"):
        report.outcome = "failed"
        report.longrepr = f"the pipeline is required here, and {collector.nodeid} skips itself without it"
    return report


def free_port() -> int:
    """Return a port that no server listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """Start a PostgreSQL server, or skip."""
    from qa.stores.testing import postgres_server, program_of

    if program_of("initdb") is None:
        skip_or_fail("postgres", "initdb is neither on PATH nor where Debian has it")
    if importlib.util.find_spec("psycopg") is None:
        skip_or_fail("postgres", "the extra 'stores' is not installed")
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: Postgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the address of an empty PostgreSQL database, or skip."""
    name = f"t{abs(hash(request.node.nodeid)):x}"
    postgres_server.execute(f"CREATE DATABASE {name}")
    yield postgres_server.url(name)
    postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def s3_or_skip() -> AbstractContextManager[S3]:
    """Return what starts an S3 server, or skip."""
    from qa.stores.testing import s3_server

    if not all(map(importlib.util.find_spec, ("moto", "boto3", "lsst"))):
        skip_or_fail("s3", "moto[server] and the extra 'stores' are not installed")
    return s3_server()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """Start an S3 server for all tests, or skip."""
    with s3_or_skip() as server:
        yield server


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of an empty bucket to which the environment leads, or skip."""
    return lead_to_bucket(s3_server, monkeypatch)


@pytest.fixture
def s3_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[S3, str]]:
    """Return an S3 server that a test may stop and the address of an empty bucket, or skip."""
    with s3_or_skip() as server:
        yield server, lead_to_bucket(server, monkeypatch)


def lead_to_bucket(server: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a bucket and an environment that leads to it, and return its address."""
    import boto3

    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    bucket = f"b{time.time_ns()}"
    boto3.client("s3", endpoint_url=server.endpoint).create_bucket(Bucket=bucket)
    return f"s3://{bucket}/"


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
        program = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
        assert program is not None
        environment = os.environ | {"SLURM_CONF": str(self.root / "slurm.conf")}
        with (self.root / f"{name}.out").open("ab") as log:
            self.daemons[name] = subprocess.Popen((program, *arguments), env=environment, stdout=log, stderr=log)

    def _wait(self, ready: Callable[[], bool]) -> None:
        for _ in range(600):
            if ready():
                return
            time.sleep(0.1)
        logs = [path.read_text(errors="replace")[-500:] for path in sorted(self.root.glob("*.out"))]
        pytest.fail(f"Slurm does not get ready: {logs}")


@pytest.fixture(scope="session")
def slurm_cluster() -> Iterator[Slurm]:
    """Start a Slurm cluster of this machine for all tests, or skip."""
    programs = ("munged", "slurmctld", "slurmd", "sbatch")
    missing = [name for name in programs if not shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")]
    if missing:
        skip_or_fail("slurm", f"{', '.join(missing)} not found: the packages slurm-wlm and munge are not installed")
    if importlib.util.find_spec("parsl") is None:
        skip_or_fail("slurm", "the extra 'batch' is not installed")
    cluster = Slurm(Path(tempfile.mkdtemp(prefix="oq-slurm-", dir="/tmp")))  # sockets want short paths
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def slurm(slurm_cluster: Slurm, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    """Return a Slurm cluster, to which the environment leads, or skip."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_cluster.root / "slurm.conf"))
    forkserver._forkserver._stop()  # steps have the environment that their server was started with
    return slurm_cluster


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
        skip_or_fail("docker", f"dockerd does not start: {last[-300:]}")

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


@pytest.fixture(scope="session")
def started_docker() -> Iterator[DockerEngine]:
    """Start a Docker Engine, or skip."""
    yield from _started_docker()


@pytest.fixture
def own_docker(monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerEngine]:
    """Start a Docker Engine for one test, which may break it, or skip."""
    for engine in _started_docker():
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        yield engine


def _started_docker() -> Iterator[DockerEngine]:
    if not (shutil.which("dockerd") and shutil.which("runc")):
        skip_or_fail("docker", "dockerd and runc are not on PATH")
    if importlib.util.find_spec("docker") is None:
        skip_or_fail("docker", "the extra 'container' is not installed")
    if os.geteuid() != 0:
        skip_or_fail("docker", "only root can start a Docker Engine")
    engine = DockerEngine(Path(tempfile.mkdtemp(prefix="oq", dir="/tmp")))
    try:
        engine.start()
        yield engine
    finally:
        engine.remove()


@pytest.fixture
def docker_engine(started_docker: DockerEngine, monkeypatch: pytest.MonkeyPatch) -> DockerEngine:
    """Return a Docker Engine to which DOCKER_HOST leads, or skip."""
    monkeypatch.setenv("DOCKER_HOST", started_docker.host)
    return started_docker
