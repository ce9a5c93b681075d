from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from qa.errors import DocumentError
from qa.foreign.testing import a_benchmark, a_bundle, a_job
from qa.model import Measurement, Scope, Unmeasured
from qa.suites.metrics import read

if TYPE_CHECKING:
    from pathlib import Path

SCOPE = Scope("archive", "queries")
QUERY = {
    "name": "query_seconds",
    "value": 0.31,
    "unit": "s",
    "direction": "lower",
    "n": 200,
    "stderr": 0.02,
    "text": "T.",
}


def _written(tmp_path: Path, document: Any) -> Path:
    path = tmp_path / "metrics.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_the_plain_format_gives_measurements_with_definitions(tmp_path: Path) -> None:
    """Under the name of the service, so that two services may call theirs the same."""
    absent = {"name": "tiles", "value": None, "direction": "higher", "reason": "the cache was off"}
    found = read(_written(tmp_path, {"schema": 1, "metrics": [QUERY, absent]}), SCOPE)
    assert found.results == (
        Measurement("archive.query_seconds", SCOPE, 0.31, "s", 200, 0.02),
        Unmeasured("archive.tiles", SCOPE, "the cache was off"),
    )
    first, second = found.definitions
    assert (first.name, first.unit, first.direction, first.text) == ("archive.query_seconds", "s", "lower", "T.")
    assert second.direction == "higher"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{", "not JSON"),
        ("[]", "list at the top"),
        ({"schema": 1, "metrics": []}, "metrics"),
        ({"schema": 2, "metrics": [QUERY]}, "schema"),
        ({"schema": 1, "metrics": [QUERY | {"value": "fast"}]}, "metrics.0.value"),
        ('{"schema": 1, "metrics": [{"name": "a", "value": NaN, "direction": "lower"}]}', "metrics.0.value"),
        ({"schema": 1, "metrics": [QUERY | {"name": "../../x"}]}, "metrics.0.name"),
        ({"schema": 1, "metrics": [QUERY | {"stderr": -1}]}, "metrics.0.stderr"),
        ({"schema": 1, "metrics": [QUERY | {"colour": "red"}]}, "metrics.0.colour"),
        ({"schema": 1, "metrics": [QUERY, QUERY]}, "query_seconds again"),
        ({"anything": "else"}, "bundle"),
    ],
)
def test_what_is_no_file_of_metrics_is_told_in_one_line(tmp_path: Path, document: Any, told: str) -> None:
    """With the first key that is wrong."""
    with pytest.raises(DocumentError, match=told) as caught:
        read(_written(tmp_path, document), SCOPE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("document", [a_benchmark(), a_bundle(), a_job()], ids=["benchmark", "bundle", "job"])
def test_files_of_other_programs_are_read_as_they_are(tmp_path: Path, document: Any) -> None:
    """Those that obsqa imports anyway, at the place of the suite."""
    found = read(_written(tmp_path, document), SCOPE)
    assert found.results
    assert {(one.scope.camera, one.scope.dataset) for one in found.results} == {("archive", "queries")}
    assert {one.name for one in found.definitions} >= {one.metric for one in found.results}


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """In one line."""
    with pytest.raises(DocumentError, match="no such file"):
        read(tmp_path / "none.json", SCOPE)
