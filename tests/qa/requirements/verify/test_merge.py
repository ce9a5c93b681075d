"""The merge rules of lsst.verify."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.requirements.faults import Place
from qa.requirements.verify.merge import complete_name, merge, resolve
from qa.requirements.verify.model import SpecDocument

# One kind of value to a key, as documents that mean the same have: then merging is associative.
KINDED = st.fixed_dictionaries(
    {},
    optional={
        "number": st.integers(),
        "text": st.text(max_size=3),
        "entries": st.lists(st.integers(), max_size=3),
        "nested": st.fixed_dictionaries(
            {}, optional={"number": st.integers(), "entries": st.lists(st.text(max_size=2), max_size=2)}
        ),
    },
)


def a_document(name: str, *bases: str, partial: bool = False, line: int = 1, **content: Any) -> SpecDocument:
    """Make a document of the package p."""
    lines = {(key,): line + number for number, key in enumerate(content, 1)}
    return SpecDocument("p", partial, name, bases, content, Place("f.yaml", line), lines, ())


@pytest.mark.parametrize(
    ("base", "newer", "merged"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": [1]}, {"a": [2, 1]}, {"a": [1, 2, 1]}),
        ({"a": {"x": 1, "y": [1]}}, {"a": {"y": [2], "z": 3}}, {"a": {"x": 1, "y": [1, 2], "z": 3}}),
        ({"a": [1]}, {"a": "text"}, {"a": "text"}),
        ({"a": {"x": 1}}, {"a": [1]}, {"a": [1]}),
        ({"a": 1}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"a": 1}, {"a": None}, {"a": None}),
    ],
)
def test_mappings_are_merged_lists_appended_and_else_the_newer_wins(
    base: dict[str, Any], newer: dict[str, Any], merged: dict[str, Any]
) -> None:
    """The three rules, also below the top."""
    assert merge(base, newer) == merged


@given(KINDED, KINDED, KINDED)
def test_merging_is_associative_where_each_key_has_one_kind(a: Any, b: Any, c: Any) -> None:
    """It does not matter whether bases are merged among each other first."""
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


def test_merging_is_not_associative_where_a_list_meets_text() -> None:
    """The list before the text is lost in one order, and kept in the other."""
    a, b, c = {"tags": [1]}, {"tags": "text"}, {"tags": [2]}
    assert merge(merge(a, b), c) == {"tags": [2]}
    assert merge(a, merge(b, c)) == {"tags": [1, 2]}


@given(KINDED, KINDED)
def test_merging_changes_neither_and_with_nothing_gives_the_same(a: Any, b: Any) -> None:
    """The empty mapping is neutral on both sides."""
    before = repr((a, b))
    merge(a, b)
    assert repr((a, b)) == before
    assert merge(a, {}) == merge({}, a) == a


def test_bases_are_merged_from_left_to_right_and_the_document_last() -> None:
    """What comes later wins; lists pile up in that order."""
    result = resolve(
        [
            a_document("p:f#one", partial=True, threshold={"value": 1, "unit": "mag"}, tags=["one"]),
            a_document("p:f#two", partial=True, threshold={"value": 2}, tags=["two"]),
            a_document("s", "p:f#one", "p:f#two", metric="M", tags=["own"]),
        ]
    )
    (merged,) = result.specifications
    assert merged.name == "p.M.s"
    assert merged.content["threshold"] == {"value": 2, "unit": "mag"}
    assert merged.content["tags"] == ["one", "two", "own"]
    assert result.faults == ()
    assert set(result.partials) == {"p:f#one", "p:f#two"}


def test_every_value_knows_where_it_was_taken_from() -> None:
    """The place of the last document that has the key."""
    result = resolve(
        [
            a_document("p:f#one", partial=True, line=10, metric="M", unit="mag"),
            a_document("s", "p:f#one", line=20, value=1),
        ]
    )
    origins = result.specifications[0].origins
    assert origins["metric",] == Place("f.yaml", 11)
    assert origins["unit",] == Place("f.yaml", 12)
    assert origins["value",] == Place("f.yaml", 21)


def test_values_of_several_bases_keep_their_places() -> None:
    """Those of the first base are not forgotten over the second."""
    result = resolve(
        [
            a_document("p:f#one", partial=True, line=10, unit="mag"),
            a_document("p:f#two", partial=True, line=20, operator="<="),
            a_document("M.s", "p:f#one", "p:f#two", line=30),
        ]
    )
    origins = result.specifications[0].origins
    assert (origins["unit",].line, origins["operator",].line) == (11, 21)


def test_references_may_point_forward_over_several_documents() -> None:
    """A base that waits for its own base is waited for, and no base is forgotten meanwhile."""
    result = resolve(
        [
            a_document("late", "p.M.middle", "p:f#other"),
            a_document("middle", "p:f#first"),
            a_document("p:f#first", partial=True, metric="M", tags=["first"]),
            a_document("p:f#other", partial=True, tags=["other"]),
        ]
    )
    by_name = {one.name: one for one in result.specifications}
    assert set(by_name) == {"p.M.middle", "p.M.late"}
    assert by_name["p.M.late"].content["tags"] == ["first", "other"]
    assert result.faults == ()


CHAIN = (
    a_document("p:a#one", partial=True, metric="M", tags=["one"], threshold={"unit": "mag"}),
    a_document("p:b#two", "p:a#one", partial=True, tags=["two"]),
    a_document("first", "p:b#two", threshold={"value": 1}),
    a_document("second", "p.M.first", "p:a#one", tags=["own"]),
    a_document("third", "p:b#two", "p.M.second", threshold={"value": 3}),
)


@given(st.permutations(CHAIN))
def test_the_order_of_files_and_documents_does_not_matter(documents: list[SpecDocument]) -> None:
    """Whatever has to wait comes out the same."""
    result = resolve(documents)
    assert result.faults == ()
    found = {one.name: one.content for one in result.specifications}
    assert found == {one.name: one.content for one in resolve(CHAIN).specifications}
    assert found["p.M.third"]["tags"] == ["one", "two", "one", "two", "one", "own"]


def test_a_specification_hands_on_its_metric() -> None:
    """What is based on a specification is of the same metric."""
    result = resolve([a_document("M.design"), a_document("here", "p.M.design")])
    assert [one.name for one in result.specifications] == ["p.M.design", "p.M.here"]


def test_what_cannot_be_resolved_is_a_fault_that_names_what_is_alike() -> None:
    """The usual slip is a wrong folder; a circle is told of each of its members."""
    result = resolve(
        [
            a_document("p:right/file#part", partial=True),
            a_document("s", "p:wrong/file#part", metric="M", line=7),
            a_document("p:f#a", "p:f#b", partial=True),
            a_document("p:f#b", "p:f#a", partial=True),
            a_document("x", "p.M.nowhere", metric="M"),
        ]
    )
    assert [one.rule for one in result.faults] == ["unresolved"] * 4
    first = result.faults[0]
    assert (first.line, first.subject) == (7, "s")
    assert first.message == "s is based on p:wrong/file#part, which cannot be resolved"
    assert first.correct == "one of p:right/file#part"
    assert result.faults[3].correct == "a partial or specification of the package"
    assert first.file == "f.yaml"


def test_specifications_alike_are_named_too() -> None:
    """Three of them are enough."""
    known = [a_document(f"M{number}.design") for number in range(4)]
    documents = [*known, a_document("s", "p.N.design", "p:f#none", metric="M"), a_document("nameless")]
    nameless, unresolved = resolve(documents).faults
    assert unresolved.message == "s is based on p.N.design, p:f#none, which cannot be resolved"
    assert unresolved.correct == "one of p.M0.design, p.M1.design, p.M2.design"
    assert nameless.rule == "no-metric"
    assert nameless.correct == "metric: the metric that is tested"


def test_a_name_defined_again_replaces_the_first_and_is_a_fault() -> None:
    """As with lsst.verify the last one wins, and here it is told."""
    result = resolve([a_document("M.s", line=1, value=1), a_document("M.s", line=5, value=2)])
    (fault,) = result.faults
    assert (fault.rule, fault.line) == ("defined-twice", 5)
    assert fault.message == "p.M.s is defined again and replaces that of f.yaml:1"
    assert [one.content["value"] for one in result.specifications] == [1, 2]


def test_a_specification_without_a_metric_is_a_fault() -> None:
    """Neither it nor its bases say one."""
    (fault,) = resolve([a_document("design", line=3)]).faults
    assert (fault.rule, fault.line) == ("no-metric", 3)
    assert "'design'" in fault.message


@pytest.mark.parametrize(
    ("metric", "name", "complete"),
    [
        ("M", "s", "p.M.s"),
        ("p.M", "s", "p.M.s"),
        (None, "M.s", "p.M.s"),
        (None, "p.M.s", "p.M.s"),
        ("M", "p.M.s", "p.M.s"),
        (None, "s", None),
        ("N", "M.s", None),
        ("q.M", "s", None),
        (None, "q.M.s", None),
        (None, "a.p.M.s", None),
        ("a.p.M", "s", None),
        ("p.p.M", "s", None),
        (7, "s", None),
    ],
)
def test_names_are_completed_and_contradictions_refused(metric: object, name: str, complete: str | None) -> None:
    """A name may carry its metric and package; they must agree with what is said elsewhere."""
    assert complete_name("p", metric, name) == complete
