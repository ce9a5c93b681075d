"""Groovy, as npm-groovy-lint brings it or from the PATH, and that tool itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
STUB = Path(__file__).with_name("stub.groovy")
JARS = "lib/java/groovy/lib"
PATIENCE = 120.0


@dataclass(frozen=True)
class Outcome:
    """How a build of the stub went: its result, or why the stub refused the file, and everything that was called."""

    result: str = ""
    refused: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)

    def steps(self, name: str, cell: str = "") -> list[dict[str, Any]]:
        """Return the calls of one step, of one camera's cell if that is named."""
        cells = [one for one in self.calls if not cell or one.get("cell", {}).get("CAMERA") == cell]
        return [one for one in cells if one.get("step") == name]

    @property
    def shown(self) -> list[str]:
        """The stages that were entered, the steps and the post conditions, in order and in few words."""
        return [line for one in self.calls if (line := _line(one))]


def _line(call: dict[str, Any]) -> str:
    if "post" in call:
        return f"post {call['post']}"
    where = call.get("cell", {}).get("CAMERA") or call.get("stage", "post")
    if "step" in call:
        what = " ".join(str(call.get("script", "")).split())
        return f"{where}: {call['step']}" + (f" {what}" if what and len(what) <= 90 else "")
    return f"{where}: failed: {call['failed']}" if "failed" in call else ""


def lint_folder() -> Path | None:
    """Return where npm-groovy-lint is: in OBSQA_NODE_MODULES, beside the Jenkinsfile, or behind its command."""
    command = shutil.which("npm-groovy-lint")
    places = [Path(os.environ["OBSQA_NODE_MODULES"])] if "OBSQA_NODE_MODULES" in os.environ else []
    found = [place / "npm-groovy-lint" for place in (*places, ROOT / "node_modules")]
    found += list(Path(command).resolve().parents) if command else []
    return next((place for place in found if (place / JARS).is_dir()), None)


@pytest.fixture(scope="session")
def groovy(unavailable: Callable[[str, str], None]) -> list[str]:
    """Return the command that runs a Groovy script."""
    folder, java = lint_folder(), shutil.which("java")
    if folder is not None and java is not None:
        return [java, "-XX:TieredStopAtLevel=1", "-cp", str(folder / JARS / "*"), "groovy.ui.GroovyMain"]
    if command := shutil.which("groovy"):
        return [command]
    unavailable("groovy", "neither npm-groovy-lint with java nor groovy is installed (npm install npm-groovy-lint)")
    raise AssertionError


@pytest.fixture(scope="session")
def builds(groovy: list[str], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Outcome]]:
    """Return a function that carries the Jenkinsfile out for some scenarios, in one process for all."""

    def run(scenarios: list[dict[str, Any]]) -> list[Outcome]:
        file = tmp_path_factory.mktemp("jenkinsfile") / "scenarios.json"
        file.write_text(json.dumps(scenarios))
        command = [*groovy, str(STUB), str(ROOT / "Jenkinsfile"), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr
        return [Outcome(**one) for one in json.loads(done.stdout)]

    return run


@pytest.fixture(scope="session")
def lint(unavailable: Callable[[str, str], None]) -> list[str]:
    """Return the command of npm-groovy-lint."""
    folder, node = lint_folder(), shutil.which("node")
    if folder is None or node is None or shutil.which("java") is None:
        unavailable("groovy-lint", "npm-groovy-lint with node and java is not installed (npm install npm-groovy-lint)")
        raise AssertionError
    return [node, str(folder / "lib" / "index.js"), "--noserver", "--failon", "error"]
