"""Where obsqa reads and writes: from the environment, overridden by options."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Self

from qa.locations import regression_data

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Settings:
    """The folders of one invocation.

    `runs` holds run directories and the history, `cache` the drawn pixels, `regression_data` baselines, ledger
    and sky recipes, `registry` further folders of camera files,
    `subscriptions` is the file that says who is told what after a run. `store` is the address of a history that is
    shared, which may hold a password, `artifacts` where reports and records are put too: any URI of lsst.resources.
    """

    runs: Path
    cache: Path
    regression_data: Path
    registry: tuple[Path, ...] = ()
    subscriptions: Path | None = None
    store: str = field(default="", repr=False)
    artifacts: str = field(default="", repr=False)

    @property
    def tag(self) -> str:
        """What tells this machine's runs from those of others that share its history; '' when it shares none."""
        place = f"{platform.node()}:{self.runs.absolute()}"
        return sha256(place.encode()).hexdigest()[:6] if self.store else ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, *, cwd: Path | None = None) -> Self:
        """Read `OBSQA_RUNS`, `OBSQA_CACHE`, `OBSQA_REGRESSION_DATA`, `OBSQA_REGISTRY` (a path list) and the like.

        `OBSQA_REGRESSION_DATA` is a folder, or the URI of a published copy, which is fetched.

        Raises
        ------
        InfrastructureError
            If regression data are to be fetched and never could be.
        """
        here = cwd or Path.cwd()
        cache = Path(environ["OBSQA_CACHE"]) if "OBSQA_CACHE" in environ else _user_cache()
        data = environ.get("OBSQA_REGRESSION_DATA", "")
        return cls(
            runs=Path(environ.get("OBSQA_RUNS", here / "runs")),
            cache=cache,
            regression_data=_regression_data(data, cache) if data else _nearest_regression_data(here),
            registry=tuple(Path(part) for part in environ.get("OBSQA_REGISTRY", "").split(os.pathsep) if part),
            subscriptions=Path(environ["OBSQA_SUBSCRIPTIONS"]) if environ.get("OBSQA_SUBSCRIPTIONS") else None,
            store=environ.get("OBSQA_STORE", ""),
            artifacts=environ.get("OBSQA_ARTIFACTS", ""),
        )

    @classmethod
    def without_data(cls) -> Self:
        """Read the environment for what needs no regression data: published ones are not fetched."""
        return cls.from_environment({name: one for name, one in os.environ.items() if name != "OBSQA_REGRESSION_DATA"})

    def override(self, *, runs: Path | None = None, registry: tuple[Path, ...] = ()) -> Self:
        """Return these settings with what was given on the command line."""
        return replace(self, runs=runs or self.runs, registry=(*self.registry, *registry))


def _regression_data(place: str, cache: Path) -> Path:
    if "://" not in place:
        return Path(place)
    import click  # noqa: PLC0415 - only where data are published

    from qa.stores.regression import fetched  # noqa: PLC0415

    return fetched(place, cache / "regression-data", lambda line: click.echo(line, err=True))


def _user_cache() -> Path:
    from platformdirs import user_cache_path  # noqa: PLC0415 - only where no cache is named

    return user_cache_path("obsqa", appauthor=False)


def _nearest_regression_data(here: Path) -> Path:
    """Prefer the working folder's own data: baselines are accepted into a checkout, not into site-packages."""
    local = here / "regression_data"
    return local if (local / "skies").is_dir() else regression_data()
