from __future__ import annotations

import json

from obs_registry.loader import SCHEMA
from obs_registry.model import Camera
from obs_registry.schema import camera_schema


def test_the_schema_knows_every_key_of_a_camera_and_the_number_of_the_format() -> None:
    """An editor that follows the schema completes every key."""
    schema = camera_schema()
    assert list(schema["properties"]) == ["schema", *Camera.model_fields]
    assert schema["properties"]["schema"]["const"] == SCHEMA
    assert {"schema", "name", "title", "package", "instrument"} == set(schema["required"])


def test_the_schema_refuses_unknown_keys_at_every_level() -> None:
    """As the reader does."""
    schema = camera_schema()
    models = [schema, *(part for part in schema["$defs"].values() if part["type"] == "object")]
    assert len(models) == 16
    assert all(model["additionalProperties"] is False for model in models)


def test_the_schema_is_json() -> None:
    """It can be written to a file."""
    assert json.loads(json.dumps(camera_schema())) == camera_schema()
