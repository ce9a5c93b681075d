"""Whose a thing left behind is, such as a container: named so that others can tell whether its owner still lives.

A process is named by its machine's present boot, its PID namespace, its number and the moment it began, so that neither
a number used again nor a clock set back confuses two processes.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

_STARTED = 19  # in /proc/PID/stat, counted from behind the name
_PROC = Path("/proc")


def own_name() -> str:
    """Return the name of this process."""
    pid = os.getpid()
    return f"{_place()}/{pid}/{_began(pid)}"


def is_gone(owner: str) -> bool:
    """Tell whether a process is known to have ended; of those of other machines and containers nothing is known."""
    place, _, process = owner.partition("/")
    pid, _, began = process.partition("/")
    if not pid.isdigit():
        return False
    here, _, boot = place.partition("@")
    own_here, _, own_boot = _place().partition("@")
    if here == own_here and boot.split("+")[0] != own_boot.split("+")[0]:
        return True  # the machine was booted since
    return place == _place() and _began(int(pid)) != began


def _place() -> str:
    """Return `HOST@BOOT+NAMESPACE`, the last two empty where there is no /proc."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        space = str((_PROC / "self/ns/pid").stat().st_ino)
    except OSError:
        boot, space = "", ""
    return f"{platform.node().replace('/', '_').replace('@', '_')}@{boot}+{space}"


def _began(pid: int) -> str:
    """Return when a process began, in ticks since the boot; '' if it is not there."""
    try:
        words = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if words[0] in {"Z", "X"} else words[_STARTED]
