from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from obs_registry.model import Camera, Runtime, Stored
from qa.engines.availability import filled_in, stack_facts, unavailable, unset_here
from qa.errors import EngineError
from qa.testing import a_camera

if TYPE_CHECKING:
    from pathlib import Path

    from qa.engines.commands import Runner

SAID = "the environment variables CI_DIR and PIPE_DIR are not set"


def camera_with(runtime: Runtime | None = None, **changes: Any) -> Camera:
    """Build a camera with its twins and a data set in a repository of others."""
    body: dict[str, Any] = {
        "name": "ci",
        "kind": "butler",
        "lane": "nightly",
        "bands": ["r"],
        "repository": "$CI_DIR/DATA",
        "collections": ["a"],
        "pipeline": "$PIPE_DIR/p.yaml",
        "bundles": ["*_metrics"],
    }
    camera = a_camera()
    datasets = (*camera.datasets, Stored.model_validate(body | changes))
    return camera.model_copy(update={"datasets": datasets, "runtime": runtime or Runtime()})


def test_without_a_set_up_this_environment_decides() -> None:
    """Both variables are named; set, nothing is left out; empty is not set."""
    assert unavailable([camera_with()], "nightly", environ={}) == {("testcam", "ci"): SAID}
    assert unavailable([camera_with()], "nightly", environ={"CI_DIR": "/ci", "PIPE_DIR": "/pipe"}) == {}
    assert unavailable([camera_with()], "nightly", environ={"CI_DIR": "/ci", "PIPE_DIR": ""}) == {
        ("testcam", "ci"): "the environment variable PIPE_DIR is not set"
    }
    assert unset_here(camera_with(), environ={}) == {"ci": SAID}


def test_other_lanes_and_plain_paths_are_not_asked_about() -> None:
    """A twin needs nothing, nor does a repository without variables."""
    assert unavailable([camera_with()], "commit", environ={}) == {}
    assert unavailable([camera_with(repository="/r", pipeline="/p.yaml")], "nightly", environ={}) == {}


def test_behind_a_set_up_script_its_environment_decides(tmp_path: Path) -> None:
    """What the script sets is there, what it does not is missing, whatever this environment says."""
    script = tmp_path / "setup.sh"
    script.write_text("export CI_DIR=/ci\nunset PIPE_DIR\n")
    camera = camera_with(Runtime(setup=str(script)))
    assert unavailable([camera], "nightly", environ={"PIPE_DIR": "/pipe"}) == {
        ("testcam", "ci"): "the environment variable PIPE_DIR is not set"
    }
    assert unset_here(camera, environ={}) == {}
    script.write_text("false\n")
    assert unavailable([camera], "nightly", environ={}) == {}


def test_the_packages_of_a_set_up_are_facts(tmp_path: Path) -> None:
    """Those of EUPS with their versions, each with the camera whose environment it is; only for what is planned."""
    script = tmp_path / "setup.sh"
    script.write_text('export SETUP_AFW="afw g1234+5 -f Linux64 -Z /stack"\n')
    camera = camera_with(Runtime(setup=str(script)))
    facts = stack_facts([camera], [("testcam", "ci")])
    assert facts["package afw@testcam"] == "g1234+5"
    assert "package python@testcam" in facts
    assert stack_facts([camera], [("testcam", "twin")]) == {}
    assert stack_facts([camera_with()], [("testcam", "ci")]) == {}


@dataclass(frozen=True)
class Gone:
    """Stands for a container engine that does not answer."""

    @classmethod
    def of(cls, _runtime: Runtime) -> Runner:
        """Refuse."""
        msg = "no Docker Engine answers"
        raise EngineError(msg)


def test_an_environment_that_cannot_be_asked_leaves_nothing_out() -> None:
    """The step that needs it fails, and says why."""
    camera = camera_with(Runtime(image="stack:w_2026_40"))
    assert unavailable([camera], "nightly", environ={}, runner=Gone.of) == {}
    assert stack_facts([camera], [("testcam", "ci")], runner=Gone.of) == {}


@pytest.mark.parametrize(("text", "filled"), [("$A/x", "1/x"), ("${A}b$B", "1b$B"), ("a$", "a$"), ("plain", "plain")])
def test_what_is_set_is_filled_in(text: str, filled: str) -> None:
    """The rest stays as it is."""
    assert filled_in(text, {"A": "1"}) == filled
