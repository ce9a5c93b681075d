"""Ladders made of specifications."""

from __future__ import annotations

from typing import Any

import pytest

from qa.foreign.targets import applicable, ladder_of
from qa.model import Level
from qa.requirements.verify import Specification


def a_spec(name: str, value: float = 1.0, **changes: Any) -> Specification:
    """Return a specification of the metric p.M that asks for at most a value in mmag."""
    given = {"unit": "mmag", "operator": "<=", "metadata_query": {}, "tags": ()} | changes
    return Specification(name=f"p.M.{name}", value=value, **given)


def test_those_whose_query_fits_apply() -> None:
    """Every key must be there and be equal, lists as a whole; milestones of releases are no requirements."""
    fitting = a_spec("here", metadata_query={"visits": [1, 2]})
    others = (
        a_spec("elsewhere", metadata_query={"visits": [1]}),
        a_spec("absent", metadata_query={"ccd": 3}),
        a_spec("FY17", tags=("release",)),
    )
    assert applicable((*others, fitting), {"visits": [1, 2]}, "r") == (fitting,)


@pytest.mark.parametrize(
    ("name", "band", "fits"),
    [
        ("design_gri", "r", True),
        ("design_gri", "z", False),
        ("design_uzy", "z", True),
        ("design_gri", None, True),
        ("design_gri", "N921", True),
        ("design", "z", True),
    ],
)
def test_those_named_for_other_bands_do_not_apply(name: str, band: str | None, fits: bool) -> None:  # noqa: FBT001
    """A band that is none of the six, or not known, is given the benefit of the doubt."""
    assert bool(applicable([a_spec(name)], {}, band)) is fits


def test_three_levels_make_a_ladder() -> None:
    """By tag or by name, in the metric's unit; of several at one level the hardest counts."""
    specs = [
        a_spec("a", 0.02, tags=("minimum",), unit="mag"),
        a_spec("hsc_design", 9.0),
        a_spec("b", 8.0, tags=("design", "chromatic")),
        a_spec("c", 3.0, tags=("stretch",)),
    ]
    ladder, caveats = ladder_of("p.M", specs, unit="mmag")
    assert ladder is not None
    assert [ladder.minimum, ladder.design, ladder.stretch] == pytest.approx([20, 8, 3])
    assert (ladder.only, ladder.unit, caveats) == (None, "mmag", ())
    assert ladder.citation == "p.M.a, p.M.b, p.M.c and 1 more"


def test_one_level_makes_a_ladder_of_one_rung() -> None:
    """Without a level it is a minimum; of two levels the lower one is kept, which gates."""
    plain, _ = ladder_of("p.M", [a_spec("x", 7.0, operator=">")], unit="mmag")
    assert plain is not None
    assert (plain.only, plain.operator, plain.design, plain.citation) == (Level.MINIMUM, ">=", 7.0, "p.M.x")
    two, _ = ladder_of("p.M", [a_spec("design", 7.0), a_spec("stretch", 5.0)], unit="mmag")
    assert two is not None
    assert (two.only, two.stretch) == (Level.DESIGN, 7.0)


@pytest.mark.parametrize(
    ("specs", "caveat"),
    [
        ([a_spec("x", operator="==")], "p.M.x is not judged: it must ask for at most or at least something, and it"),
        ([a_spec("x", unit="mas")], "p.M.x is not judged: its unit must be convertible to 'mmag', and it is 'mas'."),
        ([a_spec("x"), a_spec("y", operator=">=")], "p.M is not judged: its specifications ask for more of it and for"),
        (
            [a_spec("minimum", 1.0), a_spec("design", 2.0), a_spec("stretch", 3.0)],
            "p.M is not judged: its targets do not get harder from minimum to stretch.",
        ),
    ],
)
def test_what_makes_no_ladder_is_said(specs: list[Specification], caveat: str) -> None:
    """A whole sentence, and no ladder: never a quiet wrong limit."""
    ladder, caveats = ladder_of("p.M", specs, unit="mmag")
    assert ladder is None
    assert caveats[0].startswith(caveat)


def test_without_specifications_there_is_no_ladder() -> None:
    """And nothing to be said."""
    assert ladder_of("p.M", [], unit="") == (None, ())
