from dataclasses import replace
from pathlib import Path

import pytest

from qa.drp.accounting import QuantumRecord, QuantumStatus, account, describe, note_outside, read_outside


def quantum(task: str, begin: float, *, task_seconds: float = 1.0, io_seconds: float = 0.25) -> QuantumRecord:
    """Make a quantum that took a little longer than its task and its files."""
    return QuantumRecord(
        task=task,
        data_id="visit 1",
        status=QuantumStatus.DONE,
        reasons=(),
        started=f"2026-01-01T00:00:{begin:05.2f}",
        begin=begin,
        end=begin + task_seconds + io_seconds + 0.25,
        task_seconds=task_seconds,
        io_seconds=io_seconds,
        peak_mib=100.0,
        pixels=500_000 if task == "isr" else 0,
    )


def test_what_no_task_accounts_for_is_the_rest() -> None:
    """What lies inside quanta beside tasks and files, and what lies outside all quanta, is the rest."""
    spent = account([quantum("isr", 4.0), quantum("isr", 6.0), quantum("coadd", 8.0)], outside=2.0)
    assert spent.tasks == {"isr": 2.0, "coadd": 1.0}
    assert spent.io == {"isr": 0.5, "coadd": 0.25}
    assert spent.rest == pytest.approx(3 * 0.25 + 2.0)
    assert spent.total == pytest.approx(3.75 + spent.rest)
    assert (spent.quanta, spent.megapixels) == (3, 1.0)


def test_the_order_of_quanta_does_not_count() -> None:
    """Workers are processes with clocks of their own: only what each quantum took is added up."""
    quanta = [quantum("isr", 4.0), quantum("isr", 6.0), quantum("coadd", 3.0)]
    assert account(quanta) == account(sorted(quanta, key=lambda one: one.begin))


def test_nothing_costs_nothing() -> None:
    """A run without quanta has an empty account."""
    assert account([]).total == 0


def test_failed_quantum_without_metadata_is_counted() -> None:
    """A quantum that left no times takes none."""
    broken = replace(quantum("coadd", 0.0), begin=0.0, end=0.0, task_seconds=0.0, io_seconds=0.0)
    assert account([quantum("isr", 4.0), broken]).total == pytest.approx(1.5)


def test_attempts_at_a_run_add_up(tmp_path: Path) -> None:
    """Each attempt notes what it spent outside quanta; other runs have accounts of their own."""
    assert read_outside(tmp_path, "obsqa") == 0
    note_outside(tmp_path, "obsqa", 1.5)
    note_outside(tmp_path, "calibrations", 8.0)
    note_outside(tmp_path, "obsqa", 0.25)
    assert read_outside(tmp_path, "obsqa") == pytest.approx(1.75)


def test_data_id_is_described_in_words() -> None:
    """What is the same in the whole run is left out."""
    assert describe({"instrument": "HSC", "detector": 50, "visit": 7}) == "detector 50 visit 7"
