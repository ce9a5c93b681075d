from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from obs_registry.model import Batch, BatchService
from qa.engines.batch import FOLDER, BatchEngine, process_on
from qa.engines.local import LocalEngine
from qa.errors import EngineError
from qa.judging.epochs import is_resource
from qa.model import Stage, StepStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qa.engines.base import Engine, Job, StepReport
    from qa.model import Result

pytestmark = pytest.mark.pipeline
pytest.importorskip("lsst.pipe.base")
pytest.importorskip("parsl")

# A job kills its own shell, once; `bps` itself, which is set up as well, is no worker of Parsl's.
KILLING = """
if [ -n "$PARSL_WORKER_RANK" ] && mkdir {once} 2>/dev/null; then kill -9 $$; fi
"""


def carry_out(engine: Engine, job: Job) -> tuple[StepReport, list[tuple[int, int]]]:
    """Carry out a step; also return its progress."""
    told: list[tuple[int, int]] = []
    return engine.run(job, lambda _step, done, total: told.append((done, total))), told


def quality(engine: Engine, job: Job) -> list[Result]:
    """Harvest and return what was measured of the data, without what it cost."""
    report, _ = carry_out(engine, job)
    assert report.outcome.status is StepStatus.DONE, report.outcome.message
    return [result for result in report.results if not is_resource(result.metric)]


@pytest.fixture(scope="session")
def expected(ready: Path, tmp_path_factory: pytest.TempPathFactory, a_job: Callable[..., Job]) -> list[Result]:
    """Process here and return what was measured."""
    here = shutil.copytree(ready, tmp_path_factory.mktemp("here") / "run", symlinks=True)
    report, _ = carry_out(LocalEngine(), a_job(here))
    assert report.outcome.status is StepStatus.DONE, report.outcome.message
    return quality(LocalEngine(), a_job(here, Stage.MEASURE))


@pytest.mark.usefixtures("slurm")
def test_a_cluster_measures_the_same_numbers(
    folder: Path, expected: list[Result], a_job: Callable[..., Job], on_slurm: Callable[..., Batch]
) -> None:
    """What is processed on Slurm is harvested by the same code, and is the same to the last bit."""
    from qa.drp.accounting import read_outside

    batch = on_slurm()
    report, told = carry_out(BatchEngine(), a_job(folder, batch=batch))
    assert (report.outcome.status, report.outcome.message) == (StepStatus.DONE, "")
    assert told[-1][0] == told[-1][1] > 1
    assert quality(BatchEngine(), a_job(folder, Stage.MEASURE, batch=batch)) == expected != []
    assert read_outside(folder / "butler", "obsqa") > told[-1][1]  # each job began a Python, which costs seconds


def test_a_killed_night_is_taken_up_again_and_repeats_nothing(
    slurm: object, folder: Path, expected: list[Result], a_job: Callable[..., Job], on_slurm: Callable[..., Batch]
) -> None:
    """What its jobs left in the queue is cancelled first, and what they had done counts."""
    from qa.batch.cluster import read_jobs

    batch = on_slurm(quanta_per_job=4)
    ours, theirs = multiprocessing.Pipe(duplex=False)

    def night() -> None:
        BatchEngine().run(a_job(folder, batch=batch), lambda *_: theirs.send(os.getpid()))

    process = multiprocessing.get_context("fork").Process(target=night)
    process.start()
    assert ours.poll(300)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert slurm.ask("squeue", "--noheader", "--format=%j").startswith("obsqa.hsc-twin-")  # type: ignore[attr-defined]
    report, _ = carry_out(BatchEngine(), a_job(folder, batch=batch))
    assert (report.outcome.status, report.outcome.message) == (StepStatus.DONE, "")
    first, second = (
        sum(len(job.quanta) for job in read_jobs(folder / FOLDER / name / "jobs.json")) for name in ("001", "002")
    )
    assert second < first
    assert quality(BatchEngine(), a_job(folder, Stage.MEASURE, batch=batch)) == expected
    assert slurm.ask("squeue", "--noheader") == ""  # type: ignore[attr-defined]


def test_a_job_that_was_killed_is_done_again(folder: Path, expected: list[Result], a_job: Callable[..., Job]) -> None:
    """On this machine, by Parsl: its quanta are told, each of them has a job of its own then, and nothing is lost."""
    setup = folder / "setup.sh"
    setup.write_text(KILLING.format(once=folder / "once"))
    batch = Batch(service=BatchService.PARSL, quanta_per_job=8)
    report, _ = carry_out(BatchEngine(), a_job(folder, batch=batch, setup=str(setup)))
    assert report.outcome.status is StepStatus.CAVEATS, report.outcome.message
    assert all(line.endswith("done again, its job was killed or lost its machine") for line in report.caveats)
    assert report.caveats[0].startswith("isr detector ")
    assert quality(LocalEngine(), a_job(folder, Stage.MEASURE)) == expected


@pytest.mark.usefixtures("slurm")
def test_a_partition_that_does_not_exist_is_told_in_slurms_words(
    folder: Path, a_job: Callable[..., Job], on_slurm: Callable[..., Batch]
) -> None:
    """One line says what Slurm refused; nothing was lost."""
    report, _ = carry_out(BatchEngine(), a_job(folder, batch=on_slurm(partition="nowhere")))
    assert report.outcome.status is StepStatus.FAILED
    assert report.outcome.message == (
        "no job began on slurm: sbatch: error: Batch job submission failed: Invalid partition name specified"
    )


def test_a_cluster_that_is_gone_is_told_at_once(
    slurm: object, folder: Path, a_job: Callable[..., Job], on_slurm: Callable[..., Batch]
) -> None:
    """Before anything is made for it."""
    slurm.stop_controller()  # type: ignore[attr-defined]
    try:
        report, _ = carry_out(BatchEngine(), a_job(folder, batch=on_slurm()))
    finally:
        slurm.start_controller()  # type: ignore[attr-defined]
    assert report.outcome.status is StepStatus.FAILED
    assert report.outcome.message.startswith("the batch system does not answer: slurm_load_jobs error: Unable to")
    assert not (folder / FOLDER).exists()


def test_htcondor_is_given_files_that_it_reads(
    folder: Path, a_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`bps prepare` makes them of our configuration, and HTCondor's own bindings read them."""
    htcondor = pytest.importorskip("htcondor2")
    from qa.batch.submit import environment
    from qa.drp.command import processing

    def prepare(place: Path, *_: object, **__: object) -> str:
        done = subprocess.run(
            ["bps", "prepare", "bps.yaml"], cwd=place, env=os.environ | environment(), check=False, capture_output=True
        )
        return f"exit code {done.returncode}, {done.stderr.decode()[-500:] if done.returncode else 'prepared'}"

    monkeypatch.setattr("qa.batch.run.submit", prepare)
    monkeypatch.setattr("qa.batch.run.log_like_pipetask", lambda: None)
    options: dict[str, str | int | float] = {"requestMemory": 3000, "accountingGroup": "qa.nightly", "slots": 2}
    batch = Batch(service=BatchService.HTCONDOR, options=options, quanta_per_job=8)
    with pytest.raises(EngineError, match="no job began on htcondor: exit code 0, prepared"):
        process_on(processing(folder / "butler", run="obsqa"), a_job(folder, batch=batch), lambda *_: None, batch)
    made = folder / FOLDER / "001" / "submit"
    words = [line.split() for line in (made / "obsqa.dag").read_text().splitlines()]
    jobs = {line[1]: made / line[4].strip('"') / line[2].strip('"') for line in words if line[0] == "JOB"}
    edges = {(line[1], line[3]) for line in words if line[0] == "PARENT"}
    assert len(jobs) > len({label.rpartition("_")[0] for label in jobs}) > 1
    assert edges
    assert {name for edge in edges for name in edge} == set(jobs)
    for file in jobs.values():
        told = htcondor.Submit(file.read_text())
        assert told["executable"].endswith("/bin/pipetask")
        assert f"run-qbb {folder / 'butler'} {made / '001.open.qg'} --qgraph-node-id" in told["arguments"]
        assert len(told["arguments"].split()[-1].split(",")) <= 8
        assert (told["accounting_group"], "OMP_NUM_THREADS='1'" in told["environment"]) == ("qa.nightly", True)
        assert "3000" in told["request_memory"]
