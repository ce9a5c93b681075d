"""What each observation says, and how strongly."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from qa.blame import Rerun, Trial, weights, wording
from qa.blame import evidence as observe
from qa.blame.chance import coincidence
from qa.blame.group import Group, Scene
from qa.judging.judged import Cause, Evidence, Shift, ShiftKind
from qa.model import Scope

if TYPE_CHECKING:
    from qa.blame.moved import Moved

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def group(make: Any, *members: Moved, **changed: str) -> Group:
    """Gather members whose window has these changes."""
    window = make.window(**changed)
    return Group(tuple(make.within(one, window) for one in members))


def scene(make: Any, *measured: str, **more: Any) -> Scene:
    """Make a night in which these cameras ran."""
    return Scene(make.cameras, frozenset(measured), 100, **more)


def test_the_stack(make: Any) -> None:
    """Changed, the same, or changed just before."""
    night = scene(make)
    (one,) = observe.of_stack(group(make, make.moved(), package_afw="2"), night)
    text = "The stack changed since the last good run (night-1): package afw from 1 to 2."
    assert one == Evidence(Cause.ALGORITHM, weights.STACK_CHANGED, text)
    (one,) = observe.of_stack(group(make, make.moved()), night)
    text = "Nothing of the stack changed since the last good run (night-1)."
    assert one == Evidence(Cause.ALGORITHM, weights.STACK_SAME, text)
    assert list(observe.of_stack(Group((make.moved(window=None),)), night)) == []
    member = replace(group(make, make.moved()).members[0])
    late = replace(member, differences=replace(member.differences, before=("package afw",)))
    text = "The stack changed in the runs just before (package afw), and an effect may show late."
    assert list(observe.of_stack(Group((late,)), night))[1:] == [Evidence(Cause.ALGORITHM, weights.STACK_BEFORE, text)]


def test_cameras_that_moved_together_and_those_that_did_not(make: Any) -> None:
    """Both say something of what they share only where that changed, or may have."""
    both = (make.moved("hsc"), make.moved("decam"))
    night = scene(make, "hsc", "decam", "latiss", "lsstcam")
    found = list(observe.of_others(group(make, *both, package_afw="2"), night))
    assert found == [
        Evidence(Cause.ALGORITHM, 1.0, "2 cameras moved, and what they share is the stack."),
        Evidence(Cause.ALGORITHM, -1.0, "latiss and lsstcam ran with the same stack and did not move."),
    ]
    assert list(observe.of_others(group(make, *both), night)) == []
    assert list(observe.of_others(group(make, *both, host="b", package_afw="2"), scene(make))) == []
    (one,) = observe.of_others(group(make, both[0], package_obs_subaru="2"), scene(make, "hsc", "decam"))
    assert one == Evidence(Cause.CAMERA, 0.5, "decam ran with the same stack and did not move.")


def test_the_data(make: Any) -> None:
    """Changed, the same, or of other exposures where nothing is known of them."""
    night = scene(make)
    (one,) = observe.of_data(group(make, make.moved(), data_hsc="2"), night)
    text = "The data changed since the last good run (night-1): data hsc/twin from 1 to 2."
    assert one == Evidence(Cause.DATA, weights.DATA_CHANGED, text)
    same, truth = observe.of_data(group(make, make.moved(truth=True)), night)
    assert same.weight == weights.DATA_SAME
    text = "Metrics that are measured against the known truth moved, on data that are the same."
    assert truth == Evidence(Cause.DATA, weights.TRUTH_MOVED, text)
    (one,) = observe.of_data(Group((make.moved(fewer=True),)), night)
    text = "Metrics of single visits rest on another number of visits than before."
    assert one == Evidence(Cause.DATA, weights.OTHER_EXPOSURES, text)
    assert list(observe.of_data(Group((make.moved(),)), night)) == []


@pytest.mark.parametrize(
    ("members", "fact", "weight", "text"),
    [
        (
            [{"errors": 0.25}, {"errors": 0.1}, {"errors": 0.2}, {"errors": 9.0}, {"errors": None}],
            "host",
            weights.SMALL_MOVES,
            "Hardly anything moved by more than a quarter of its sampling error, as another order of summing does.",
        ),
        (
            [{"errors": 0.26}],
            "host",
            weights.LARGE_ON_HARDWARE,
            "What was measured moved by more than rounding, which another machine does not do.",
        ),
        (
            [{"errors": None}],
            "os",
            weights.LARGE_ON_SYSTEM,
            "What was measured moved by more than rounding, for which only the software of a system can be at fault.",
        ),
        (
            [{"resource": True, "task": "isr"}, {"resource": True, "task": "isr"}],
            "host",
            weights.ONE_TASK,
            "Only the task isr takes more, where another machine would change all.",
        ),
        (
            [{"resource": True, "task": "isr"}],
            "host",
            weights.RESOURCES_ONLY,
            "Only time and memory moved, which depend on the machine.",
        ),
        (
            [{"resource": True}, {"resource": True}],
            "host",
            weights.RESOURCES_ONLY,
            "Only time and memory moved, which depend on the machine.",
        ),
    ],
)
def test_the_machine(make: Any, members: Any, fact: Any, weight: Any, text: Any) -> None:
    """What moved tells whether another one can have done it."""
    found = list(
        observe.of_environment(group(make, *(make.moved(**one) for one in members), **{fact: "b"}), scene(make))
    )
    assert found[0].weight == weights.HOST_CHANGED
    assert found[1] == Evidence(Cause.ENVIRONMENT, weight, text)
    if weight == weights.RESOURCES_ONLY:
        assert found[2] == Evidence(Cause.ALGORITHM, weights.RESOURCES_BY_STACK, "No measured quantity moved.")


def test_a_machine_that_is_not_known(make: Any) -> None:
    """Costs that no known run had at their baseline speak for another one, and their sharing for no stack."""
    members = [replace(make.moved(camera, resource=True), window=None) for camera in ("hsc", "decam")]
    assert list(observe.of_environment(Group(tuple(members)), scene(make))) == [
        Evidence(
            Cause.ENVIRONMENT,
            weights.HOST_UNKNOWN,
            "No known run had what was accepted: it may have been accepted on another machine.",
        ),
        Evidence(Cause.ENVIRONMENT, weights.RESOURCES_ONLY, "Only time and memory moved, which depend on the machine."),
        Evidence(Cause.ALGORITHM, weights.RESOURCES_BY_STACK, "No measured quantity moved."),
    ]
    assert list(observe.of_others(Group(tuple(members)), scene(make, "hsc", "decam"))) == []
    mixed = Group((members[0], replace(members[1], resource=False)))
    assert list(observe.of_environment(mixed, scene(make))) == []
    (one,) = observe.of_others(mixed, scene(make, "hsc", "decam"))
    assert one == Evidence(Cause.ALGORITHM, weights.TOGETHER, "2 cameras moved, and what they share is the stack.")


def test_the_camera(make: Any) -> None:
    """Where the design lets it be blamed its own change speaks against it; else a veto says why not."""
    (one,) = observe.of_camera(group(make, make.moved(), package_obs_subaru="2"), scene(make))
    text = "What belongs to hsc changed since the last good run (night-1): package obs_subaru from 1 to 2."
    assert one == Evidence(Cause.CAMERA, weights.CAMERA_CHANGED, text)
    (one,) = observe.of_camera(group(make, make.moved(), package_obs_subaru="2", host="b"), scene(make))
    text = "It is not only the camera's package: the machine changed, too."
    assert one == Evidence(Cause.CAMERA, weights.VETO, text)
    both = Trial("hsc", frozenset({"afw"}), mended=True)
    (one,) = observe.of_camera(group(make, make.moved(), package_obs_subaru="2"), scene(make, trials=(both,)))
    text = "It is not only the camera's package: swapping the stack back mends it."
    assert one == Evidence(Cause.CAMERA, weights.VETO, text)


def test_trials_of_swapped_packages(make: Any) -> None:
    """Of the camera's own packages and of the stack's: one that failed says more than those that mended."""
    moved = group(make, make.moved(), package_obs_subaru="2", package_afw="2")
    own, stack = frozenset({"obs_subaru"}), frozenset({"afw"})

    def found(*trials: Trial) -> list[Evidence]:
        return list(observe.of_trials(moved, scene(make, trials=trials)))

    mends = Evidence(Cause.CAMERA, weights.MENDED, "Swapping obs_subaru back mends it.")
    fails = Evidence(Cause.CAMERA, weights.NOT_MENDED, "Swapping obs_subaru back does not mend it.")
    assert found() == []
    assert found(Trial("hsc", own, mended=True)) == [mends]
    assert found(Trial("hsc", own, mended=True), Trial("hsc", own, mended=False)) == [fails]
    assert found(Trial("hsc", own, mended=True), Trial("hsc", stack, mended=False)) == [
        mends,
        Evidence(Cause.ALGORITHM, weights.NOT_MENDED, "Swapping afw back does not mend it."),
    ]
    assert found(Trial("hsc", frozenset({"afw", "utils"}), mended=True)) == [
        Evidence(Cause.ALGORITHM, weights.MENDED, "Swapping afw and utils back mends it.")
    ]
    assert found(Trial("decam", own, mended=True)) == []


def test_the_past_of_what_moved(make: Any) -> None:
    """Its flips, its nights, its repeats: of the member of which they say least."""
    one = make.moved(sigma=None)
    two = replace(one, window=replace(one.window, same=4, flips=5, stood=9))
    three = replace(one, window=replace(one.window, same=3, flips=2, stood=3))
    found = {each.text: each.weight for each in observe.of_noise(Group((two, three)), scene(make))}
    assert found == {
        "The 3 runs before gave the very same values, to the last digit.": weights.SAME_BITS,
        "It went off and came back by itself 2 times before.": 2 * weights.FLIP,
        "It has stayed where it is for 3 runs or more.": 2 * weights.STOOD,
    }
    found = [each.weight for each in observe.of_noise(Group((two,)), scene(make))]
    assert found == [weights.SAME_BITS, 3 * weights.FLIP, 3 * weights.STOOD]
    assert list(observe.of_noise(Group((make.moved(sigma=None, window=None),)), scene(make))) == []


@pytest.mark.parametrize(("repeated", "count"), [(2, 2), (1, 1), (0, 2)])
def test_a_second_processing(make: Any, repeated: int, count: int) -> None:
    """As most of the members that it gave came out."""
    members = [make.moved(metric=name, sigma=None) for name in ("A", "B", "C")]
    reruns = {one.key: Rerun(*one.key, repeated=at < repeated) for at, one in enumerate(members[:2])}
    (one,) = observe.of_noise(Group(tuple(members)), scene(make, reruns=reruns))
    how = "moved again" if repeated else "as they were"
    text = f"Processed a second time, {count} of 2 came out {how}."
    assert one == Evidence(Cause.NOISE, weights.REPEATED if repeated else weights.NOT_REPEATED, text)


def test_what_stayed_the_same_is_said(make: Any) -> None:
    """Of the data and of the machine, with the run it is compared to."""
    night = scene(make)
    (one,) = observe.of_data(group(make, make.moved()), night)
    text = "Nothing of the data changed since the last good run (night-1)."
    assert one == Evidence(Cause.DATA, weights.DATA_SAME, text)
    (one,) = observe.of_environment(group(make, make.moved()), night)
    text = "Nothing of the machine changed since the last good run (night-1)."
    assert one == Evidence(Cause.ENVIRONMENT, weights.HOST_SAME, text)
    first, _ = observe.of_environment(group(make, make.moved(), host="b"), night)
    text = "The machine or its system changed since the last good run (night-1): host from a to b."
    assert first == Evidence(Cause.ENVIRONMENT, weights.HOST_CHANGED, text)


def test_three_cameras_say_more_than_two(make: Any) -> None:
    """Each further one adds as much, and a camera's change of its own is enough to say nothing."""
    three = tuple(make.moved(name) for name in ("hsc", "decam", "latiss"))
    (one,) = observe.of_others(group(make, *three, package_afw="2"), scene(make, "hsc", "decam", "latiss"))
    text = "3 cameras moved, and what they share is the stack."
    assert one == Evidence(Cause.ALGORITHM, 2 * weights.TOGETHER, text)
    assert list(observe.of_others(group(make, *three, data_hsc="2", package_afw="2"), scene(make))) == []


def test_a_missing_metric_does_not_go_by_chance(make: Any) -> None:
    """Whatever else moved."""
    found = list(observe.of_noise(Group((make.moved(missing=True), make.moved(metric="B"))), scene(make)))
    text = "A metric that was measured before is missing."
    assert found[0] == Evidence(Cause.NOISE, weights.CHANCE_RANGE[0], text)
    assert len(found) == 1


def a_shift(kind: ShiftKind, chance: float) -> Shift:
    """Make a change that the history found."""
    return Shift("PA1", Scope("hsc", "twin", "r", 0), kind, BEGIN, BEGIN, 5.0, 6.0, 9.0, chance)


def test_what_the_history_found_goes_by_its_chance(make: Any) -> None:
    """A lasting change by the smallest chance of its members; a spike speaks for noise."""
    low = make.moved(shift=a_shift(ShiftKind.STEP, 1e-3))
    lower = make.moved(metric="B", shift=a_shift(ShiftKind.DRIFT, 1e-4))
    (one,) = observe.of_noise(Group((low, lower)), scene(make))
    text = "The history shows a lasting change, of which there is a chance of 0.0001 in a night without one."
    assert one.text == text
    assert one.weight == pytest.approx(max(weights.CHANCE_RANGE[0], math.log(1e-4 / weights.REAL)))
    (one,) = observe.of_noise(Group((make.moved(sigma=None, shift=a_shift(ShiftKind.SPIKE, 0.1)),)), scene(make))
    assert one == Evidence(Cause.NOISE, weights.SPIKE, "The history shows a single value out of line.")


def test_the_size_of_the_moves_goes_by_chance(make: Any) -> None:
    """The sentence says how many series were judged and how many moved so far."""
    count, mean, chance = coincidence((make.moved(sigma=4.0),), 100)
    found = list(observe.of_noise(Group((make.moved(sigma=4.0),)), scene(make)))
    assert found[0].text == wording.chance(count, mean, 100)
    assert found[0].text.startswith("Of 100 series that were judged ")
    assert found[0].weight == pytest.approx(math.log(chance / weights.REAL))


def test_nothing_is_known_to_have_changed(make: Any) -> None:
    """Only where stack and data are known to be the same, and camera and machine did not change."""
    text = "Nothing that could have moved it is known to have changed."
    quiet = [each.text for each in observe.of_noise(group(make, make.moved(sigma=None)), scene(make))]
    assert quiet == [text]
    assert observe.nothing_changed(group(make, make.moved()))
    for fact in ("package_afw", "data_hsc", "package_obs_subaru", "host"):
        assert not observe.nothing_changed(group(make, make.moved(), **{fact: "2"}))
    assert not observe.nothing_changed(Group((make.moved(window=None),)))


def test_a_third_of_repeats_is_not_most(make: Any) -> None:
    """One of three that came out moved again says that it does not repeat."""
    members = [make.moved(metric=name, sigma=None) for name in ("A", "B", "C")]
    reruns = {one.key: Rerun(*one.key, repeated=at < 1) for at, one in enumerate(members)}
    (one,) = observe.of_noise(Group(tuple(members)), scene(make, reruns=reruns))
    text = "Processed a second time, 2 of 3 came out as they were."
    assert one == Evidence(Cause.NOISE, weights.NOT_REPEATED, text)


def test_names_are_listed_and_counted() -> None:
    """More than four are not spelt out."""
    assert wording.listing([]) == ""
    assert wording.listing(["a"]) == "a"
    assert wording.listing(["a", "b", "c", "d"]) == "a, b, c and d"
    assert wording.listing(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert (wording.times(1), wording.times(2)) == ("once", "2 times")


def test_digests_are_cut_short() -> None:
    """But not what is in words, nor the mark of uncommitted changes."""
    assert wording.fact("f", None, "0123456789ab") == "f from nothing to 0123456789ab"
    assert wording.fact("f", "0123456789abc", "0123456789abc-dirty") == "f from 0123456789ab to 0123456789ab-dirty"
    assert wording.fact("cpu", "AMD EPYC 7763 64-Core", "x") == "cpu from AMD EPYC 7763 64-Core to x"
