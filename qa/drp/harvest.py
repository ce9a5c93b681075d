"""What a processed repository is taken in for: measurements, what it cost, what went wrong, and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.drp.accounting import Account, QuantumRecord, QuantumStatus, account, read_outside, read_quanta
from qa.drp.ingest import read_ingested
from qa.drp.pictures import neighbours, picture, write_picture
from qa.drp.skymap import TRACT
from qa.drp.strays import stray_raws
from qa.metrics import catalogue
from qa.metrics.bundle import from_bundle
from qa.metrics.resources import TaskUsage, measure_middleware, measure_usage
from qa.model import Scope, Unmeasured

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lsst.daf.butler import Butler, DatasetRef

    from qa.model import Result

_RELATIVE = "magnitudes on the AB scale are needed, and there is no reference catalogue"
PICTURES = "pictures"
INTERMEDIATE = ("post_isr",)
"""Images that only later tasks of the same run need: almost half of what a run leaves on the disk."""


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one run of one data set gave.

    `failures` and `caveats` have a line each: which task failed on what, or which data were left out, and why.
    """

    results: tuple[Result, ...]
    failures: tuple[str, ...]
    caveats: tuple[str, ...]
    account: Account
    quanta: tuple[QuantumRecord, ...]
    pictures: tuple[Path, ...]


def harvest(repo: Path, run: str, camera: str, dataset: str, out: Path) -> Harvest:
    """Read everything the report needs from the run `run` of the repository `repo`; pictures go below `out`."""
    from lsst.daf.butler import Butler  # noqa: PLC0415 - importing the Butler costs a second

    whole = Scope(camera, dataset)
    facts = read_ingested(repo)
    with Butler.from_config(str(repo), collections=[run, f"{facts.instrument}/defaults"]) as butler:
        quanta = read_quanta(butler, run)
        spent = account(quanta, outside=read_outside(repo, run))
        measured = _measured(butler, run, whole)
        pictures = _pictures(butler, run, whole, out / PICTURES)
        strays = stray_raws(butler, quanta)
    return Harvest(
        results=measured + resources(quanta, spent, whole),
        failures=_lines(quanta, QuantumStatus.FAILED),
        caveats=facts.caveats + strays + _lines(quanta, QuantumStatus.REJECTED) + _lines(quanta, QuantumStatus.DONE),
        account=spent,
        quanta=quanta,
        pictures=pictures,
    )


def of_real_pixels(results: Sequence[Result], *, reference: bool) -> tuple[Result, ...]:
    """Return what can be said of a user's own raws.

    Metrics that rest on knowing what was drawn are left out. Without a `reference` catalogue the zero point is nominal:
    depths and surface brightnesses are numbers without meaning, and not measured.
    """
    definitions = catalogue()

    def told(result: Result) -> Result:
        one = definitions[result.metric]
        absolute = one.family == "depth" or one.unit in {"mag", "nJy/arcsec2"}
        return Unmeasured(result.metric, result.scope, _RELATIVE) if absolute and not reference else result

    return tuple(told(result) for result in results if "truth_coverage" not in definitions[result.metric].reads)


def discard_intermediates(repo: Path, run: str) -> int:
    """Delete the files of the intermediate images of a run, which stays in the registry; return how many there were."""
    from lsst.daf.butler import Butler  # noqa: PLC0415

    with Butler.from_config(str(repo), writeable=True) as butler:
        known = butler.stored_many(ref for name in INTERMEDIATE for ref in _refs(butler, run, name))
        refs = [ref for ref, stored in known.items() if stored]
        butler.pruneDatasets(refs, disassociate=False, unstore=True)
    return len(refs)


def resources(quanta: Sequence[QuantumRecord], spent: Account, scope: Scope) -> tuple[Result, ...]:
    """Return what the run cost: time and memory of each task, and the time of the middleware.

    A task's time is that of its array work. Memory is the high-water mark of the process when a quantum was done,
    so it never falls from one task to the next.
    """
    if not quanta:
        return ()
    usages = [
        TaskUsage(
            task,
            tuple(quantum.task_seconds for quantum in quanta if quantum.task == task),
            tuple(quantum.peak_mib for quantum in quanta if quantum.task == task),
        )
        for task in spent.tasks
    ]
    inside = sum(spent.tasks.values())
    middleware = measure_middleware(total_cpu=spent.total, task_cpu=inside, quanta=len(quanta), scope=scope)
    return (*measure_usage(usages, scope, megapixels=spent.megapixels), middleware)


def _measured(butler: Butler, run: str, whole: Scope) -> tuple[Result, ...]:
    results: list[Result] = []
    refs = [*_refs(butler, run, "metrics"), *_refs(butler, run, "cross_metrics")]
    for ref in sorted(refs, key=lambda ref: str(ref.dataId)):
        # What compares bands has none itself; its measurements name theirs.
        scope = Scope(whole.camera, whole.dataset, band=ref.dataId.get("band"), tract=ref.dataId["tract"])
        results += from_bundle(butler.get(ref), scope)
    return tuple(results)


def _refs(butler: Butler, run: str, name: str) -> list[DatasetRef]:
    """Return the data sets of one type in a run; none when the run never came to that type."""
    if not butler.registry.queryDatasetTypes(name):
        return []
    return list(butler.query_datasets(name, run, explain=False, limit=None))


def _lines(quanta: Sequence[QuantumRecord], status: QuantumStatus) -> tuple[str, ...]:
    chosen = (quantum for quantum in quanta if quantum.status is status)
    return tuple(f"{quantum.task} {quantum.data_id}: {reason}" for quantum in chosen for reason in quantum.reasons)


def _pictures(butler: Butler, run: str, whole: Scope, folder: Path) -> tuple[Path, ...]:
    """Write the picture of each band that has coadds."""
    coadds = _refs(butler, run, "coadd")
    if not coadds:
        return ()
    sky_map = butler.get("sky_map", skymap=coadds[0].dataId["skymap"])
    written = []
    for band in sorted({ref.dataId["band"] for ref in coadds}):
        of_band = {ref.dataId["patch"]: ref for ref in coadds if ref.dataId["band"] == band}
        images = {patch: butler.get(of_band[patch]) for patch in neighbours(sky_map, of_band)[0]}
        objects, maps = (
            [butler.get(ref) for ref in _refs(butler, run, name) if ref.dataId["band"] == band]
            for name in ("objects", "coadd_map")
        )
        facts = {"camera": whole.camera, "dataset": whole.dataset, "band": band, "tract": TRACT}
        path = folder / f"coadd-{band}.npz"
        write_picture(path, picture(sky_map, images, objects, maps), facts)
        written.append(path)
    return tuple(written)
