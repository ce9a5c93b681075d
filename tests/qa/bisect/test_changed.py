from __future__ import annotations

from qa.bisect import Changed, changed_packages


def test_only_packages_that_differ_are_changed() -> None:
    """Packages are compared by their facts, in the order of the alphabet; other facts are named."""
    good = {"package b": "1", "package a": "1", "package same": "1", "host": "x", "os": "y"}
    bad = {"package b": "2", "package a": "3", "package same": "1", "host": "z", "os": "y", "cpu": "new"}
    difference = changed_packages(good, bad)
    assert difference.packages == (Changed("a", "1", "3"), Changed("b", "1", "2"))
    assert difference.others == ("cpu", "host")
    assert difference.one_sided == ()
    assert difference.same == {"same": "1"}


def test_a_package_of_one_run_is_told_apart() -> None:
    """What only one of the runs has cannot be exchanged."""
    assert changed_packages({"package a": "1"}, {"package b": "1"}).one_sided == ("a", "b")


def test_the_revision_of_obsqa_is_that_of_its_package() -> None:
    """The revision of obsqa's own checkout counts, its version does not."""
    good = {"package obsqa": "0.1.0", "revision": "aaaa"}
    difference = changed_packages(good, {"package obsqa": "0.1.0", "revision": "bbbb"})
    assert difference.packages == (Changed("obsqa", "aaaa", "bbbb"),)
    assert difference.others == ()


def test_uncommitted_changes_are_told_and_taken_off() -> None:
    """A dirty checkout is repeated without its changes, which may be what brought it."""
    difference = changed_packages(
        {"package a": "1-dirty", "package b": "1"}, {"package a": "2", "package b": "1-dirty"}
    )
    assert difference.packages == (Changed("a", "1", "2", ("good",)),)
    assert difference.others == ("uncommitted changes of a", "uncommitted changes of b")


def test_the_digest_of_uncommitted_changes_is_taken_off_too() -> None:
    """The commit is what a trial can repeat; of two different changes of one commit it can repeat neither."""
    difference = changed_packages({"package a": "1-dirty-aaaa"}, {"package a": "2-dirty-bbbb"})
    assert difference.packages == (Changed("a", "1", "2", ("good", "bad")),)
    difference = changed_packages({"package a": "1-dirty-aaaa"}, {"package a": "1-dirty-bbbb"})
    assert difference.packages == ()
    assert difference.others == ("uncommitted changes of a",)
