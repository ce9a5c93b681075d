from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lsst.pipe.base")

from lsst.daf.butler import Butler, DatasetType

from qa.drp.accounting import QuantumStatus, read_outside, read_quanta
from qa.drp.command import PipelineRun, pipetask_command, process_environment
from qa.drp.executor import run as running
from qa.drp.executor.books import open_graphs
from qa.drp.executor.run import Execution, execute
from qa.errors import DiskFullError, EngineError

pytestmark = pytest.mark.pipeline

HERE = Path(__file__).parent
RUN = "chores"
N = 6
PIPELINE = """
description: Chores and their sum.
tasks:
  chore: {class: executor_chores.ChoreTask}
  sum: {class: executor_chores.SumTask}
"""


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the middleware import the tasks by name, here and in processes of their own."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("PYTHONPATH", str(HERE))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a repository with a number per detector."""
    repo = tmp_path_factory.mktemp("chores") / "butler"
    Butler.makeRepo(str(repo))
    with Butler.from_config(str(repo), writeable=True, run="numbers") as butler:
        facts = {"detector_max": N, "visit_max": 10, "exposure_max": 10, "class_name": ""}
        butler.registry.insertDimensionData("instrument", {"name": "Toy", **facts})
        kind = DatasetType("start", ("instrument", "detector"), "StructuredDataDict", universe=butler.dimensions)
        butler.registry.registerDatasetType(kind)
        for number in range(N):
            detector = {"instrument": "Toy", "id": number, "full_name": f"D{number}"}
            butler.registry.insertDimensionData("detector", detector)
            butler.put({"value": 10**number}, "start", instrument="Toy", detector=number)
    return repo


@pytest.fixture
def repo(empty: Path, tmp_path: Path) -> Path:
    """Copy the repository, to be worked on."""
    return Path(shutil.copytree(empty, tmp_path / "butler"))


def chores(repo: Path, **orders: str) -> PipelineRun:
    """Describe a run in which detectors `d0`, `d1`, ... have orders."""
    marks = repo.parent / "marks"
    marks.mkdir(exist_ok=True)
    pipeline = repo.parent / "pipeline.yaml"
    pipeline.write_text(PIPELINE)
    told = {int(name[1:]): order for name, order in orders.items()}
    config = (("chore", "marks", str(marks)), ("chore", "orders", str(told)))
    return PipelineRun(repo, RUN, pipeline, ("numbers",), "instrument='Toy'", config)


def attempts(repo: Path) -> dict[int, int]:
    """Count the attempts at each detector."""
    names = [path.name.split("-")[0] for path in (repo.parent / "marks").iterdir()]
    return {number: names.count(str(number)) for number in range(N)}


def contents(repo: Path) -> dict[str, Any]:
    """Return all that a run left of numbers, logs and metadata."""
    found: dict[str, Any] = {}
    with Butler.from_config(str(repo)) as butler:
        names = {kind.name for kind in butler.registry.queryDatasetTypes()} - {"start", "packages"}
        for ref in (ref for name in names for ref in butler.query_datasets(name, RUN, explain=False)):
            where = ref.dataId.get("detector", "")
            value = butler.get(ref)
            found[f"{ref.datasetType.name} {where}".strip()] = value["value"] if isinstance(value, dict) else value
    return found


def numbers(repo: Path) -> dict[str, int]:
    """Return the numbers that a run left."""
    return {name: value for name, value in contents(repo).items() if isinstance(value, int)}


def failures(repo: Path) -> dict[str, str]:
    """Return the quanta that failed, with their reasons."""
    with Butler.from_config(str(repo)) as butler:
        quanta = read_quanta(butler, RUN)
    return {f"{one.task} {one.data_id}": one.reasons[0] for one in quanta if one.status is QuantumStatus.FAILED}


@pytest.mark.parametrize("workers", [1, 3])
def test_all_quanta_are_executed_whatever_the_number_of_workers(repo: Path, workers: int) -> None:
    """Each quantum leaves its outputs, log and metadata; the numbers do not depend on the workers."""
    ticks: list[tuple[int, int]] = []
    done = execute(chores(repo), workers=workers, tick=lambda *counts: ticks.append(counts))
    assert done == Execution(succeeded=N + 1)
    assert ticks == [(number, N + 1) for number in range(1, N + 2)]
    found = contents(repo)
    assert found["total"] == 333333
    assert {
        f"{name} {number}" for name in ("first", "second", "chore_log", "chore_metadata") for number in range(N)
    } | {"total", "sum_log", "sum_metadata", "chore_config", "sum_config"} == set(found)
    assert any("chore of detector 3" in record.message for record in found["chore_log 3"])
    assert len({path.name.split("-")[2] for path in (repo.parent / "marks").iterdir()}) <= workers
    assert not open_graphs(repo, RUN)
    assert read_outside(repo, RUN) > 0


def test_failures_are_those_of_pipetask(empty: Path, tmp_path: Path) -> None:
    """What fails, is blocked, has no work or leaves partial outputs leaves the same data sets as `pipetask run`."""
    orders = {"d0": "raise", "d1": "nothing", "d2": "reject", "d3": "partial"}
    ours = Path(shutil.copytree(empty, tmp_path / "ours" / "butler"))
    theirs = Path(shutil.copytree(empty, tmp_path / "theirs" / "butler"))
    assert execute(chores(ours, **orders), workers=2) == Execution(succeeded=4, failed=2, blocked=1)
    command = pipetask_command(chores(theirs, **orders))
    subprocess.run(command, env=process_environment(os.environ), check=False, capture_output=True)
    assert set(contents(ours)) == set(contents(theirs))
    assert numbers(ours) == numbers(theirs)
    assert (
        failures(ours)
        == failures(theirs)
        == {"chore detector 0": "the chore is too hard", "chore detector 3": "half is done"}
    )


def test_a_killed_worker_costs_one_quantum(repo: Path) -> None:
    """A quantum whose worker is killed twice has failed for that reason; the others go on with a new worker."""
    done = execute(chores(repo, d2="die"), workers=2)
    assert (done.succeeded, done.failed, done.blocked) == (5, 1, 1)
    assert done.again == ("chore detector 2: done again, its worker died (SIGKILL)",)
    assert failures(repo) == {"chore detector 2": "worker died (SIGKILL)"}
    assert attempts(repo) == {number: 2 if number == 2 else 1 for number in range(N)}
    extra = contents(repo)["chore_log 2"].extra
    assert [one["exception"]["message"] for one in extra["previous_attempts"]] == ["worker died (SIGKILL)"]


def test_a_worker_killed_once_is_made_good(repo: Path) -> None:
    """The second attempt has the machine to itself, and its log tells of the first."""
    done = execute(chores(repo, d2="die once"), workers=2)
    assert (done.succeeded, done.failed) == (N + 1, 0)
    assert done.again
    found = contents(repo)
    assert found["total"] == 333333
    assert found["chore_log 2"].extra["previous_attempts"][0]["exception"]["message"] == "worker died (SIGKILL)"


def test_a_crash_is_not_tried_again(repo: Path) -> None:
    """A worker that dies of its own fault would do so again."""
    done = execute(chores(repo, d2="crash"), workers=2)
    assert (done.failed, done.again) == (1, ())
    assert failures(repo) == {"chore detector 2": "worker died (SIGSEGV)"}


def test_a_quantum_that_takes_too_long_is_ended(repo: Path) -> None:
    """Its worker is ended, another takes over, and the reason is in its log."""
    done = execute(chores(repo, d2="hang"), workers=2, timeout=1.0)
    assert (done.succeeded, done.failed, done.blocked) == (5, 1, 1)
    assert failures(repo) == {"chore detector 2": "took longer than 1 s and was ended"}
    assert attempts(repo)[2] == 1


def test_failed_quanta_are_done_again_and_no_others(repo: Path) -> None:
    """Taken up again, a run keeps what succeeded; the log of the first attempt stays attached to the second's."""
    assert execute(chores(repo, d1="raise once")) == Execution(succeeded=5, failed=1, blocked=1)
    assert execute(chores(repo, d1="raise once")) == Execution(succeeded=2)
    assert attempts(repo) == {number: 2 if number == 1 else 1 for number in range(N)}
    found = contents(repo)
    assert found["total"] == 333333
    assert found["chore_log 1"].extra["previous_attempts"][0]["exception"]["message"] == "the chore is too hard"
    assert execute(chores(repo, d1="raise once")) == Execution()


def test_what_a_full_disk_kept_from_being_done_is_done_when_there_is_room(repo: Path) -> None:
    """It is no failure of the pipeline: the run ends with a line that says so, and what was done stays done."""
    orders = {"d1": "fill the disk once"}
    with pytest.raises(DiskFullError, match="no space left on the disk"):
        execute(chores(repo, **orders))
    assert execute(chores(repo, **orders)) == Execution(succeeded=2)
    assert contents(repo)["total"] == 333333
    assert attempts(repo) == {number: 2 if number == 1 else 1 for number in range(N)}


def test_a_killed_run_is_taken_up_where_it_was(repo: Path) -> None:
    """After `kill -9` of all processes no quantum that had ended is done twice, and the numbers are the same."""
    orders = dict.fromkeys([f"d{number}" for number in range(N)], "pause")
    what = chores(repo, **orders)
    script = (
        "import sys; from pathlib import Path; from qa.drp.command import PipelineRun; "
        "from qa.drp.executor.run import execute; repo, run, pipeline, query, marks, orders = sys.argv[1:]; "
        "config = (('chore', 'marks', marks), ('chore', 'orders', orders)); "
        "execute(PipelineRun(Path(repo), run, Path(pipeline), ('numbers',), query, config), workers=2)"
    )
    told = [value for _, _, value in what.config]
    command = [sys.executable, "-c", script, str(repo), RUN, str(what.pipeline), what.query, *told]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        logs = repo / RUN / "chore_log"
        while process.poll() is None and len(list(logs.rglob("chore_log*.json"))) < 2:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    time.sleep(0.5)
    ended = len(list(logs.rglob("chore_log*.json")))
    assert 0 < ended < N
    assert not [name for name in contents(repo) if name.startswith("second")]
    done = execute(what, workers=2)
    assert done.succeeded == N + 1 - ended
    assert sum(attempts(repo).values()) <= N + 2
    assert numbers(repo)["total"] == 333333
    assert not open_graphs(repo, RUN)


def test_a_run_killed_before_its_first_quantum_is_taken_up(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph that was written down, and nothing else, is no obstacle."""

    class KilledError(BaseException):
        """Stands for the end of the process: nothing catches it."""

    def killed(*_: object) -> None:
        raise KilledError

    begin = running._begin
    monkeypatch.setattr(running, "_begin", killed)
    with pytest.raises(KilledError):
        execute(chores(repo))
    monkeypatch.setattr(running, "_begin", begin)
    assert len(open_graphs(repo, RUN)) == 1
    assert execute(chores(repo)) == Execution(succeeded=N + 1)
    assert not open_graphs(repo, RUN)


def test_a_run_killed_while_its_registry_was_written_is_taken_up(repo: Path) -> None:
    """What the registry has already stays, and nothing is done again."""
    execute(chores(repo))
    (graph,) = (repo / "graphs" / RUN).iterdir()
    graph.rename(graph.with_suffix(".open.qg"))  # as if the last step had not been done
    assert len(open_graphs(repo, RUN)) == 1
    assert execute(chores(repo)) == Execution()
    assert attempts(repo) == dict.fromkeys(range(N), 1)
    assert numbers(repo)["total"] == 333333


def test_changed_configuration_is_refused_for_a_run_that_was_begun(repo: Path) -> None:
    """One run has one configuration."""
    execute(chores(repo, d1="raise"))
    with pytest.raises(Exception, match="Config does not match existing task config"):
        execute(chores(repo))


def test_nothing_to_process_is_an_error(repo: Path) -> None:
    """A run that finds no data says so."""
    what = chores(repo)
    nowhere = PipelineRun(repo, RUN, what.pipeline, what.inputs, "instrument='Toy' and detector > 100", what.config)
    with pytest.raises(EngineError, match=r"nothing to process: the pipeline pipeline\.yaml finds no data"):
        execute(nowhere)
