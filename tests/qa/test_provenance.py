"""The facts of a run's world."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qa import provenance
from qa.blame.facts import count_packages
from qa.provenance import collect
from qa.testing import a_camera

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = """# a comment
camera: testcam
epochs:
  - {begin: 1}
reference: {brightest: 17.0}
visits: [1]
"""


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    """Write a recipe."""
    (tmp_path / "skies").mkdir()
    (tmp_path / "skies" / "testcam.yaml").write_text(RECIPE)
    return tmp_path


def test_facts_name_machine_software_and_how_many_packages() -> None:
    """And are never empty."""
    facts = collect(environ={})
    assert {"host", "os", "cores", "memory", "python", "package obsqa"} <= facts.keys()
    assert all(facts.values())
    assert facts["packages"] == str(count_packages(facts))


def test_only_named_variables_are_read() -> None:
    """Threads, language and what EUPS set up; no password ever gets in."""
    environ = {
        "OMP_NUM_THREADS": "2",
        "NUMBA_NUM_THREADS": "1",
        "LANG": "C",
        "SETUP_AFW": "afw 29.1.0 -f Linux64",
        "AFW_DIR": "/nowhere",
        "SETUP_ODD": "other 1",
        "API_TOKEN": "hunter2",
    }
    facts = collect(environ=environ)
    assert facts["threads"] == "NUMBA 1, OMP 2"
    assert facts["locale"] == "C"
    assert facts["package afw"] == "29.1.0"
    assert not any("hunter2" in value or "other" in name for name, value in facts.items())


def test_a_local_checkout_of_eups_has_a_revision(tmp_path: Path) -> None:
    """And its version where it is no checkout."""
    environ = {"SETUP_AFW": f"afw LOCAL:{tmp_path}", "AFW_DIR": str(tmp_path), "GIT_DIR": str(tmp_path)}
    assert collect(environ=environ)["package afw"] == f"LOCAL:{tmp_path}"


def test_digests_follow_what_a_recipe_says_and_not_its_comments(recipes: Path) -> None:
    """The calibrations and the reference catalogue have their own."""

    def digests() -> dict[str, str]:
        facts = collect([a_camera()], recipes=recipes, environ={})
        return {name: value for name, value in facts.items() if name.endswith("testcam/twin")}

    def rewritten(text: str) -> set[str]:
        before = digests()
        (recipes / "skies" / "testcam.yaml").write_text(text)
        after = digests()
        return {name.partition(" ")[0] for name in before if before[name] != after[name]}

    assert {name.partition(" ")[0] for name in digests()} == {"data", "config", "calibrations", "refcat"}
    assert rewritten(RECIPE.replace("a comment", "another")) == set()
    assert rewritten(RECIPE.replace("begin: 1", "begin: 2")) == {"data", "calibrations"}
    assert rewritten(RECIPE.replace("begin: 1", "begin: 2").replace("17", "18")) == {"data", "refcat"}
    assert not any("twin-quick" in name and "data" in name for name in collect([a_camera()], recipes=recipes))


def test_git_that_is_absent_or_slow_costs_a_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the night."""
    monkeypatch.setenv("PATH", "")
    assert "revision" not in collect(environ={})
    assert provenance._answer(None) == ""
