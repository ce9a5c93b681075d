"""The state of the world a run took place in: software, host, Python."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "obsqa",
    "astro-metadata-translator",
    "astropy",
    "galsim",
    "lsst-ctrl-mpexec",
    "lsst-daf-butler",
    "lsst-pipe-base",
    "numba",
    "numpy",
    "scipy",
    "sep",
)


def collect() -> dict[str, str]:
    """Return facts by name; what is not installed or not known is left out."""
    facts = {
        "host": platform.node(),
        "os": platform.platform(),
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "revision": _revision(Path(__file__).resolve().parent),
    }
    facts |= {f"package {name}": version for name in PACKAGES if (version := _version(name))}
    return {name: value for name, value in facts.items() if value}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def _revision(folder: Path) -> str:
    """Return the git revision of a checkout, marked when it has uncommitted changes; '' outside one."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
