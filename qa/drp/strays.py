"""Raws that no step of a run took up: the middleware leaves out, without a word, what its header places elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.drp.accounting import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lsst.daf.butler import Butler

    from qa.drp.accounting import QuantumRecord

FIRST = "isr"
"""The task that every raw of the sky goes through."""

_SCIENCE = "exposure.observation_type = 'science'"


def stray_raws(butler: Butler, quanta: Sequence[QuantumRecord]) -> tuple[str, ...]:
    """Return a line for each raw of the sky that the run `quanta` are of did not take up."""
    raws = butler.query_datasets("raw", where=_SCIENCE, explain=False, limit=None)
    return untaken((describe(ref.dataId.required) for ref in raws), quanta)


def untaken(raws: Iterable[str], quanta: Sequence[QuantumRecord]) -> tuple[str, ...]:
    """Return a line for each of the raws, as `accounting.describe` words them, that has no quantum of the first task.

    A run that never came to that task left out nothing.
    """
    taken = {quantum.data_id for quantum in quanta if quantum.task == FIRST}
    why = "left out of the run: by its header it lies outside the tract"
    return tuple(f"{raw}: {why}" for raw in sorted(raws) if raw not in taken) if taken else ()
