"""Where obsqa reads and writes: from the environment, overridden by options."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from qa.locations import regression_data

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Settings:
    """The folders of one invocation.

    `runs` holds run directories and the history, `cache` the drawn pixels, `regression_data` baselines, ledger
    and sky recipes, `registry` further folders of camera files.
    """

    runs: Path
    cache: Path
    regression_data: Path
    registry: tuple[Path, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, *, cwd: Path | None = None) -> Self:
        """Read `OBSQA_RUNS`, `OBSQA_CACHE`, `OBSQA_REGRESSION_DATA` and `OBSQA_REGISTRY` (a path list)."""
        here = cwd or Path.cwd()
        return cls(
            runs=Path(environ.get("OBSQA_RUNS", here / "runs")),
            cache=Path(environ["OBSQA_CACHE"]) if "OBSQA_CACHE" in environ else _user_cache(),
            regression_data=Path(environ.get("OBSQA_REGRESSION_DATA", _nearest_regression_data(here))),
            registry=tuple(Path(part) for part in environ.get("OBSQA_REGISTRY", "").split(os.pathsep) if part),
        )

    def override(self, *, runs: Path | None = None, registry: tuple[Path, ...] = ()) -> Self:
        """Return these settings with what was given on the command line."""
        return replace(self, runs=runs or self.runs, registry=(*self.registry, *registry))


def _user_cache() -> Path:
    from platformdirs import user_cache_path  # noqa: PLC0415 - only where no cache is named

    return user_cache_path("obsqa", appauthor=False)


def _nearest_regression_data(here: Path) -> Path:
    """Prefer the working folder's own data: baselines are accepted into a checkout, not into site-packages."""
    local = here / "regression_data"
    return local if (local / "skies").is_dir() else regression_data()
