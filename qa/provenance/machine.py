"""The machine and the environment of a run, as facts by name. Of the environment only what is named here."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

THREADS = ("MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")

VARIABLES = (
    "CONDA_DEFAULT_ENV",
    "DAF_BUTLER_CONFIG_PATH",
    "DRP_PIPE_DIR",
    "EUPS_PATH",
    "GLIBC_TUNABLES",
    "LD_LIBRARY_PATH",
    "LSST_CONDA_ENV_NAME",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "NUMBA_CPU_FEATURES",
    "NUMBA_CPU_NAME",
    "NUMBA_DISABLE_JIT",
    "NUMBA_OPT",
    "OMP_DYNAMIC",
    "OMP_SCHEDULE",
    "OPENBLAS_CORETYPE",
    "PYTHONHASHSEED",
    "PYTHONOPTIMIZE",
    "PYTHONPATH",
    "TZ",
)
"""The variables that are written down: those that choose software or instructions, none that could be a password."""

INSTRUCTIONS = frozenset({"sse4_2", "avx", "avx2", "fma", "avx512f", "avx512dq", "avx512vl"})
"""Sets of instructions that numerical libraries choose their code by, and with it the last digits of a sum."""

_LONGEST = 500
_CREDENTIALS = re.compile(r"//[^/\s]*@")


def machine(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the facts of the machine and of the environment; what is not known is ''."""
    facts = {
        "host": platform.node(),
        "os": _system(),
        "kernel": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _of_cpu("model name") or platform.processor(),
        "instructions": " ".join(word for word in _of_cpu("flags").split() if word in INSTRUCTIONS),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "python": platform.python_version(),
        "threads": ", ".join(f"{name.split('_')[0]} {environ[name]}" for name in THREADS if environ.get(name)),
        "locale": environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "",
    }
    return facts | {f"env {name}": _harmless(environ.get(name, "")) for name in VARIABLES}


def _harmless(value: str) -> str:
    """Return a variable's value on one line, without the user and password that an address may carry."""
    return " ".join(_CREDENTIALS.sub("//", value).split())[:_LONGEST]


def _system() -> str:
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        name = platform.platform()
    return ", ".join(part for part in (name, " ".join(platform.libc_ver()).strip()) if part)


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return ""
    return f"{size / 2**30:.1f} GiB"


def _of_cpu(key: str) -> str:
    """Return what Linux says of the first processor; '' elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")
