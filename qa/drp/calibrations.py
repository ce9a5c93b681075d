"""Master calibrations of a repository: made by a pipeline of their own, then certified for their dates.

What `certify` did once stays: masters that are certified are never made again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.drp import repository
from qa.drp.accounting import QuantumStatus, read_quanta
from qa.drp.command import PipelineRun, has_run
from qa.drp.ingest import read_ingested, timespan
from qa.provenance.calibration_dates import Validity, as_of, in_words

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from lsst.daf.butler import Butler, DatasetRef

PIPELINE = Path(__file__).resolve().parent / "pipelines" / "calibrations.yaml"
RUN = "calibrations"
_MASTERS = {
    repository.BIAS: "master_bias",
    repository.DARK: "master_dark",
    repository.FLAT: "master_flat",
    repository.DEFECTS: "master_defects",
}


def making_masters(repo: Path, *, run: str = RUN, pipeline: Path = PIPELINE) -> PipelineRun:
    """Return the run that makes the masters of all calibration exposures.

    Raises
    ------
    DocumentError
        If nothing was ingested into the repository.
    """
    name = read_ingested(repo).instrument
    query = f"instrument='{name}' and exposure.observation_type IN ('bias', 'dark', 'flat')"
    return PipelineRun(repo=repo, run=run, pipeline=pipeline, inputs=(f"{name}/defaults",), query=query)


def is_certified(repo: Path) -> bool:
    """Tell whether the masters are certified: their runs appear in the registry at that moment, not before."""
    facts = read_ingested(repo)
    return any(has_run(repo, _run_of(facts.instrument, one.kind, one.group)) for one in facts.calibrations)


def certify(repo: Path, *, run: str = RUN, day: date | None = None) -> tuple[str, ...]:
    """Certify the masters in `run` for the dates of the exposures they were made of, all or none of them.

    With a `day`, masters that nobody had on that day yet are not certified, and those before them hold on.

    Returns
    -------
    caveats
        A line for every frame that was left out and every master that could not be made, saying why.

    Raises
    ------
    RequestError
        If there was no calibration of some kind on that day.
    """
    from lsst.daf.butler import Butler  # noqa: PLC0415 - importing the Butler costs a second

    facts = read_ingested(repo)
    known = facts.calibrations if day is None else as_of(facts.calibrations, day)
    with Butler.from_config(str(repo), writeable=True) as butler:
        if not is_certified(repo):
            with butler.transaction():
                for validity in _with_defects(known):
                    _certify(butler, facts.instrument, validity, run)
        quanta = read_quanta(butler, run)
    told = (QuantumStatus.FAILED, QuantumStatus.REJECTED, QuantumStatus.DONE)
    return tuple(
        f"{one.task} {one.data_id}: {reason}"
        for status in told
        for one in quanta
        if one.status is status
        for reason in one.reasons
    )


def _with_defects(validities: Iterable[Validity]) -> list[Validity]:
    """Add the defects, which hold as long as the darks they were found in."""
    listed = list(validities)
    darks = [one for one in listed if one.kind == repository.DARK]
    return listed + [replace(one, kind=repository.DEFECTS) for one in darks]


def _run_of(instrument: str, kind: str, group: str) -> str:
    return f"{instrument}/calib/{kind}/{group}"


def _certify(butler: Butler, instrument: str, validity: Validity, run: str) -> None:
    """Give the masters of one kind and group a second name, that of the calibration, and its dates."""
    masters = _found(butler, _MASTERS[validity.kind], validity.group, run)
    if not masters:
        return
    into = _run_of(instrument, validity.kind, validity.group)
    butler.collections.register(into, doc=in_words([validity]))
    refs = [_renamed(butler, ref, validity.kind, into) for ref in masters]
    butler.registry.certify(f"{instrument}/calib", refs, timespan(validity.begin, validity.end))


def _found(butler: Butler, name: str, group: str, run: str) -> list[DatasetRef]:
    if not butler.registry.queryDatasetTypes(name):
        return []
    refs = butler.query_datasets(name, run, explain=False, limit=None)
    return [ref for ref in refs if ref.dataId["group"] == group]


def _renamed(butler: Butler, master: DatasetRef, kind: str, run: str) -> Any:  # noqa: ANN401 - a DatasetRef
    """Register the file of a master, where it lies in the repository, as a calibration."""
    from lsst.daf.butler import DatasetRef, FileDataset  # noqa: PLC0415

    of_kind = butler.get_dataset_type(kind)
    names = {name: value for name, value in dict(master.dataId.required).items() if name in of_kind.dimensions}
    ref = DatasetRef(of_kind, butler.registry.expandDataId(names), run=run)
    butler.ingest(FileDataset(butler.getURI(master), [ref]), transfer=None)
    return ref
