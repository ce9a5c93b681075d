from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_registry.model import Batch, BatchService, Limits
from qa.batch.config import ENDED, Submission, configuration, slots, walltime
from qa.errors import RequestError

WHAT = Submission(
    name="hsc-twin-0a1b",
    folder=Path("/runs/7/batch/001"),
    graph=Path("/runs/7/butler/graphs/obsqa/001.open.qg"),
    jobs=Path("/runs/7/batch/001/jobs.json"),
    repo=Path("/runs/7/butler"),
    run="obsqa",
    inputs=("HSC/defaults",),
    pipetask=Path("/env/bin/pipetask"),
    environment={"OMP_NUM_THREADS": "1"},
)
LIMITS = Limits(hours=2.5, cpus=3.0)


def site(batch: Batch, what: Submission = WHAT) -> dict[str, object]:
    """Return what is said of the place where jobs run."""
    told: dict[str, dict[str, object]] = configuration(what, batch, LIMITS)["site"]
    return told[batch.service.value]


def test_bps_makes_no_graph_and_brings_nothing_into_the_registry() -> None:
    """Both are done as for a run on this machine; BPS has the jobs carried out."""
    told = configuration(WHAT, Batch(service=BatchService.PARSL), LIMITS)
    assert told["qgraphFile"] == "/runs/7/butler/graphs/obsqa/001.open.qg"
    assert told["finalJob"] == {"whenRun": "NEVER"}
    assert told["payload"]["runInit"] is False
    assert told["payload"]["outputRun"] == "obsqa"
    assert told["runQuantumCommand"].startswith("/env/bin/pipetask ")
    assert told["submitPath"] == "/runs/7/batch/001/submit"


def test_this_machine_gives_as_many_cores_as_the_limits_allow() -> None:
    """The option `cores` says otherwise."""
    assert site(Batch(service=BatchService.PARSL))["cores"] == 3
    assert site(Batch(service=BatchService.PARSL, options={"cores": 16}))["cores"] == 16


def test_a_slurm_job_may_last_as_long_as_the_step() -> None:
    """A partition is named in the submission script; other options are those of ctrl_bps_parsl."""
    options = {"partition": "milano", "account": "rubin:qa", "nodes": 2, "scheduler_options": "#SBATCH --mem=0"}
    told = site(Batch(service=BatchService.SLURM, options=options))
    assert told["class"] == "lsst.ctrl.bps.parsl.sites.Slurm"
    assert (told["walltime"], told["account"], told["nodes"]) == ("02:30:00", "rubin:qa", 2)
    assert told["scheduler_options"] == "#SBATCH --partition=milano\n#SBATCH --mem=0"
    assert "partition" not in told


def test_options_of_htcondor_are_those_of_bps() -> None:
    """They stand in the section of the site; `slots` is ours."""
    told = site(Batch(service=BatchService.HTCONDOR, options={"requestMemory": 4096, "slots": 100}))
    assert told == {"requestMemory": 4096}


def test_how_many_jobs_run_at_once() -> None:
    """Cores here, nodes times their cores on Slurm, what the option says on HTCondor."""
    asked = {"nodes": 4, "cores_per_node": 120}
    assert slots(Batch(service=BatchService.PARSL), LIMITS) == 3
    assert slots(Batch(service=BatchService.SLURM, options=asked), LIMITS) == 480
    assert slots(Batch(service=BatchService.HTCONDOR), LIMITS) == 1
    assert slots(Batch(service=BatchService.HTCONDOR, options={"slots": 2000}), LIMITS) == 2000


@pytest.mark.parametrize("value", [0, -1, 2.5, "many"])
def test_a_number_of_nodes_is_a_whole_number(value: str | float) -> None:
    """Anything else is refused in a line that names the option."""
    with pytest.raises(RequestError, match=r"batch\.options\.nodes must be a whole number above 0, found"):
        slots(Batch(service=BatchService.SLURM, options={"nodes": value}), LIMITS)


@pytest.mark.parametrize("name", ["commandPrefix", "environment", "class", "clusterAlgorithm"])
def test_options_that_are_ours_are_refused(name: str) -> None:
    """A set-up script has its place in the registry, and `environment: true` crashes ctrl_bps_parsl."""
    with pytest.raises(RequestError, match=f"must not have {name}"):
        site(Batch(service=BatchService.SLURM, options={name: "x"}))


@pytest.mark.parametrize("path", ["/a b", "/a;rm", "/$HOME", "/{run}", "/a\nb", "/a`b`", "/a'b"])
def test_paths_that_a_shell_would_read_otherwise_are_refused(path: str) -> None:
    """BPS makes shell commands of them."""
    with pytest.raises(RequestError, match="choose another folder"):
        configuration(replace(WHAT, repo=Path(path)), Batch(service=BatchService.PARSL), LIMITS)


@given(st.text(min_size=1))
def test_a_partition_adds_no_line_to_the_script(name: str) -> None:
    """Whatever it is called: one word, or refused."""
    batch = Batch(service=BatchService.SLURM, options={"partition": name})
    try:
        line = site(batch)["scheduler_options"]
    except RequestError:
        return
    assert line == f"#SBATCH --partition={name}"
    assert len(str(line).split()) == 2


def test_jobs_are_set_up_and_tell_their_end() -> None:
    """The path of the set-up script is quoted; a script that fails ends the job."""
    what = replace(WHAT, setup=Path("/opt/it's here/setup.sh"))
    prefix = str(site(Batch(service=BatchService.SLURM), what)["commandPrefix"])
    first, second, last = prefix.splitlines()
    assert shlex.split(first) == ["source", "/opt/it's here/setup.sh", "||", "exit", "126"]
    assert second == "export OMP_NUM_THREADS=1"
    assert ENDED in last


@given(st.floats(0.001, 999.0))
def test_a_walltime_is_written_as_slurm_reads_it(hours: float) -> None:
    """To the second."""
    parts = [int(part) for part in walltime(hours).split(":")]
    assert abs(parts[0] * 3600 + parts[1] * 60 + parts[2] - hours * 3600) <= 0.5
    assert max(parts[1:]) < 60
