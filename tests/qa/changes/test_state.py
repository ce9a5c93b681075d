from __future__ import annotations

from dataclasses import replace

import pytest

from qa.changes import State, dump, load
from qa.changes.state import Level
from qa.errors import DocumentError
from qa.testing import NOW

STATE = State(NOW, "a", missing=True, level=Level(2, (0.1, 1 / 3), (NOW, NOW), excursion=(NOW, 9.0, 1.5)))


def test_a_state_survives_json() -> None:
    """To the last bit."""
    assert load(dump(STATE)) == STATE
    assert load(dump(STATE).encode()) == STATE


@pytest.mark.parametrize("text", ["", "{}", "[1", '{"last": "yesterday"}', "<<<<<<< HEAD"])
def test_nonsense_is_refused(text: str) -> None:
    """In one line that says what was required."""
    with pytest.raises(
        DocumentError,
        match=r"^state of the change detector: must be JSON of schema 2, found [14] validation errors? for State$",
    ) as no:
        load(text)
    assert "\n" not in str(no.value)


def test_another_schema_is_refused() -> None:
    """Its numbers may mean something else."""
    text = dump(replace(STATE, schema=1))
    with pytest.raises(
        DocumentError, match=r"^state of the change detector: must be JSON of schema 2, found schema 1$"
    ):
        load(text)
