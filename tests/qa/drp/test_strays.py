from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("lsst.daf.butler")

from qa.drp.accounting import QuantumRecord, QuantumStatus, read_quanta
from qa.drp.strays import stray_raws, untaken

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.pipeline


def quantum(task: str, data_id: str) -> QuantumRecord:
    """Record a quantum."""
    return QuantumRecord(task, data_id, QuantumStatus.DONE, (), "", 0.0, 0.0, 0.0, 0.0, 0.0, 0)


def test_a_raw_without_a_quantum_is_told() -> None:
    """A wrong pointing by a degree takes a raw out of the tract, and so out of the run: that is not silence."""
    quanta = [quantum("isr", "exposure 1 detector 0"), quantum("characterize", "visit 2 detector 0")]
    lines = untaken(["exposure 2 detector 0", "exposure 1 detector 0"], quanta)
    assert lines == ("exposure 2 detector 0: left out of the run: by its header it lies outside the tract",)


def test_a_run_that_never_began_left_out_nothing() -> None:
    """Its failure is told elsewhere."""
    assert untaken(["exposure 2 detector 0"], []) == ()


def test_all_raws_of_a_twin_are_taken_up(processed: Path) -> None:
    """Raws of the sky are compared, calibration exposures are not."""
    from lsst.daf.butler import Butler

    with Butler.from_config(str(processed), collections=["obsqa", "HSC/defaults"]) as butler:
        quanta = read_quanta(butler, "obsqa")
        assert stray_raws(butler, quanta) == ()
        assert len(stray_raws(butler, [one for one in quanta if "137000" not in one.data_id])) == 2
