"""The cause of what moved: the algorithm unless the evidence says otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.blame import Rerun, Trial, Window, attribute
from qa.blame.group import gather
from qa.blame.odds import odds_of
from qa.judging.judged import Cause, Incident, Shift, ShiftKind
from qa.model import Change, Scope, Status

METRICS = ("PA1", "PA2", "AM1", "TE1")


def incidents(
    make: Any,
    moved: Any,
    *,
    steady: Any = ("decam", "lsstcam", "latiss"),
    window: Any = None,
    windows: Any = None,
    **more: Any,
) -> Any:
    """Attribute a night: `moved` cameras and how far, all in one window; the `steady` ones ran."""
    comparisons = [make.comparison(name, camera) for camera in moved for name in METRICS]
    comparisons += [make.steady(name, camera) for camera in steady if camera not in moved for name in METRICS]
    each = windows or dict.fromkeys(moved, window)
    known = {(one.metric, one.scope): each[one.scope.camera] for one in comparisons if each.get(one.scope.camera)}
    definitions = {name: make.definition(name) for name in METRICS}
    return attribute(comparisons, windows=known, cameras=make.cameras, definitions=definitions, **more)


def only(found: Any) -> Any:
    """Return the one incident, whose odds are the prior and its evidence."""
    (one,) = found
    assert one.odds == pytest.approx(odds_of(one.evidence))
    return one


@pytest.mark.parametrize("moved", [("hsc",), ("hsc", "decam"), ("hsc", "decam", "lsstcam", "latiss")])
@pytest.mark.parametrize("own", [False, True])
def test_a_change_of_the_stack_is_the_algorithms(make: Any, moved: Any, own: Any) -> None:
    """One incident however many cameras, also where one camera's package changed in the same night."""
    more = {"package_obs_subaru": "2"} if own else {}
    one = only(incidents(make, moved, window=make.window(package_afw="2", **more)))
    assert one.cause is Cause.ALGORITHM
    assert set(one.cameras) == set(moved)
    assert len(one.members) == 4 * len(moved)
    assert one.last_good == "night-1"
    assert "package afw" in one.changed


def test_a_cameras_own_package_is_blamed_when_only_it_changed(make: Any) -> None:
    """Nothing else changed and no other camera moved."""
    one = only(incidents(make, ("hsc",), window=make.window(package_obs_subaru="2")))
    assert one.cause is Cause.CAMERA
    assert one.headline == "4 metrics of hsc moved after a change of package obs_subaru: the camera's own package."
    texts = [each.text for each in one.evidence]
    assert "What belongs to hsc changed since the last good run (night-1): package obs_subaru from 1 to 2." in texts
    assert "decam, latiss and lsstcam ran with the same stack and did not move." in texts


def test_so_is_a_configuration_of_its_own_and_a_package_of_two_cameras(make: Any) -> None:
    """The latter where both moved."""
    assert only(incidents(make, ("hsc",), window=make.window(config_hsc="2"))).cause is Cause.CAMERA
    both = only(incidents(make, ("lsstcam", "latiss"), window=make.window(package_obs_lsst="2")))
    assert both.cause is Cause.CAMERA
    assert both.cameras == ("latiss", "lsstcam")


@pytest.mark.parametrize(
    ("without", "changed", "text"),
    [
        ((), {}, "Nothing of what belongs to hsc changed since the last good run (night-1)."),
        (
            ("package obs_subaru", "config hsc/twin"),
            {},
            "It is not known that the package or configuration of hsc changed.",
        ),
        (
            (),
            {"package_obs_subaru": "2", "host": "b"},
            "It is not only the camera's package: the machine changed, too.",
        ),
        (
            ("data hsc/twin",),
            {"package_obs_subaru": "2"},
            "It is not only the camera's package: the data are not known to be the same.",
        ),
        (
            ("revision", "package afw"),
            {"package_obs_subaru": "2"},
            "It may not be the camera's package: the stack is not known to be the same.",
        ),
        (
            (),
            {"package_obs_subaru": "2", "package_afw": "2"},
            "It may not be the camera's package: the stack is not known to be the same.",
        ),
    ],
)
def test_whatever_is_lacking_the_algorithm_comes_first(make: Any, without: Any, changed: Any, text: str) -> None:
    """And a sentence says what is lacking."""
    one = only(incidents(make, ("hsc",), window=make.window(*without, **changed)))
    assert one.cause is not Cause.CAMERA
    assert (text, -30.0) in [(each.text, each.weight) for each in one.evidence if each.favours is Cause.CAMERA]


def test_a_camera_is_not_blamed_when_the_stack_changed_just_before(make: Any) -> None:
    """An effect may show late, unless swapping the camera's package back mends it."""
    window = replace(make.window(package_obs_subaru="2"), lead=(make.run(0, package_afw="0"),))
    one = only(incidents(make, ("hsc",), window=window))
    assert one.cause is Cause.ALGORITHM
    late = "It may not be the camera's package: the stack changed just before, and an effect may show late."
    assert late in [each.text for each in one.evidence]
    mended = Trial("hsc", frozenset({"obs_subaru"}), mended=True)
    assert only(incidents(make, ("hsc",), window=window, trials=(mended,))).cause is Cause.CAMERA


OWN, STACK = frozenset({"obs_subaru"}), frozenset({"afw"})


@pytest.mark.parametrize(
    ("trials", "cause"),
    [
        ((Trial("hsc", OWN, mended=True), Trial("hsc", STACK, mended=False)), Cause.CAMERA),
        ((Trial("hsc", OWN, mended=True),), Cause.ALGORITHM),
        ((Trial("hsc", OWN, mended=True), Trial("hsc", STACK, mended=True)), Cause.ALGORITHM),
        ((Trial("hsc", OWN, mended=False), Trial("hsc", STACK, mended=False)), Cause.ALGORITHM),
        ((Trial("decam", OWN, mended=True), Trial("new", STACK, mended=False)), Cause.ALGORITHM),
        ((Trial("hsc", OWN, mended=True), Trial("hsc", OWN | STACK, mended=False)), Cause.ALGORITHM),
        ((Trial("hsc", OWN, mended=True), Trial("hsc", frozenset({"x"}), mended=False)), Cause.ALGORITHM),
    ],
)
def test_where_both_changed_trials_decide(make: Any, trials: Any, cause: Cause) -> None:
    """Swapping the camera's package back must mend it, and swapping all of the stack back must not."""
    window = make.window(package_afw="2", package_obs_subaru="2")
    assert only(incidents(make, ("hsc",), window=window, trials=trials)).cause is cause


def test_a_camera_is_not_blamed_when_others_moved_unexplained(make: Any) -> None:
    """Then it is one incident of all."""
    one = only(incidents(make, ("hsc", "decam"), window=make.window(package_obs_subaru="2")))
    assert one.cause is Cause.ALGORITHM
    text = "decam and hsc moved together, and nothing of their own that changed is common to them."
    assert text in [each.text for each in one.evidence]


@pytest.mark.parametrize("fact", ["data_hsc", "calibrations_hsc", "refcat_hsc"])
@pytest.mark.parametrize("stack", ["1", "2"])
def test_changed_data_are_to_blame_for_what_they_reach(make: Any, fact: str, stack: str) -> None:
    """Also where the stack changed and nobody else moved."""
    window = make.window(**{fact: "2", "package_afw": stack})
    good = replace(window.good, facts={**window.good.facts, **make.named({fact: "1"})})
    assert only(incidents(make, ("hsc",), window=replace(window, good=good))).cause is Cause.DATA


def test_data_of_one_and_the_stack_of_others_are_two_incidents(make: Any) -> None:
    """The larger one first."""
    windows = dict.fromkeys(("decam", "lsstcam"), make.window(package_afw="2"))
    windows["hsc"] = make.window(package_afw="2", data_hsc="2")
    found = incidents(make, tuple(windows), windows=windows)
    assert [(one.cause, one.cameras) for one in found] == [
        (Cause.ALGORITHM, ("decam", "lsstcam")),
        (Cause.DATA, ("hsc",)),
    ]
    assert len({one.id for one in found}) == 2


def test_data_drawn_anew_for_all_are_one_incident(make: Any) -> None:
    """And those of two cameras of several are two."""
    everyone = {f"data_{name}": "2" for name in make.cameras}
    assert only(incidents(make, ("hsc", "decam"), window=make.window(**everyone))).cause is Cause.DATA
    found = incidents(make, ("hsc", "decam"), window=make.window(data_hsc="2", data_decam="2"))
    assert [(one.cause, one.cameras) for one in found] == [(Cause.DATA, ("decam",)), (Cause.DATA, ("hsc",))] or [
        one.cameras for one in found
    ] == [("hsc",), ("decam",)]


def test_a_container_alone_is_the_environment(make: Any) -> None:
    """Its libraries may give other values."""
    assert only(incidents(make, ("hsc", "decam"), window=make.window(os="new"))).cause is Cause.ENVIRONMENT


def slow(make: Any, window: Window, *tasks: str) -> tuple[Incident, ...]:
    """Attribute a night in which tasks took more in two cameras; for a task called PA1, the metric of one moved."""
    comparisons = [make.comparison("PA1", "hsc")] if "PA1" in tasks else []
    for task in tasks:
        for camera in ("hsc", "decam") if task != "PA1" else ():
            one = make.comparison("cpu", camera)
            scope = Scope(camera, "twin", task=task)
            comparisons.append(replace(one, result=replace(one.result, scope=scope)))
    windows = {(one.metric, one.scope): window for one in comparisons}
    definitions = {"cpu": make.definition("cpu", family="resources")}
    return attribute(comparisons, windows=windows, cameras=make.cameras, definitions=definitions)


def test_another_machine_makes_tasks_slower(make: Any) -> None:
    """Also where the stack changed; one task alone is the algorithm's."""
    changed = make.window
    assert only(slow(make, changed(host="b"), "isr", "coadd")).cause is Cause.ENVIRONMENT
    assert only(slow(make, changed(host="b", package_afw="2"), "isr", "coadd")).cause is Cause.ENVIRONMENT
    assert only(slow(make, changed(host="b", package_afw="2"), "isr")).cause is Cause.ALGORITHM
    assert only(slow(make, changed(package_afw="2"), "isr", "coadd")).cause is Cause.ALGORITHM


def test_costs_that_were_accepted_elsewhere_are_the_environment(make: Any) -> None:
    """A first night on another machine blames no algorithm for its time, and still for what it measures."""
    first = Window(make.run(2), None)
    found = only(slow(make, first, "isr", "coadd"))
    assert found.cause is Cause.ENVIRONMENT
    assert any("it may have been accepted on another machine" in one.text for one in found.evidence)
    assert not any("what they share is the stack" in one.text for one in found.evidence)
    assert only(slow(make, first, "isr")).cause is Cause.ALGORITHM
    both = {one.cause: {metric for metric, _ in one.members} for one in slow(make, first, "PA1", "isr", "coadd")}
    assert both == {Cause.ENVIRONMENT: {"cpu"}, Cause.ALGORITHM: {"PA1"}}


def lonely(make: Any, sigma: Any = 3.5, *, window: Any = None, **more: Any) -> Any:
    """Attribute a night of a hundred series in which one moved a little."""
    comparisons = [make.comparison(sigma=sigma)] + [make.steady(f"M{at}") for at in range(99)]
    key = (comparisons[0].metric, comparisons[0].scope)
    window = window or make.window()
    return only(attribute(comparisons, windows={key: window}, cameras=make.cameras, definitions={}, **more))


def test_one_small_move_of_many_series_is_noise_unless_values_repeat(make: Any) -> None:
    """To the last digit, on a second processing, or over the nights."""
    assert lonely(make).cause is Cause.NOISE
    assert lonely(make, window=replace(make.window(), same=3)).cause is Cause.ALGORITHM
    assert lonely(make, window=replace(make.window(), stood=4)).cause is Cause.ALGORITHM
    key = lonely(make).members[0]
    assert lonely(make, reruns=(Rerun(*key, repeated=True),)).cause is Cause.ALGORITHM
    changed = make.window(package_afw="2")
    assert lonely(make, 6.0, window=changed).cause is Cause.ALGORITHM
    assert lonely(make, 6.0, window=changed, reruns=(Rerun(*key, repeated=False),)).cause is Cause.NOISE
    assert lonely(make, 4.5, window=changed).cause is Cause.ALGORITHM
    assert lonely(make, 4.5, window=replace(changed, flips=3)).cause is Cause.NOISE


def test_a_small_move_beside_large_ones_of_its_data_set_belongs_to_them(make: Any) -> None:
    """They share a cause."""
    comparisons = [make.comparison(sigma=3.2), make.comparison("AM1"), make.comparison("AM2")]
    windows = {(one.metric, one.scope): make.window(package_afw="2") for one in comparisons}
    more = [make.steady(f"M{at}") for at in range(99)]
    found = attribute([*comparisons, *more], windows=windows, cameras=make.cameras, definitions={})
    assert len(only(found).members) == 3


def test_two_changes_on_different_nights_are_two_incidents(make: Any) -> None:
    """A camera that was not run in between goes with the first."""
    windows = {"hsc": make.window(night=3, package_afw="2"), "decam": make.window(night=5, package_afw="3")}
    windows["lsstcam"] = replace(windows["decam"], good=make.run(1))
    found = incidents(make, tuple(windows), windows=windows)
    assert sorted(one.cameras for one in found) == [("decam",), ("hsc", "lsstcam")]
    assert [one.id.rpartition("-")[0] for one in found] == ["night-3", "night-5"]


def test_the_first_run_is_the_algorithms(make: Any) -> None:
    """Nothing is known of any run before."""
    one = only(incidents(make, ("hsc", "decam")))
    assert (one.cause, one.last_good, one.changed) == (Cause.ALGORITHM, None, ())
    assert one.id.startswith("unknown-")
    assert one.headline == "8 metrics of decam and hsc moved: the algorithms of the stack."


def test_what_history_tells_is_no_chance(make: Any) -> None:
    """A lasting change is as unlikely as it says, a spike may be noise; gaps and what got better are left out."""
    one = make.steady(sigma=2.0)
    when = make.run().when

    def told(kind: ShiftKind, chance: float = 1e-4, sigma: float = 4.0) -> Any:
        shift = Shift("PA1", one.scope, kind, when, when, 5.0, 5.02, sigma, chance)
        return attribute(
            [one], windows={("PA1", one.scope): make.window()}, cameras={}, definitions={}, shifts=(shift,)
        )

    assert only(told(ShiftKind.STEP)).cause is Cause.ALGORITHM
    assert only(told(ShiftKind.SPIKE)).cause is Cause.NOISE
    assert told(ShiftKind.GAP) == told(ShiftKind.STEP, sigma=-4.0) == ()
    assert only(told(ShiftKind.DRIFT, chance=0.0)).cause is Cause.ALGORITHM


def test_what_is_missing_is_no_noise(make: Any) -> None:
    """The headline counts it."""
    gone = make.comparison(change=Change.MISSING, status=Status.FAIL)
    windows = {("PA1", gone.scope): make.window()}
    one = only(attribute([gone], windows=windows, cameras=make.cameras, definitions={}))
    assert one.cause is Cause.ALGORITHM
    assert one.headline == "1 metric of hsc moved (1 missing): the algorithms of the stack."


def test_nothing_moved_nothing_to_blame(make: Any) -> None:
    """Nor is there anything to say of a night without comparisons."""
    assert attribute([], windows={}, cameras={}, definitions={}) == ()
    assert incidents(make, ()) == ()


@given(
    moved=st.sets(st.sampled_from(["hsc", "decam", "lsstcam", "latiss"]), min_size=1),
    more=st.sets(
        st.sampled_from(["package_obs_subaru", "package_obs_decam", "package_obs_lsst", "host", "config_hsc"])
    ),
    lost=st.sets(st.sampled_from(["host", "data hsc/twin", "config hsc/twin", "package obs_subaru"])),
    order=st.randoms(use_true_random=False),
)
def test_with_a_changed_stack_no_camera_is_ever_blamed(make: Any, moved: Any, more: Any, lost: Any, order: Any) -> None:
    """Whatever else changed or is not known; and the order of cameras changes nothing."""
    window = make.window(*lost, package_afw="2", **dict.fromkeys(more, "2"))
    names = sorted(moved)
    found = incidents(make, names, window=window)
    assert all(one.cause is not Cause.CAMERA for one in found)
    order.shuffle(names)
    again = incidents(make, names, window=window)
    assert {(one.id, one.cause, frozenset(one.members)) for one in again} == {
        (one.id, one.cause, frozenset(one.members)) for one in found
    }


def test_nor_when_others_moved_unexplained_on_another_night(make: Any) -> None:
    """They are two incidents, and neither is a camera's."""
    windows = {"hsc": make.window(night=3, package_obs_subaru="2"), "decam": make.window(night=5)}
    found = incidents(make, tuple(windows), windows=windows)
    assert [one.cause for one in found] == [Cause.ALGORITHM, Cause.ALGORITHM]
    text = "It is not only the camera's package: decam moved, too."
    assert text in [each.text for one in found for each in one.evidence]


def test_a_member_without_a_good_run_changes_no_sentence(make: Any) -> None:
    """What changed is told by the others."""
    known = make.window(package_afw="2")
    windows = {"hsc": known, "decam": replace(known, good=None)}
    one = only(incidents(make, tuple(windows), windows=windows))
    texts = [each.text for each in one.evidence]
    assert "The stack changed since the last good run (night-1): package afw from 1 to 2." in texts


def gathered(make: Any, *members: tuple[Any, Window | None]) -> list[set[str]]:
    """Gather series with their windows, and return the cameras of each group."""
    found = [make.within(one, window) for one, window in members]
    return [set(group.cameras) for group in gather(found)]


def test_what_only_the_machine_reaches_is_apart_from_what_the_stack_does(make: Any) -> None:
    """A cost of processing belongs to a changed machine, and without one to the stack like everything else."""
    stack, host = make.window(package_afw="2"), make.window(host="b")
    both = make.window(host="b", package_afw="2")
    assert gathered(make, (make.moved("hsc"), host), (make.moved("decam"), stack)) == [{"hsc"}, {"decam"}]
    assert gathered(make, (make.moved("hsc"), both), (make.moved("decam"), stack)) == [{"hsc", "decam"}]
    cost = make.moved("hsc", "cpu", resource=True)
    assert gathered(make, (cost, both), (make.moved("decam"), stack)) == [{"hsc"}, {"decam"}]
    assert gathered(make, (cost, stack), (make.moved("decam"), stack)) == [{"hsc", "decam"}]


def test_fewer_visits_are_the_datas_unless_these_are_known_to_be_the_same(make: Any) -> None:
    """Known data with other visits are a matter of the software."""
    stack = make.window(package_afw="2")
    unknown = make.window("data hsc/twin", package_afw="2")
    fewer, other = make.moved("hsc", fewer=True), (make.moved("decam"), stack)
    assert gathered(make, (fewer, stack), other) == [{"hsc", "decam"}]
    assert gathered(make, (fewer, unknown), other) == [{"hsc"}, {"decam"}]


def test_windows_that_touch_have_no_moment_in_common(make: Any) -> None:
    """The first bad run of one is the last good run of the other; what has no window goes with the first."""
    first, second, third = (make.window(night=night, package_afw="2") for night in (2, 3, 4))
    members = [(make.moved("hsc"), first), (make.moved("decam"), second), (make.moved("latiss"), third)]
    assert gathered(make, *members) == [{"hsc"}, {"decam"}, {"latiss"}]
    assert gathered(make, *members, (make.moved("lsstcam"), None)) == [{"lsstcam", "hsc"}, {"decam"}, {"latiss"}]
