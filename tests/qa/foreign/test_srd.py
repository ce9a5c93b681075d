"""The names of validate_drp."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa.foreign import srd
from qa.foreign.srd import SrdName, parse
from qa.judging.compare import compare
from qa.judging.policy import Policy
from qa.metrics import catalogue
from qa.model import Level, Measurement, Scope, Status
from qa.requirements import load, reached

LPM_17 = load()


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("validate_drp.PA1", SrdName("PA1")),
        ("validate_drp.PA2_design_gri", SrdName("PA2", Level.DESIGN, "gri")),
        ("validate_drp.AF3_stretch", SrdName("AF3", Level.STRETCH)),
        ("validate_drp.TE1", SrdName("TE1")),
        ("PA1", None),
        ("other.PA1", None),
        ("validate_drp.PA1x", None),
        ("validate_drp.psfPhotRepStar1", None),
    ],
)
def test_names_are_taken_apart(metric: str, expected: SrdName | None) -> None:
    """Only those of validate_drp are meant: other packages measure other things under these names."""
    assert parse(metric) == expected


def test_a_metric_without_level_has_the_whole_ladder() -> None:
    """That of its band."""
    ladder = srd.ladder(LPM_17, "validate_drp.PA1", "r")
    assert ladder is not None
    assert (ladder.minimum, ladder.design, ladder.stretch, ladder.only) == (8, 5, 3, None)
    assert ladder.metric == "validate_drp.PA1"
    assert srd.ladder(LPM_17, "validate_drp.AM1", "z") is None


def test_a_metric_measured_for_one_level_answers_to_that_level_only() -> None:
    """What misses the design is one level lower, however little is known of the minimum; nothing is better than it."""
    ladder = srd.ladder(LPM_17, "validate_drp.AD3_design", "r")
    assert ladder is not None
    assert ladder.only is Level.DESIGN
    assert [reached(value, ladder) for value in (1.0, 30.0, 30.1, 1e9)] == [
        Level.DESIGN,
        Level.DESIGN,
        Level.MINIMUM,
        Level.MINIMUM,
    ]
    minimum = srd.ladder(LPM_17, "validate_drp.AD3_minimum", "r")
    assert reached(1e9, minimum) is Level.BELOW_MINIMUM


@pytest.mark.parametrize(("band", "asked"), [("r", True), ("z", False), (None, False)])
def test_limits_of_other_bands_do_not_apply(band: str | None, asked: bool) -> None:  # noqa: FBT001
    """PA2_design_gri of a z-band Job answers to nothing."""
    assert (srd.ladder(LPM_17, "validate_drp.PA2_design_gri", band) is not None) is asked


@pytest.mark.parametrize(
    ("metric", "value", "status"),
    [
        ("AD3_minimum", 49.0, Status.PASS),
        ("AD3_minimum", 51.0, Status.FAIL),
        ("AD3_design", 31.0, Status.FAIL),
        ("AD3_design", 29.0, Status.PASS),
        ("AD3_stretch", 21.0, Status.PASS),
    ],
)
def test_a_gate_asks_no_more_of_a_metric_than_its_one_target(metric: str, value: float, status: Status) -> None:
    """With the gate at design, the minimum may be met by a metric of the minimum; the others show where they stand."""
    name = f"validate_drp.{metric}"
    ladder = srd.ladder(LPM_17, name, "r")
    definition = replace(catalogue()["AM1"], name=name, unit="mas")
    result = Measurement(name, Scope("c", "d", "r"), value, "marcsec", 0)
    judged = compare(result, None, ladder, definition=definition, policy=Policy(LPM_17, Level.DESIGN))
    assert judged.status is status
    if status is Status.PASS and metric == "AD3_stretch":
        assert "it misses stretch (at most 20 mas" in judged.reason


def test_units_are_those_of_the_requirement() -> None:
    """Other metrics have none from there."""
    assert srd.unit(LPM_17, "validate_drp.AF1_design") == "%"
    assert srd.unit(LPM_17, "validate_drp.TE9") is None
    assert srd.unit(LPM_17, "pkg.other") is None
    assert srd.ladder(LPM_17, "pkg.other", "r") is None
