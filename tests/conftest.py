"""Fixtures shared by all tests; the optional parts of obsqa and the shared data skip with a reason."""

from __future__ import annotations

import importlib.util
import os
import shutil
import time
from contextlib import ExitStack, contextmanager
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import settings

from qa.errors import InfrastructureError
from qa.testing.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import AbstractContextManager

    from qa.testing.docker import DockerEngine
    from qa.testing.postgres import Postgres
    from qa.testing.s3 import S3
    from qa.testing.slurm import Slurm

# No test is timed: machines are noisy, and the first example may compile.
settings.register_profile("obsqa", deadline=None)
settings.load_profile("obsqa")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def required(what: str) -> bool:
    """Tell whether `OBSQA_REQUIRE` says that a skip for want of `what` is a failure."""
    return what in os.environ.get("OBSQA_REQUIRE", "").split(",")


def skip_or_fail(what: str, reason: str) -> NoReturn:
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


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """Start a PostgreSQL server, or skip."""
    from qa.testing.postgres import postgres_server, program_of

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
    from qa.testing.s3 import s3_server

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


@pytest.fixture(scope="session")
def slurm_cluster() -> Iterator[Slurm]:
    """Start a Slurm cluster of this machine for all tests, or skip."""
    from qa.testing.slurm import PROGRAMS, program_of, slurm_cluster

    missing = [name for name in PROGRAMS if program_of(name) is None]
    if missing:
        skip_or_fail("slurm", f"{', '.join(missing)} not found: the packages slurm-wlm and munge are not installed")
    if importlib.util.find_spec("parsl") is None:
        skip_or_fail("slurm", "the extra 'batch' is not installed")
    with slurm_cluster() as cluster:
        yield cluster


@pytest.fixture
def slurm(slurm_cluster: Slurm, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    """Return a Slurm cluster, to which the environment leads, or skip."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_cluster.root / "slurm.conf"))
    forkserver._forkserver._stop()  # steps have the environment that their server was started with
    return slurm_cluster


@pytest.fixture(scope="session")
def started_docker() -> Iterator[DockerEngine]:
    """Start a Docker Engine, or skip."""
    with docker_or_skip() as engine:
        yield engine


@pytest.fixture
def own_docker(monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerEngine]:
    """Start a Docker Engine for one test, which may break it, or skip."""
    with docker_or_skip() as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        yield engine


@contextmanager
def docker_or_skip() -> Iterator[DockerEngine]:
    """Start a Docker Engine and end it, or skip."""
    from qa.testing.docker import docker_engine

    if not (shutil.which("dockerd") and shutil.which("runc")):
        skip_or_fail("docker", "dockerd and runc are not on PATH")
    if importlib.util.find_spec("docker") is None:
        skip_or_fail("docker", "the extra 'container' is not installed")
    if os.geteuid() != 0:
        skip_or_fail("docker", "only root can start a Docker Engine")
    with ExitStack() as stack:
        try:
            engine = stack.enter_context(docker_engine())
        except InfrastructureError as error:
            skip_or_fail("docker", str(error))
        yield engine


@pytest.fixture
def docker_engine(started_docker: DockerEngine, monkeypatch: pytest.MonkeyPatch) -> DockerEngine:
    """Return a Docker Engine to which DOCKER_HOST leads, or skip."""
    monkeypatch.setenv("DOCKER_HOST", started_docker.host)
    return started_docker
