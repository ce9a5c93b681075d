"""Facts of the machine."""

from __future__ import annotations

import platform

from qa.provenance.machine import INSTRUCTIONS, VARIABLES, machine


def test_the_machine_is_told_in_facts() -> None:
    """System and kernel each by itself, and all of them one line."""
    facts = machine({})
    for name in ("host", "os", "kernel", "machine", "cores", "memory", "python"):
        assert facts[name], name
    assert facts["kernel"].endswith(platform.release())
    assert platform.release() not in facts["os"]
    assert set(facts["instructions"].split()) <= INSTRUCTIONS
    assert not any("\n" in value for value in facts.values())


def test_only_the_variables_on_the_list_are_read() -> None:
    """Threads, the language and what chooses software or instructions."""
    environ = {
        "OMP_NUM_THREADS": "2",
        "NUMBA_NUM_THREADS": "1",
        "LANG": "C",
        "OPENBLAS_CORETYPE": "Haswell",
        "API_TOKEN": "hunter2",
        "OBSQA_STORE": "postgresql://qa:hunter2@db/obsqa",
        "PGPASSWORD": "hunter2",
    }
    facts = machine(environ)
    assert facts["threads"] == "NUMBA 1, OMP 2"
    assert facts["locale"] == "C"
    assert facts["env OPENBLAS_CORETYPE"] == "Haswell"
    assert not any("hunter2" in value for value in facts.values())
    assert {name for name in facts if name.startswith("env ")} == {f"env {name}" for name in VARIABLES}


def test_an_address_in_a_variable_loses_its_password() -> None:
    """And a value stays one line of bounded length."""
    facts = machine({"EUPS_PATH": "https://me:hunter2@example.org/stack", "PYTHONPATH": "a\nb" + "x" * 9999})
    assert facts["env EUPS_PATH"] == "https://example.org/stack"
    assert facts["env PYTHONPATH"].startswith("a b")
    assert len(facts["env PYTHONPATH"]) <= 500
