"""What changed between two runs, and whose doing it would be."""

from __future__ import annotations

from typing import Any

import pytest

from qa.blame import Run, Window
from qa.blame.facts import Changes, Differences, count_packages, differences, differing

PLACE = ("hsc", "twin")


def test_a_fact_that_one_run_did_not_write_down_is_no_change() -> None:
    """Only a package that came or went is one, where others are known of both."""
    good = {"host": "a", "package afw": "1", "locale": "C"}
    bad = {"host": "b", "package afw": "1", "package new": "1"}
    assert differing(good, bad) == ("host", "package new")
    assert differing({"host": "a"}, {"host": "a", "package new": "1"}) == ()
    assert differing({"package afw": "1", "package old": "1"}, {"package afw": "2"}) == ("package afw", "package old")


@pytest.mark.parametrize(
    ("fact", "part"),
    [
        ("package_afw", "stack"),
        ("revision", "stack"),
        ("package_obs_subaru", "camera"),
        ("package_obs_decam", None),
        ("config_hsc", "camera"),
        ("config_decam", None),
        ("data_hsc", "data"),
        ("data_decam", None),
        ("host", "environment"),
        ("os", "environment"),
    ],
)
def test_a_changed_fact_is_somebodys_doing(make: Any, fact: str, part: str | None) -> None:
    """The stack's where no camera owns it, and nobody's where it concerns another data set only."""
    found = differences(make.window(**{fact: "2"}), PLACE, make.cameras)
    name = next(iter(make.named({fact: "2"})))
    for each in ("stack", "camera", "data", "environment"):
        assert getattr(found, each) == Changes((name,) if each == part else (), known=True)
    assert found.changed == ((name,) if part else ())


def between(good: dict[str, str], bad: dict[str, str], make: Any, *lead: dict[str, str]) -> Differences:
    """Compare two runs' facts."""
    when = make.run().when
    runs = [
        Run(str(number), when, {"packages": str(count_packages(facts))} | facts)
        for number, facts in enumerate((bad, good, *lead))
    ]
    return differences(Window(runs[0], runs[1], tuple(runs[2:])), PLACE, make.cameras)


def test_packages_of_another_cameras_environment_are_nobodys_doing(make: Any) -> None:
    """Each camera may have a stack of its own; in its own, its own package is the camera's."""
    for fact, part in (("afw@hsc", "stack"), ("obs_subaru@hsc", "camera"), ("afw@decam", None)):
        found = between({f"package {fact}": "1"}, {f"package {fact}": "2"}, make)
        assert found.changed == ((f"package {fact}",) if part else ())
        assert part is None or getattr(found, part).changed


def test_calibrations_reference_catalogue_and_own_raws_are_data_and_a_container_is_environment(make: Any) -> None:
    """Own raws are written without a camera; another camera's container says nothing."""
    names = ("calibrations hsc/twin", "refcat hsc/twin", "data raws")
    found = between(dict.fromkeys(names, "1"), dict.fromkeys(names, "2"), make)
    assert set(found.data.changed) == set(names)
    for name, expected in (("container hsc", ("container hsc",)), ("container decam", ()), ("job", ())):
        assert between({name: "1"}, {name: "2"}, make).environment.changed == expected


def test_kernel_instructions_and_variables_are_the_environments(make: Any) -> None:
    """But not where software lies: what it is, its own facts say."""
    for name in ("kernel", "instructions", "os", "env OPENBLAS_CORETYPE"):
        assert between({name: "1"}, {name: "2"}, make).environment.changed == (name,)
    for name in ("env PYTHONPATH", "env EUPS_PATH", "validity hsc/twin", "pipeline hsc/twin"):
        assert between({name: "1"}, {name: "2"}, make) == between({}, {}, make)


def test_uncommitted_changes_with_a_digest_are_known(make: Any) -> None:
    """Two runs of the same changes are of the same code."""
    one, other = {"revision": "1-dirty-a"}, {"revision": "1-dirty-b"}
    assert between(one, one, make).stack.changed == ()
    packages = {"package afw": "1", "packages": "2"}
    assert between(packages | one, packages | one, make).stack.unchanged
    assert between(one, other, make).stack.changed == ("revision",)


def test_without_a_good_run_nothing_is_known(make: Any) -> None:
    """And nothing is called unchanged."""
    found = differences(Window(make.run()), PLACE, make.cameras)
    assert found == Differences()
    assert not found.stack.unchanged


def test_a_part_of_which_one_run_says_nothing_is_not_unchanged(make: Any) -> None:
    """Neither is a checkout with uncommitted changes, whose name may stand for two states."""
    assert between({"host": "a"}, {"host": "a"}, make).environment.unchanged
    assert not between({"host": "a"}, {"host": "a"}, make).stack.known
    assert not between({"revision": "1-dirty"}, {"revision": "1-dirty"}, make).stack.known
    assert between({"revision": "1-dirty"}, {"revision": "2-dirty"}, make).stack == Changes(("revision",), known=True)
    assert between({"revision": "1"}, {"revision": "1"}, make).stack.unchanged


def test_a_camera_of_which_one_run_knows_less_is_not_known(make: Any) -> None:
    """Its package may have come in between."""
    one, other = {"package afw": "1", "config hsc/twin": "1"}, {"package obs_subaru": "1"}
    assert not between(one, one | other, make).camera.known
    assert between(one | other, one | other, make).camera.unchanged
    other_stack = {"package scipy": "1"}
    assert between(one, one | other_stack, make).stack == Changes(("package scipy",), known=True)


def test_a_configuration_that_changed_for_others_too_is_the_stacks(make: Any) -> None:
    """So is one of which nothing else is known; another data set of the same camera is no other."""
    alone = {"config hsc/twin": "1", "config decam/twin": "1"}
    assert between(alone, alone | {"config hsc/twin": "2"}, make).camera.changed == ("config hsc/twin",)
    both = dict.fromkeys(alone, "2")
    assert between(alone, both, make).stack.changed == ("config hsc/twin",)
    single = {"config hsc/twin": "1", "config hsc/quick": "1"}
    assert between(single, single | {"config hsc/twin": "2"}, make).stack.changed == ("config hsc/twin",)


def test_a_camera_that_is_in_no_registry_owns_nothing(make: Any) -> None:
    """All packages that no other camera owns are the stack's."""
    window = make.window(package_afw="2", package_obs_subaru="2")
    assert differences(window, ("new", "twin"), make.cameras).stack.changed == ("package afw",)
    assert differences(window, ("new", "twin"), {}).stack.changed == ("package afw", "package obs_subaru")


def test_changes_of_the_stack_while_all_was_well_are_kept(make: Any) -> None:
    """Of the runs before the good one, each against the next, and each fact once."""
    base = {"package afw": "1", "package obs_subaru": "1", "host": "a"}
    found = between(
        base | {"package afw": "3"},
        base | {"package afw": "3"},
        make,
        base | {"package afw": "2", "host": "b"},
        base | {"package obs_subaru": "2"},
    )
    assert found.before == ("package afw",)
    assert found.changed == ()


def test_the_data_of_all_may_change_at_once(make: Any) -> None:
    """Which takes two data sets of which both runs know, and none that stayed."""
    two = {"data hsc/twin": "1", "data decam/twin": "1", "data bands": "r"}
    assert between(two, two | dict.fromkeys(("data hsc/twin", "data decam/twin"), "2"), make).data_of_all
    assert not between(two, two | {"data hsc/twin": "2"}, make).data_of_all
    one = {"data hsc/twin": "1"}
    assert not between(one, {"data hsc/twin": "2"}, make).data_of_all


@pytest.mark.parametrize("side", [0, 1])
def test_a_run_that_lost_a_package_does_not_know_the_stack(make: Any, side: int) -> None:
    """Nor does one that does not say how many there were."""
    for packages in ("2", ""):
        facts = [{"package afw": "1"}, {"package afw": "1"}]
        facts[side]["packages"] = packages
        assert not between(*facts, make).stack.known
