"""How metrics moved between two runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qa.blame.moves import Move, moves


def test_moves_are_sorted_by_size_and_what_is_missing_comes_first(make: Any) -> None:
    """In spreads of the baseline, positive when worse; what both have alike comes last."""
    one = [make.comparison(name, sigma=sigma) for name, sigma in (("A", 0.0), ("B", 0.0), ("C", 0.0), ("D", 0.0))]
    two = [make.comparison(name, sigma=sigma) for name, sigma in (("A", 4.0), ("B", -8.0), ("C", 0.0), ("E", 0.0))]
    found = moves(
        [each.result for each in one],
        [each.result for each in two],
        definitions={name: make.definition(name) for name in "ABCDE"},
        comparisons=one,
    )
    assert [each.metric for each in found] == ["D", "E", "B", "A", "C"]
    assert [None if each.sigma is None else round(each.sigma) for each in found] == [None, None, -8, 4, 0]
    assert [each.same for each in found] == [False, False, False, False, True]
    assert (found[0].before, found[0].after, found[1].before, found[1].after) == (5.0, None, None, 5.0)
    assert found[0] == Move("D", one[3].scope, "mmag", 5.0, None, None)


def test_without_a_baseline_of_the_unit_the_spread_is_the_assumed_one(make: Any) -> None:
    """A standard error of 0.5 from 100 things makes 0.05."""
    one, two = make.comparison(sigma=0.0), make.comparison(sigma=10.0)
    given = {"definitions": {"PA1": make.definition()}}
    (found,) = moves([one.result], [two.result], **given)
    assert round(found.sigma or 0) == 2
    foreign = replace(one, baseline=replace(one.baseline, unit="mag"))
    assert moves([one.result], [two.result], comparisons=[foreign], **given) == (found,)


def test_what_cannot_be_compared_is_left_out(make: Any) -> None:
    """A metric without a definition, or of another unit in the other run."""
    one = make.comparison().result
    assert moves([one], [one], definitions={}) == ()
    assert moves([one], [replace(one, unit="mag")], definitions={"PA1": make.definition()}) == ()


def test_moves_of_one_size_come_by_metric_and_scope(make: Any) -> None:
    """Each in the unit it was measured in."""
    places = [(metric, camera) for metric in ("B", "A") for camera in ("lsstcam", "decam", "hsc")]
    one = [make.comparison(metric, camera, sigma=0.0).result for metric, camera in places]
    two = [make.comparison(metric, camera, sigma=10.0).result for metric, camera in places]
    found = moves(one, two, definitions={name: make.definition(name) for name in "AB"})
    cameras = ("decam", "hsc", "lsstcam")
    assert [(each.metric, each.scope.camera) for each in found] == [(name, one) for name in "AB" for one in cameras]
    assert {each.unit for each in found} == {"mmag"}
