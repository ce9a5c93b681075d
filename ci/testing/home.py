"""A place of its own in which tests start obsqa as users do: runs, cache and regression data in one folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qa.journal import read_record, runs_under
from qa.locations import regression_data
from qa.metrics import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

OBSQA = str(Path(sysconfig.get_path("scripts")) / "obsqa")
PATIENCE = 240.0


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with runs, cache and a copy of the regression data of its own; `environ` is beside the usual one."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def without_baselines(cls, folder: Path) -> Place:
        """Make a place in an empty folder, where nothing was accepted yet."""
        shutil.copytree(regression_data(), folder / "regression_data")
        shutil.rmtree(folder / "regression_data" / "baselines", ignore_errors=True)
        (folder / "regression_data" / "ledger.yaml").unlink(missing_ok=True)
        return cls(folder)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start obsqa here."""
        environ = {
            **os.environ,
            "OBSQA_RUNS": str(self.folder / "runs"),
            "OBSQA_CACHE": str(self.folder / "cache"),
            "OBSQA_REGRESSION_DATA": str(self.folder / "regression_data"),
            "GIT_AUTHOR_NAME": "A Tester",
            "GIT_AUTHOR_EMAIL": "tester@example.org",
            **self.environ,
        }
        return subprocess.Popen(
            [OBSQA, *arguments],
            env=environ,
            text=True,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run obsqa here and return its exit code, stdout and stderr."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    @property
    def runs(self) -> list[Path]:
        """The run folders, oldest first."""
        return runs_under(self.folder / "runs")


def measured(run: Path) -> dict[object, object]:
    """Return what a run measured, timings aside."""
    definitions = catalogue()
    results = read_record(run).results
    return {(one.metric, one.scope): one for one in results if definitions[one.metric].family != "resources"}
