"""The JSON schema of a camera file, made from the types: for editors, and for the reference documentation."""

from __future__ import annotations

from typing import Any

from obs_registry.loader import SCHEMA
from obs_registry.model import Camera


def camera_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a camera file."""
    body = Camera.model_json_schema()
    number = {"const": SCHEMA, "description": "The version of the file format.", "title": "Schema"}
    return body | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "obsqa camera",
        "properties": {"schema": number} | body["properties"],
        "required": ["schema", *body["required"]],
    }
