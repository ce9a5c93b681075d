from dataclasses import replace

import pytest

from qa.drp.accounting import QuantumRecord, QuantumStatus, account, describe


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
    """Start-up, graph and gaps between quanta are in the rest; everything adds up to the CPU time of the process."""
    spent = account([quantum("isr", 4.0), quantum("isr", 6.0), quantum("warp", 8.0)])
    assert spent.tasks == {"isr": 2.0, "warp": 1.0}
    assert spent.io == {"isr": 0.5, "warp": 0.25}
    assert spent.total == pytest.approx(9.5)
    assert spent.rest == pytest.approx(9.5 - 3.75)
    assert (spent.quanta, spent.megapixels) == (3, 1.0)


def test_resumed_run_counts_both_processes() -> None:
    """Where the clock of the process goes backwards, another process went on."""
    first, second = [quantum("isr", 4.0), quantum("isr", 6.0)], [quantum("warp", 3.0)]
    assert account(first + second).total == pytest.approx(7.5 + 4.5)


def test_nothing_costs_nothing() -> None:
    """A run without quanta has an empty account."""
    assert account([]).total == 0


def test_failed_quantum_without_metadata_is_counted() -> None:
    """A quantum that left no times takes none, and does not look like a new process."""
    broken = replace(quantum("warp", 0.0), begin=0.0, end=0.0, task_seconds=0.0, io_seconds=0.0)
    assert account([quantum("isr", 4.0), broken, quantum("isr", 6.0)]).total == pytest.approx(7.5)


def test_data_id_is_described_in_words() -> None:
    """What is the same in the whole run is left out."""
    assert describe({"instrument": "HSC", "detector": 50, "visit": 7}) == "detector 50 visit 7"
