"""The script that runs in the stack's environment: what of it needs no stack; the rest is tried in `toystack/`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qa.engines import stack_tool
from qa.engines.stack_tool import Fault, expand, main, software, standing_in, variables


def test_variables_are_filled_in_or_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty is not set; what is no variable stays."""
    monkeypatch.setenv("TOY_DIR", "/toy")
    monkeypatch.setenv("TOY_EMPTY", "")
    assert expand("$TOY_DIR/a${TOY_DIR}$") == "/toy/a/toy$"
    with pytest.raises(Fault, match=r"TOY_EMPTY must be set \(\$TOY_EMPTY/x needs it\), found none"):
        expand("$TOY_EMPTY/x")
    assert variables({"names": ["TOY_DIR", "TOY_EMPTY"]}) == {"unset": ["TOY_EMPTY"]}


def test_packages_of_eups_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With their versions; a variable that only looks like one is passed over."""
    monkeypatch.setenv("SETUP_AFW", "afw g12+3 -f Linux64 -Z /stack")
    monkeypatch.setenv("SETUP_NOTHING", "1")
    assert software({"names": []})["packages"]["afw"] == "g12+3"


@pytest.mark.parametrize(
    ("had", "held"),
    [("ab", "ab"), ("a-c", "aac"), ("--c-", "cccc"), ("-b-d-", "bbbdd"), ("--", "--"), ("", "")],
)
def test_what_there_was_holds_on_until_the_next(had: str, held: str) -> None:
    """And the first there was for the time before; where there was nothing, nothing stands in."""
    filled = standing_in([None if one == "-" else one for one in had])
    assert ["-" if one is None else one for one in filled] == list(held)


def ask(tmp_path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Put a question to the script in this process."""
    (tmp_path / "request.json").write_text(json.dumps(request))
    assert main([str(tmp_path / "request.json"), str(tmp_path / "answer.json")]) == 0
    answer: dict[str, Any] = json.loads((tmp_path / "answer.json").read_text())
    return answer


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"repository": "/nowhere"}, "the repository must be there, found nothing at /nowhere"),
        ({"repository": "x//me:secret@host/a"}, "the repository must be an absolute path or a URI, found x//host/a"),
        ({"repository": "a/b"}, "the repository must be an absolute path or a URI, found a/b"),
        ({"pipeline": "/nowhere.yaml#step1"}, "the pipeline must be there, found nothing at /nowhere.yaml"),
        ({"pipeline": "p.yaml"}, "the pipeline must be an absolute path or a URI, found p.yaml"),
        ({}, "pipetask must be on the PATH (a set-up script can put it there), found none"),
    ],
)
def test_a_fault_is_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], fault: str
) -> None:
    """What was required, and what was found; labels and addresses are the Butler's to judge."""
    monkeypatch.setenv("PATH", str(tmp_path))
    request = {"task": "look", "repository": "main", "pipeline": "https://x/p.yaml", "collections": [], "runs": []}
    assert ask(tmp_path, request | {"queries": [None]} | changes) == {"fault": fault}


def test_nothing_beside_the_script_is_taken_for_a_module(tmp_path: Path) -> None:
    """Its folder holds modules of obsqa's with names such as `container` that a stack may have, too."""
    (tmp_path / "r.json").write_text('{"task": "variables", "names": []}')
    here = str(Path(stack_tool.__file__).parent)
    code = f"import runpy, sys; sys.argv = ['t', 'r.json', 'a.json']; sys.path.insert(0, {here!r})\n"
    code += f"try: runpy.run_path({stack_tool.__file__!r}, run_name='__main__')\nexcept SystemExit: pass\n"
    code += "print(any(place.endswith('/qa/engines') for place in sys.path))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
