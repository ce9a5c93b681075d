"""The state of the world a run took place in: software, data, configuration, host. Facts by name, none of them secret.

Only what is named here is read: of the environment the numbers of threads, the language and the packages an EUPS stack
has set up, never a variable that could hold a password.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from obs_registry.model import OwnRaws
from qa.blame.facts import count_packages
from qa.twins.cache import DRAWING_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from obs_registry.model import Camera, Dataset

PACKAGES = (
    "obsqa",
    "astro-metadata-translator",
    "astropy",
    "galsim",
    "lsst-ctrl-mpexec",
    "lsst-daf-butler",
    "lsst-pex-config",
    "lsst-pipe-base",
    "lsst-resources",
    "lsst-sphgeom",
    "lsst-utils",
    "numba",
    "numpy",
    "pyarrow",
    "scipy",
    "sep",
)
THREADS = ("MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
SECONDS = 10.0
"""Longest wait for git."""

_ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"^(\w+):", re.MULTILINE)


def collect(
    cameras: Iterable[Camera] = (), *, recipes: Path | None = None, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return facts by name; what is not installed or not known is left out.

    Parameters
    ----------
    cameras
        Those whose own packages, data, configuration and containers are told of.
    recipes
        The folder that holds `skies/`.
    environ
        The environment the pipelines run in.
    """
    known = tuple(cameras)
    facts = {
        "host": platform.node(),
        "os": platform.platform(),
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "python": platform.python_version(),
        "threads": ", ".join(f"{name.split('_')[0]} {environ[name]}" for name in THREADS if environ.get(name)),
        "locale": environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "",
    }
    facts |= _packages((*PACKAGES, *(camera.package.name for camera in known)), environ)
    for camera in known:
        facts |= _of_camera(camera, recipes)
    known_facts = {name: value for name, value in sorted(facts.items()) if value}
    return known_facts | {"packages": str(count_packages(known_facts))}


def _packages(names: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return versions; of what is a checkout the revision, all of them asked at once, for git takes its time."""
    found = {name: _installed(name) for name in dict.fromkeys(names)} | dict(_eups(environ))
    checkouts = {name: folder for name, (_, folder) in found.items() if folder is not None and name != "obsqa"}
    asked = {name: _ask(folder) for name, folder in checkouts.items()}
    own = _ask(_ROOT)
    revisions = {name: _answer(process) for name, process in asked.items()}
    facts = {f"package {name}": revisions.get(name) or version for name, (version, _) in found.items()}
    return facts | {"revision": _answer(own)}


def _installed(name: str) -> tuple[str, Path | None]:
    """Return the version of a distribution, and its folder where it is an editable one."""
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return "", None
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if commit := origin.get("vcs_info", {}).get("commit_id"):
        return commit, None
    editable = origin.get("dir_info", {}).get("editable", False)
    return distribution.version, Path(unquote(urlsplit(origin["url"]).path)) if editable else None


def _eups(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, Path | None]]]:
    """Yield the packages that an EUPS stack has set up: `SETUP_AFW` holds `afw VERSION ...`, `AFW_DIR` the folder.

    A version `LOCAL:...` is a folder of the user's own.
    """
    for variable, value in environ.items():
        words = value.split()
        if variable.startswith("SETUP_") and len(words) > 1 and words[0].upper() == variable[len("SETUP_") :]:
            folder = environ.get(f"{words[0].upper()}_DIR")
            local = words[1].startswith("LOCAL:")
            yield words[0], (words[1], Path(folder) if local and folder else None)


def _ask(folder: Path) -> subprocess.Popen[str] | None:
    """Ask git for the revision of a checkout, marked when it has uncommitted changes."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12", "--match="]
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:
        return None


def _answer(process: subprocess.Popen[str] | None) -> str:
    """Return what git says; '' outside a checkout, or when it takes too long."""
    if process is None:
        return ""
    with process:
        try:
            answer, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return ""
    return answer.strip() if process.returncode == 0 else ""


def _of_camera(camera: Camera, recipes: Path | None) -> dict[str, str]:
    facts = {f"container {camera.name}": camera.runtime.image or ""}
    for dataset in camera.datasets:
        place = f"{camera.name}/{dataset.name}"
        setup = _text(Path(camera.runtime.setup)) if camera.runtime.setup else ""
        pipeline = _text(_ROOT / dataset.pipeline)
        facts[f"config {place}"] = _digest(pipeline, setup, *dataset.bands) if pipeline else ""
        if recipes is not None and not isinstance(dataset, OwnRaws):
            facts |= _of_recipe(place, dataset, recipes)
    return facts


def _of_recipe(place: str, dataset: Dataset, recipes: Path) -> dict[str, str]:
    """Return digests of what is drawn, and of its calibrations and reference catalogue by themselves."""
    recipe = _text(recipes / "skies" / f"{dataset.sky}.yaml")
    if not recipe:
        return {}
    ends = [*(found.start() for found in _BLOCK.finditer(recipe)), len(recipe)]
    blocks = {recipe[start:end].partition(":")[0]: recipe[start:end] for start, end in pairwise(ends)}
    drawn = str(DRAWING_VERSION)
    return {
        f"data {place}": _digest(drawn, dataset.name, recipe),
        f"calibrations {place}": _digest(drawn, blocks.get("epochs", "")),
        f"refcat {place}": _digest(drawn, blocks.get("reference", "")),
    }


def _text(path: Path) -> str:
    """Return what a YAML file or script says, without comments and empty lines; '' where it cannot be read."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    return "\n".join(line.rstrip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return ""
    return f"{size / 2**30:.1f} GiB"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
