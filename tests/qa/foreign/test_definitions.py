"""Definitions and targets of imported metrics."""

from __future__ import annotations

from qa.foreign.definitions import ImportedTargets, definitions
from qa.foreign.model import Definition, Kind, Source
from qa.metrics import Direction, catalogue
from qa.model import Ladder, Lane, Plan, Trigger
from qa.record import Imported, RunRecord
from qa.requirements import load
from qa.testing import NOW

QUOTED = Ladder("p.M", "r", "mmag", "<=", 3.0, 2.0, 1.0, "p.M.design")
IMPORTED = Imported((Source("x", Kind.VERIFY, "d"),), (Definition("p.M", "mmag", "higher", "Text."),), (QUOTED,))


def a_record(imported: Imported | None) -> RunRecord:
    """Return the record of a run of nothing."""
    plan = Plan("run", Lane.IMPORTED, Trigger(), NOW, ())
    return RunRecord(plan, {}, NOW, imported=imported)


def test_imported_metrics_stand_beside_those_of_the_catalogue() -> None:
    """A run of our own has these alone."""
    assert definitions(a_record(None)) == catalogue()
    known = definitions(a_record(IMPORTED))
    assert set(known) == {*catalogue(), "p.M"}
    assert (known["p.M"].direction, known["p.M"].unit, known["p.M"].definition) == (Direction.HIGHER, "mmag", "Text.")
    assert known["p.M"].applies_to("any")


def test_targets_are_those_of_the_document_by_validate_drps_names_and_those_quoted_otherwise() -> None:
    """Each in its band."""
    targets = ImportedTargets(load(), IMPORTED)
    assert targets.ladder("p.M", "r") == QUOTED
    assert targets.ladder("p.M", "i") is None
    of_pa1 = targets.ladder("validate_drp.PA1", "r")
    assert of_pa1 is not None
    assert (of_pa1.metric, of_pa1.design) == ("validate_drp.PA1", 5)
    assert targets.ladder("PA1", "r") == load().ladder("PA1", "r")
