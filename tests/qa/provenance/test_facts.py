"""The facts of a run's world."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from obs_registry.loader import load_registry
from obs_registry.model import Stored
from qa.blame.facts import count_packages
from qa.locations import regression_data
from qa.provenance.facts import AS_OF, collect, of_camera
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
    assert {"host", "os", "kernel", "cores", "memory", "python", "package obsqa"} <= facts.keys()
    assert all(facts.values())
    assert facts["packages"] == str(count_packages(facts))


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

    assert {name.partition(" ")[0] for name in digests()} == {"data", "config", "calibrations", "refcat", "pipeline"}
    assert rewritten(RECIPE.replace("a comment", "another")) == set()
    assert rewritten(RECIPE.replace("begin: 1", "begin: 2")) == {"data", "calibrations"}
    assert rewritten(RECIPE.replace("begin: 1", "begin: 2").replace("17", "18")) == {"data", "refcat"}
    assert not any("twin-quick" in name and "data" in name for name in collect([a_camera()], recipes=recipes))


def test_git_that_is_absent_costs_a_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the night."""
    monkeypatch.setenv("PATH", "")
    assert "revision" not in collect(environ={})


def test_calibrations_are_told_with_their_validity_and_as_of_a_day() -> None:
    """As of an earlier day they are others, and so the fact that blame looks at is; the data are the same."""
    hsc = next(camera for camera in load_registry(plugins=False).values() if camera.name == "hsc")

    def facts(day: date | None = None) -> dict[str, str]:
        return of_camera(hsc, regression_data(), environ={}, calibrations_as_of=day)

    today, then = facts(), facts(date(2018, 1, 18))
    assert "bias calibration-1 (made 2018-01-20) from 2018-01-20" in today["validity hsc/twin"]
    assert then["validity hsc/twin"].startswith("bias calibration-0 (made 2018-01-15) always")
    assert "calibration-1" not in then["validity hsc/twin"]
    assert {name.partition(" ")[0] for name in today if today[name] != then.get(name)} == {"calibrations", "validity"}
    assert facts(date(2018, 1, 1))["validity hsc/twin"] == ""
    assert collect(environ={}, calibrations_as_of=date(2018, 1, 18))[AS_OF] == "2018-01-18"


def test_a_repository_of_others_is_told_by_its_collections(tmp_path: Path) -> None:
    """Its pipeline with all that it imports and its configuration, its data by the query, its calibrations by name."""
    (tmp_path / "a.yaml").write_text("imports: b.yaml\n")
    (tmp_path / "b.yaml").write_text("tasks: {x: y}\n")
    body = {"name": "ci", "kind": "butler", "lane": "nightly", "bands": ["r"], "pipeline": "$PIPES/a.yaml#step1"}
    body |= {"repository": "$REPO", "collections": ["HSC/raw/all", "HSC/calib"], "bundles": ["metrics"]}

    def facts(**changes: object) -> dict[str, str]:
        camera = a_camera().model_copy(update={"datasets": (Stored.model_validate(body | changes),)})
        return of_camera(camera, tmp_path, environ={"PIPES": str(tmp_path), "REPO": "/repo"})

    def changed(**changes: object) -> set[str]:
        before, after = facts(), facts(**changes)
        return {name.partition(" ")[0] for name in before if before[name] != after[name]}

    assert facts()["calibrations testcam/ci"] == "HSC/calib"
    assert facts()["collections testcam/ci"] == "HSC/raw/all, HSC/calib"
    assert changed(query="visit = 1") == {"data"}
    assert changed(collections=["HSC/raw/all", "HSC/calib/2"]) == {"data", "calibrations", "collections"}
    assert changed(config={"x": {"y": 1}}) == {"config"}
    before = facts()
    (tmp_path / "b.yaml").write_text("tasks: {x: z}\n")
    assert {name for name, value in facts().items() if value != before[name]} == {"config testcam/ci"}
