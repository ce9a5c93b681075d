from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from obs_registry.loader import parse_camera, read_file
from obs_registry.model import Camera, Stored

if TYPE_CHECKING:
    from pathlib import Path

STORED = """\
  - name: ci
    kind: butler
    lane: nightly
    bands: [r]
    repository: $CURIO_DIR/DATA
    collections: [Curio/defaults]
    pipeline: ${PIPE_DIR}/curio.yaml#step1
    bundles: ["*_metrics"]
"""
ENTRY: dict[str, Any] = {
    "name": "ci",
    "kind": "butler",
    "lane": "nightly",
    "bands": ["r"],
    "repository": "$CURIO_DIR/DATA",
    "collections": ["Curio/defaults"],
    "pipeline": "${PIPE_DIR}/curio.yaml",
    "bundles": ["*_metrics"],
}


def faults(text: str) -> list[str]:
    """Return the faults of a camera file's text, without its name."""
    return [str(one).removeprefix("curio.yaml:") for one in parse_camera(text, "curio.yaml").faults]


def test_the_kind_tells_data_sets_apart(sound: str) -> None:
    """Twins and repositories of others stand side by side, and survive the way through JSON."""
    camera = parse_camera(sound + STORED, "curio.yaml").camera
    assert camera is not None
    assert [one.kind for one in camera.datasets] == ["twin", "twin", "butler"]
    assert Camera.model_validate_json(camera.model_dump_json()) == camera


def test_the_variables_are_those_that_places_name() -> None:
    """Each once, also those of collections and of the queries of steps."""
    steps = [{"subset": "a", "query": "tract = $TRACT"}, {"subset": "b"}]
    one = Stored.model_validate(ENTRY | {"steps": steps, "collections": ["$CURIO_DIR/x"]})
    assert one.variables == ("CURIO_DIR", "PIPE_DIR", "TRACT")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (("kind: butler", "kind: gen2"), "datasets.2.kind: required one of twin, butler"),
        (("    kind: butler\n", ""), "datasets.2.kind: required this key, found nothing"),
        (("collections", "collection"), "datasets.2.collection: required one of the keys bands, bundles, collections"),
        (("*_metrics", "a/b"), "datasets.2.bundles.0: required the name of a dataset type, or a pattern with * or ?"),
        (("bands: [r]\n    repo", "bands: [z]\n    repo"), "datasets.2.bands.0: required a band the camera has"),
        (("DATA\n", 'DATA\n    query: "a\\nb"\n'), "datasets.2.query: required text on one line"),
        (
            ("DATA\n", "DATA\n    steps: [{subset: a}]\n"),
            "datasets.2.steps: required no steps of a pipeline that names its subset",
        ),
        (
            ("DATA\n", "DATA\n    config: {isr: {'a; import os': 1}}\n"),
            "datasets.2.config.isr.a; import os: required the name of a configuration field, such as measure.sigma",
        ),
    ],
)
def test_each_slip_is_told_at_its_key(sound: str, changes: tuple[str, str], line: str) -> None:
    """As in a file in which there is no union of kinds."""
    old, new = changes
    text = sound + STORED
    assert text.count(old) == 1
    assert [line in found for found in faults(text.replace(old, new))].count(True) == 1


def test_a_data_set_that_is_no_mapping_is_told(sound: str) -> None:
    """Text where a mapping should be."""
    assert faults(sound + "  - ci\n") == ["23: datasets.2: required a mapping, found 'ci'"]


def test_steps_are_different_and_have_the_configuration() -> None:
    """A subset is run once, and its own tasks are what is configured for it."""
    for changes, key in (
        ({"steps": [{"subset": "a"}, {"subset": "a"}]}, ("steps", 1, "subset")),
        ({"steps": [{"subset": "a"}], "config": {"isr": {"doBias": False}}}, ("config",)),
    ):
        with pytest.raises(ValidationError) as caught:
            Stored.model_validate(ENTRY | changes)
        assert [error["loc"] for error in caught.value.errors()] == [key]


def test_relative_places_are_seen_from_the_file(sound: str, tmp_path: Path) -> None:
    """A registry can bring its pipeline and its set-up script along; what has a variable or a scheme stays."""
    text = sound + STORED.replace("${PIPE_DIR}/curio.yaml", "pipelines/curio.yaml") + "runtime: {setup: setup.sh}\n"
    (tmp_path / "curio.yaml").write_text(text)
    camera = read_file(tmp_path / "curio.yaml").camera
    assert camera is not None
    stored = camera.datasets[2]
    assert isinstance(stored, Stored)
    assert stored.pipeline == f"{tmp_path.resolve()}/pipelines/curio.yaml#step1"
    assert stored.repository == "$CURIO_DIR/DATA"
    assert camera.runtime.setup == f"{tmp_path.resolve()}/setup.sh"
