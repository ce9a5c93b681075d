"""Baseline files: one metric a line, and refused with their line where they make no sense."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from qa.baselines import files
from qa.errors import DocumentError
from qa.model import Baseline, Scope, Unmeasured

if TYPE_CHECKING:
    from pathlib import Path

    from qa.judging.compare import Accepted

SCOPE = Scope("hsc", "twin", "r", 0)
TASK = Scope("hsc", "twin", task="isr")
ABSENT = Unmeasured("AM3", SCOPE, "too few")
VALUE = Baseline("PA1", SCOPE, 4.0, "mmag", 0.125, 0.5, "20260301T000000Z")
LEARNED = Baseline("middleware_cpu", TASK, 2.5, "s", None, 0.0, "x", learned=True)
TEXT = """\
{"accepted": [
{"absent": "too few", "band": "r", "metric": "AM3", "task": null, "tract": 0},
{"band": "r", "metric": "PA1", "run": "20260301T000000Z", "stderr": 0.125, "task": null, "tolerance": 0.5, \
"tract": 0, "unit": "mmag", "value": 4.0},
{"band": null, "learned": true, "metric": "middleware_cpu", "run": "x", "stderr": null, "task": "isr", \
"tolerance": 0.0, "tract": null, "unit": "s", "value": 2.5}
],
"camera": "hsc", "dataset": "twin", "document": "baselines", "schema": 1}
"""


def write(root: Path, *accepted: Accepted) -> Path:
    """Write what was accepted and return the file."""
    files.write(root, "hsc", "twin", accepted)
    return files.path_of(root, "hsc", "twin")


def test_the_text_of_a_file(tmp_path: Path) -> None:
    """Sorted, a line each; a spread says that it was learned, and nothing when it was not."""
    path = write(tmp_path, LEARNED, VALUE, ABSENT)
    assert path.read_text() == TEXT
    assert json.loads(TEXT)["camera"] == "hsc"
    assert files.load(tmp_path, "hsc", "twin") == {(one.metric, one.scope): one for one in (ABSENT, VALUE, LEARNED)}


def test_a_file_without_baselines(tmp_path: Path) -> None:
    """Is a file all the same."""
    assert write(tmp_path).read_text().startswith('{"accepted": [],\n')
    assert files.load(tmp_path, "hsc", "twin") == {}


def test_the_line_of_a_baseline(tmp_path: Path) -> None:
    """By metric and scope; None where there is none."""
    write(tmp_path, LEARNED, VALUE, ABSENT)
    assert [files.line_of(tmp_path, (one.metric, one.scope)) for one in (ABSENT, VALUE, LEARNED)] == [2, 3, 4]
    assert files.line_of(tmp_path, ("PA1", TASK)) is None
    assert files.line_of(tmp_path, ("PA1", Scope("decam", "twin", "r", 0))) is None


def test_a_line_that_is_none_is_not_found(tmp_path: Path) -> None:
    """A file may be broken in between."""
    path = write(tmp_path, VALUE)
    path.write_text(path.read_text().replace('"value": 4.0}', '"value": 4.0'))
    assert files.line_of(tmp_path, ("PA1", SCOPE)) is None


@pytest.mark.parametrize(
    ("old", "new", "line", "found"),
    [
        ('"schema": 1', '"schema": 2', 6, "Input should be 1 at schema, got 2"),
        ('"document": "baselines"', '"document": "plan"', 6, "Input should be 'baselines' at document, got 'plan'"),
        ('"camera": "hsc"', '"camera": "decam"', 6, "baselines of decam/twin"),
        ('"value": 4.0', '"value": NaN', 3, "Input should be a finite number at accepted.1.value, got nan"),
        ('"value": 4.0', '"value": 1e999', 3, "Input should be a finite number at accepted.1.value, got inf"),
        ('"value": 4.0', '"value": "4.0"', 3, "Input should be a valid number at accepted.1.value, got '4.0'"),
        ('"value": 4.0', '"value": 4.0, "value": 5.0', 3, "the key 'value' twice of PA1"),
        ('"stderr": 0.125', '"stderr": -0.125', 3, "greater than or equal to 0 at accepted.1.stderr, got -0.125"),
        ('"tolerance": 0.5', '"tolerance": -0.5', 3, "greater than or equal to 0 at accepted.1.tolerance, got -0.5"),
        ('"learned": true', '"learned": "yes"', 4, "Input should be a valid boolean at accepted.2.learned, got 'yes'"),
        ('"unit": "mmag", ', "", 3, "Field required at accepted.1.unit"),
        ('"metric": "PA1"', '"metric": "AM3"', 3, "two lines of AM3 of hsc/twin/r/t0"),
        ('"value": 4.0},', '"value": 4.0}', 4, "text that is not JSON (Expecting ',' delimiter)"),
        ('{"absent"', "<<<<<<< ours\n{", 2, "a merge conflict; resolve it"),
        ('{"absent"', "=======\n{", 2, "a merge conflict; resolve it"),
        ('],\n"camera"', '],\n>>>>>>> theirs\n"camera"', 6, "a merge conflict; resolve it"),
    ],
)
def test_nonsense_is_refused_with_its_line(tmp_path: Path, old: str, new: str, line: int, found: str) -> None:
    """One line: file, line, what was required and what was found."""
    path = write(tmp_path, LEARNED, VALUE, ABSENT)
    assert old in TEXT
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(DocumentError) as refused:
        files.load(tmp_path, "hsc", "twin")
    message = str(refused.value)
    assert message.startswith(f"{path}:{line}: must be baselines of hsc/twin, schema 1, one a line, found ")
    assert found in message
    assert "\n" not in message


@pytest.mark.parametrize("body", [b"[]", b"4", b"\xff\xfe", b"", b'{"a": "\x01"}', b'{"a": 1, "a": "\\ud83d"}'])
def test_what_is_no_file_of_baselines_at_all(tmp_path: Path, body: bytes) -> None:
    """Is refused in one line."""
    path = write(tmp_path)
    path.write_bytes(body)
    with pytest.raises(DocumentError, match="must be baselines of hsc/twin"):
        files.load(tmp_path, "hsc", "twin")


def test_all_files_are_read(tmp_path: Path) -> None:
    """Of all cameras and data sets, in their order."""
    write(tmp_path, VALUE)
    other = Baseline("PA1", Scope("decam", "quick", "r", 0), 4.0, "mmag", None, 0.0, "x")
    files.write(tmp_path, "decam", "quick", [other])
    assert files.data_sets(tmp_path) == [("decam", "quick"), ("hsc", "twin")]
    assert list(files.load_all(tmp_path).values()) == [other, VALUE]


def test_a_value_that_json_has_not_is_never_written(tmp_path: Path) -> None:
    """NaN does not travel."""
    bad: Any = Baseline("PA1", SCOPE, float("nan"), "mmag", None, 0.0, "x")
    with pytest.raises(ValueError, match="finite"):
        write(tmp_path, bad)
    assert not files.path_of(tmp_path, "hsc", "twin").exists()
