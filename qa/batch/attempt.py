"""One `pipetask run` of somebody else's pipeline, carried out by `bps submit` in that environment instead."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from obs_registry.model import BatchService
from qa.batch import jobs, obsqa_cluster, queue
from qa.batch.ends import read_ends
from qa.batch.foreign import CLUSTER, ForeignRun, foreign_configuration
from qa.batch.submit import CONFIG, LOG, Over, Waiting, submit_command
from qa.engines.commands import Command
from qa.engines.pipetask import Ran, of_summary
from qa.errors import EngineError

if TYPE_CHECKING:
    from obs_registry.model import Batch
    from qa.engines.pipetask import Attempt, Steering

_PARTS = 100
_SERVICES = f"{BatchService.PARSL} or {BatchService.SLURM}"
# BPS finds the plugin there; neither the folder's name nor the command is ever part of the script.
_WITH_PLUGIN = 'export PYTHONPATH="$1${PYTHONPATH:+:$PYTHONPATH}"; shift; exec "$@"'


def submit_attempt(steering: Steering, attempt: Attempt, *, batch: Batch, name: str, folder: Path) -> Ran:
    """Submit what an attempt would do, wait until it is over, and read the summaries of its jobs.

    An attempt that was cut off is continued: its graph is submitted again, and quanta that are done are passed over.

    Raises
    ------
    EngineError
        If no quantum succeeded, or BPS did not come to its end, with the first thing that went wrong.
    """
    runtime = steering.job.camera.runtime
    if runtime.image is not None:
        msg = f"{steering.job.camera.name}: runtime must name an image or a batch system, found both; leave one out"
        raise EngineError(msg)
    if batch.service is BatchService.HTCONDOR:  # its jobs have no shell that names their summaries
        msg = (
            f"a data set of the kind butler must be submitted to {_SERVICES}, found {batch.service}; choose one of them"
        )
        raise EngineError(msg)
    queue.cancel(batch.service, name, folder)
    place = _folder(folder, attempt.run)
    setup = None if runtime.setup is None else Path(runtime.setup)
    what = ForeignRun(name, place.absolute(), attempt.argv, setup, _graph_before(place))
    text = yaml.safe_dump(foreign_configuration(what, batch, runtime.limits), sort_keys=False)
    (place / CONFIG).write_text(text)
    (place / "summaries").mkdir()
    _put_plugin(place)
    argv = ("bash", "-c", _WITH_PLUGIN, "obsqa", str(place.absolute()), "bps", "--long-log", "submit", CONFIG)
    command = Command(argv, place, log=place / LOG, timeout=steering.timeout, env=steering.env)
    share = _Share(steering, attempt)
    waiting = Waiting(steering.runner, steering.timeout, steering.stop, share)
    over = submit_command(command, name, service=batch.service, waiting=waiting)
    elsewhere = (
        sum(end.cpu_seconds for end in read_ends(place).values()) if batch.service is BatchService.SLURM else 0.0
    )
    steering.cpu_seconds += over.cpu_seconds + elsewhere
    steering.peak_mib = max(steering.peak_mib, over.peak_mib)
    return _read(place, over)


@dataclass(frozen=True, slots=True)
class _Share:
    """Tells how far it is, as a part of what all attempts do."""

    steering: Steering
    attempt: Attempt

    def __call__(self, done: int, total: int) -> None:
        """Tell that one more job is over."""
        self.steering.tick(round(_PARTS * (self.attempt.before + self.attempt.share * done / total)), _PARTS)


def _folder(folder: Path, run: str) -> Path:
    """Make a new folder for a submission of a run; those of one run are together."""
    own = folder / run.rpartition("/")[2]
    own.mkdir(parents=True, exist_ok=True)
    place = own / f"{1 + sum(path.is_dir() for path in own.iterdir()):03d}"
    place.mkdir()
    return place


def _graph_before(place: Path) -> Path | None:
    """Return the graph of an earlier submission of the same run."""
    found = sorted(place.parent.glob("*/submit/*.qg"))
    whole = [path for path in found if not path.stem.endswith("_orig")]
    return whole[-1].absolute() if whole else None


def _put_plugin(place: Path) -> None:
    for module, name in ((jobs, "jobs.py"), (obsqa_cluster, f"{CLUSTER}.py")):
        shutil.copyfile(str(module.__file__), place / name)


def _read(place: Path, over: Over) -> Ran:
    """Add up the summaries of the jobs."""
    told = [of_summary(path, "") for path in sorted((place / "summaries").glob("*.json"))]
    succeeded = sum(good for good, _ in told)
    failures = tuple(dict.fromkeys(line for _, lines in told for line in lines))
    if succeeded and not over.code:
        return Ran(succeeded, failures)
    if failures and not succeeded:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        msg = f"no quantum succeeded: {failures[0]}{more}"
    else:
        done = f" after {succeeded} quanta" if succeeded else ""
        msg = f"bps did not come to its end{done}: {over.fault or f'look into {place}'}"
    raise EngineError(msg)
