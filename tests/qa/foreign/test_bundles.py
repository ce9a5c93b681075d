"""Bundles of analysis_tools, and our own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from qa.errors import DocumentError
from qa.foreign.bundles import read
from qa.foreign.testing import a_bundle
from qa.metrics.bundle import to_bundle
from qa.model import Measurement, Scope, Unmeasured
from qa.requirements.verify import Specification
from qa.testing import a_measurement

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

STDEV = "lsst_distrib.stellarPhotRepeat_r_stdev"


def record(metric: str, value: Any = 1.0, **more: Any) -> dict[str, Any]:
    """Return a record of a bundle."""
    return {"metric": metric, "identifier": "1", "value": value, "unit": "mmag", "blob_refs": [], **more}


def test_a_bundle_is_read_whole(write: Write) -> None:
    """Names get package and action in front; keys that begin with __ are reserved; NaN is not measured."""
    foreign = read(write(a_bundle()))
    assert foreign.results == (
        Measurement(STDEV, Scope("", ""), 4.5, "mmag", 0),
        Unmeasured(
            "lsst_distrib.stellarPhotRepeat_r_median",
            Scope("", ""),
            "the record of stellarPhotRepeat has the value nan",
        ),
    )
    assert foreign.origin.dataset == "HSC/RC2"
    assert foreign.origin.when == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert [one.direction for one in foreign.definitions] == ["zero", "zero"]
    assert foreign.definitions[0].text == "Written by the action stellarPhotRepeat; the file says no more of it."
    assert (foreign.facts, foreign.caveats, foreign.ladders) == ({}, (), ())


def test_names_keep_the_package_they_come_with(write: Write) -> None:
    """A bundle may name another package, a prefix, or none."""
    bundle = {"a": [record("validate_drp.PA1"), record("n")], "__metricNamePrefix": "pre_", "__reference_package": None}
    assert [one.metric for one in read(write(bundle)).results] == ["validate_drp.PA1", "analysis_tools.a_pre_n"]


def test_reserved_keys_of_any_kind_are_passed_over(write: Write) -> None:
    """What they hold is the business of those who reserved them."""
    bundle = a_bundle(__new=[1, 2], __dataset_identifier=3, __timestamp_version=None)
    foreign = read(write(bundle))
    assert len(foreign.results) == 2
    assert (foreign.origin.dataset, foreign.origin.when) == (None, None)


def test_specifications_of_a_package_are_asked_of_it(write: Write) -> None:
    """By complete name; one in another kind of unit is told."""
    fitting = Specification(f"{STDEV}.design", 5.0, "mmag", "<=", {}, ("design",))
    odd = Specification(f"{STDEV}.odd", 5.0, "mas", "<=", {}, ())
    foreign = read(write(a_bundle()), package=[fitting, odd])
    (ladder,) = foreign.ladders
    assert (ladder.metric, ladder.design) == (STDEV, 5.0)
    assert foreign.definitions[0].direction == "lower"
    assert "odd is not judged: its unit must be convertible to 'mmag', and it is 'mas'." in foreign.caveats[0]


def test_our_own_bundles_keep_names_and_definitions(write: Write) -> None:
    """They come back as they went, standard errors included."""
    result = a_measurement()
    foreign = read(write(to_bundle([result])))
    assert foreign.results == (Measurement("PA1", Scope("", ""), 5.0, "mmag", 100, 0.5),)
    assert foreign.definitions == ()


def test_errors_that_are_no_numbers_are_left_out_and_told(write: Write) -> None:
    """The value stands without one."""
    foreign = read(write({"a": [record("p.x", stderr=float("inf"))]}))
    assert foreign.results[0].stderr is None  # type: ignore[union-attr]
    assert foreign.caveats == ("Errors that are not finite were left out: p.x.",)


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ([1], "found list at the top"),
        ({"__only": 1}, "found no action with measurements"),
        ({"a": 3}, "found at a: input should be a valid list"),
        ({"a": [{"value": 1}]}, "found at a.0.metric: field required"),
        ({"a": [record("x", "much")]}, "found at a.0.value: "),
        ({"a": [record("x", "0")]}, "found at a.0.value: input should be a valid number"),
        ({"a": [record("x", value=True)]}, "found at a.0.value: input should be a valid number"),
        ({"a": [record("x", task=3)]}, "found at a.0.task: input should be a valid string"),
        ({"a": [record("x", band=["r"])]}, "found at a.0.band: input should be a valid string"),
        ({"a": [record("x", stderr=-0.5)]}, "must be a bundle whose errors are not negative, found a.x with a stderr"),
    ],
)
def test_what_is_no_bundle_is_one_line(write: Write, document: Any, found: str) -> None:
    """It names the file and what is wrong."""
    with pytest.raises(DocumentError) as caught:
        read(write(document))
    assert found in str(caught.value)
    assert "\n" not in str(caught.value)
