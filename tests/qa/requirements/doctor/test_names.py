"""Reading the names of specifications."""

from __future__ import annotations

import pytest

from qa.requirements.doctor.names import instead, is_bands, is_milestone, queried_bands, read_name, without
from qa.requirements.verify import Specification


def a_specification(name: str) -> Specification:
    """Make a specification of a name."""
    return Specification(name, 1.0, "", "<=", {}, ())


@pytest.mark.parametrize(
    ("name", "requirement", "level", "milestone", "bands"),
    [
        ("p.PA1.design_gri", "PA1", "design", None, "gri"),
        ("p.PF1_stretch_gri.cfht_g_FY18", "PF1", "stretch", "FY18", "g"),
        ("p.AD1_minimum.srd", "AD1", "minimum", None, None),
        ("p.PA1.ORR_cfht_g", "PA1", None, "ORR", "g"),
        ("p.TE2.cfht_design", "TE2", "design", None, None),
        ("p.chi2.maximum", "chi2", None, None, None),
    ],
)
def test_what_a_name_says(
    name: str, requirement: str, level: str | None, milestone: str | None, bands: str | None
) -> None:
    """What the specification itself says comes before what its metric says."""
    found = read_name(a_specification(name))
    assert (found.requirement, found.level, found.milestone) == (requirement, level, milestone)
    assert found.bands == (None if bands is None else frozenset(bands))


def test_ladders_and_series_differ_in_one_word() -> None:
    """The family of a ladder has no level, that of a series no milestone."""
    found = read_name(a_specification("p.PF1_design_gri.cfht_g_FY18"))
    assert found.family == "p.PF1_gri.cfht_g_FY18"
    assert found.series == "p.PF1_design_gri.cfht_g"


@pytest.mark.parametrize(
    ("word", "yes"), [("g", True), ("ugrizy", True), ("gg", False), ("", False), ("grj", False), ("G", False)]
)
def test_words_that_list_bands(word: str, *, yes: bool) -> None:
    """Letters of bands, each once."""
    assert is_bands(word) is yes


@pytest.mark.parametrize(
    ("word", "yes"), [("FY17", True), ("ORR", True), ("FY1", False), ("FY177", False), ("or", False)]
)
def test_words_that_are_milestones(word: str, *, yes: bool) -> None:
    """Years of the project, and the readiness review."""
    assert is_milestone(word) is yes


def test_the_readiness_review_is_last() -> None:
    """After all years, by the alphabet."""
    assert sorted(["ORR", "FY20", "FY17"]) == ["FY17", "FY20", "ORR"]


@pytest.mark.parametrize(
    ("asked", "bands"),
    [
        ("g", "g"),
        ("HSC-G", "g"),
        ("HSC-G^HSC-R^i", "gri"),
        ("g r", None),
        ("N708", None),
        ("g^clear", None),
        ("", None),
        (["g"], None),
        (None, None),
    ],
)
def test_bands_a_query_asks_for(asked: object, bands: str | None) -> None:
    """One filter or several; where one is not known, nothing is said."""
    query = {"filter_name": asked, "instrument": "g"}
    found = queried_bands(Specification("p.M.s", 1.0, "", "<=", query, ()))
    assert found == (None if bands is None else frozenset(bands))
    assert queried_bands(a_specification("p.M.s")) is None


def test_words_are_taken_out_and_replaced() -> None:
    """In every part of a name."""
    assert without("p.A_design.x_design", "design".__eq__) == "p.A.x"
    assert instead("p.A.FY17_gri", "FY17", "ORR") == "p.A.ORR_gri"
