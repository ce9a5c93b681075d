from __future__ import annotations

from obs_registry.errors import Fault, LeaseError, RegistryError

FAULT = Fault("cameras/curio.yaml", 7, "lease.until", "a date", "'soon'")


def test_a_fault_is_one_line_with_place_key_requirement_and_finding() -> None:
    """A fault can be found and mended from its line alone."""
    assert str(FAULT) == "cameras/curio.yaml:7: lease.until: required a date, found 'soon'"


def test_a_fault_of_a_whole_file_names_neither_line_nor_key() -> None:
    """What is not known is left out, not shown as zero."""
    assert str(Fault("x.yaml", 0, "", "readable text", "nothing")) == "x.yaml: required readable text, found nothing"


def test_a_fault_knows_its_camera() -> None:
    """A night says which camera is missing because of a faulty file."""
    assert FAULT.camera == "curio"


def test_an_error_of_the_registry_has_a_line_for_each_fault() -> None:
    """All faults are told at once, after a line that counts them."""
    error = RegistryError([FAULT, FAULT])
    assert error.faults == (FAULT, FAULT)
    assert str(error).splitlines() == ["the registry has 2 faults", str(FAULT), str(FAULT)]
    assert str(RegistryError([FAULT])).startswith("the registry has 1 fault\n")


def test_an_error_of_a_lease_keeps_its_facts() -> None:
    """What was required and what was found are attributes, and the message is made from them."""
    error = LeaseError("curio", required="an end after 2026-12-31", found="2026-01-01")
    assert (error.camera, error.required, error.found) == ("curio", "an end after 2026-12-31", "2026-01-01")
    assert str(error) == "the lease of curio: required an end after 2026-12-31, found 2026-01-01"
