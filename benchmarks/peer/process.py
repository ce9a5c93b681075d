"""Running one step of a chain in a process of its own, and what it cost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).resolve().parents[2]

PACKAGES = {"source-extractor": "source-extractor", "scamp": "scamp", "SWarp": "swarp", "psfex": "psfex"}
"""Debian package of each program."""

SINGLE = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds (user and system) and wall seconds, summed, and the peak of memory of the largest process in MiB."""

    cpu: float = 0.0
    wall: float = 0.0
    peak: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        """Cost of one after the other."""
        return Cost(self.cpu + other.cpu, self.wall + other.wall, max(self.peak, other.peak))


class StepError(Exception):
    """A step of a chain did not end well."""

    def __init__(self, command: Sequence[str], code: int, log: Path) -> None:
        tail = " | ".join(log.read_text(errors="replace").split("\n")[-6:])
        super().__init__(f"{' '.join(command[:4])} ...: exit code must be 0, found {code}; the end of {log}: {tail}")


def run(command: Sequence[str], *, folder: Path, log: str) -> Cost:
    """Run a command in `folder` and tell its cost; what it says is added to the file `log` there.

    Raises
    ------
    StepError
        If its exit code is not 0.
    """
    report = folder / "meter.txt"
    meter = [sys.executable, "-S", "-E", str(Path(__file__).with_name("meter.py")), str(report), *command]
    with (folder / log).open("ab") as stream:
        done = subprocess.run(
            meter, cwd=folder, stdout=stream, stderr=stream, env={**os.environ, **SINGLE}, check=False
        )
    if done.returncode:
        raise StepError(command, done.returncode, folder / log)
    cpu, wall, peak = (float(word) for word in report.read_text().split())
    return Cost(cpu, wall, peak / 1024)


def ours(step: str, folder: Path, *options: str) -> Cost:
    """Run one of our steps (`benchmarks.peer.ours`)."""
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from benchmarks.peer.ours import main; main()"
    return run([sys.executable, "-c", code, str(ROOT), step, *options], folder=folder, log=f"ours-{step}.log")


def require_programs(names: Iterable[str] = PACKAGES) -> None:
    """Install what is missing of the peer if we are root; else say in one line what to install."""
    missing = [PACKAGES[name] for name in names if shutil.which(name) is None]
    if not missing:
        return
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update"], check=False, stdout=sys.stderr)
        subprocess.run(install, check=False, stdout=sys.stderr)
    if any(shutil.which(name) is None for name in names):
        sys.exit(f"the benchmark needs the programs of {', '.join(missing)}: run `{' '.join(install)}` as root")
