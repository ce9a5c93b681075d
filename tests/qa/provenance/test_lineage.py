"""Whose child a run is."""

from __future__ import annotations

from dataclasses import replace

from qa.model import Lane, Plan, Stage, Step, Trigger
from qa.provenance.lineage import parent_of
from qa.record import RunRecord
from qa.testing import NOW

STEPS = tuple(Step(camera, "twin", stage) for camera in ("hsc", "decam") for stage in Stage)
PLAN = Plan("3", Lane.NIGHTLY, Trigger(), NOW, STEPS)
FACTS = {"config hsc/twin": "1", "config decam/twin": "1", "package numpy": "2"}


def a_run(name: str, *, lane: Lane = Lane.NIGHTLY, steps: tuple[Step, ...] = STEPS, **facts: str) -> RunRecord:
    """Build a run whose facts differ as told."""
    named = {key.replace("_", " ", 1).replace("_", "/"): value for key, value in facts.items()}
    return RunRecord(replace(PLAN, run_id=name, lane=lane, steps=steps), FACTS | named, NOW)


def test_another_configuration_makes_a_child() -> None:
    """It knows its parent, and which data sets are configured otherwise."""
    assert parent_of(PLAN, FACTS, [a_run("2", config_hsc_twin="0")]) == ("2", ("hsc/twin",))


def test_the_same_configuration_has_no_parent() -> None:
    """Whatever else changed: of that, blame and diff tell."""
    assert parent_of(PLAN, FACTS, [a_run("2", package_numpy="1")]) == ("", ())
    assert parent_of(PLAN, FACTS, []) == ("", ())


def test_the_last_run_of_these_data_sets_decides() -> None:
    """Runs of other lanes and other cameras are passed over; the child of a child knows its next of kin only."""
    others = (
        a_run("2c", lane=Lane.COMMIT, config_hsc_twin="9"),
        a_run("2b", steps=(Step("latiss", "twin", Stage.DRAW),), config_hsc_twin="9"),
    )
    assert parent_of(PLAN, FACTS, [*others, a_run("2", config_decam_twin="0")]) == ("2", ("decam/twin",))
    assert parent_of(PLAN, FACTS, [a_run("2"), a_run("1", config_hsc_twin="0")]) == ("", ())


def test_what_a_run_did_not_process_or_write_down_does_not_count() -> None:
    """A camera that joins changes no configuration, and one that is not known is none."""
    alone = tuple(step for step in STEPS if step.camera == "decam")
    assert parent_of(PLAN, FACTS, [a_run("2", steps=alone, config_hsc_twin="0")]) == ("", ())
    silent = replace(a_run("2"), provenance={})
    assert parent_of(PLAN, FACTS, [silent]) == ("", ())
