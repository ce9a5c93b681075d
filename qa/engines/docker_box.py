"""How a container is shut off: what it may read, write and use. Pure: from values to what the Docker Engine is asked.

A container has a root file system it cannot write, no network, no capabilities, no way to get any, a user that is not
root, and limits of memory, CPUs and processes. Folders are mounted where they are outside, so that paths written down
inside are true outside.
"""

from __future__ import annotations

import os
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

from qa.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from docker.types import Mount

    from obs_registry.runtime import Limits

NOBODY = 65534
TEMPORARY = "/tmp"  # noqa: S108 - inside the container
_GIB = 2**30
_NANO = 10**9

# Runs a command that ends with us: when we are gone, the engine closes the standard input, `cat` ends, and with the
# first process of a container all others end. The command does not see that input.
_TIED = """exec 3<&0
"$@" 3<&- </dev/null &
child=$!
{ cat <&3 >/dev/null; kill -KILL $child; } 2>/dev/null &
trap 'kill -TERM $child' TERM
wait $child; code=$?
while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
exit $code"""
# A set-up script that fails would leave the command to run with something else than what it sets up.
_SET_UP = 'source "$1" || { echo "obsqa: the set-up script $1 failed" >&2; exit 126; }; shift; exec "$@"'


@dataclass(frozen=True, slots=True)
class User:
    """Who a container's processes are, in numbers. `name` is what they are called in what they write."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    name: str = "obsqa"

    @classmethod
    def of_caller(cls, environ: Mapping[str, str] = os.environ) -> User:
        """Return the caller; nobody in place of root."""
        if os.getuid() == 0:
            return cls(NOBODY, NOBODY, name="nobody")
        groups = tuple(group for group in os.getgroups() if group not in {0, os.getgid()})
        return cls(os.getuid(), os.getgid(), groups, environ.get("USER") or environ.get("LOGNAME") or "obsqa")


@dataclass(frozen=True, slots=True)
class Box:
    """A container that is to be: a command in an image, in a folder, with what it may read and write.

    `setup` is a script that bash sources before the command, `labels` are how it is found again.
    """

    image: str
    argv: tuple[str, ...]
    folder: Path
    _: KW_ONLY
    user: User
    limits: Limits
    setup: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def asked(self) -> dict[str, Any]:
        """Return what the engine's `create_container` is given, without the host's side of it."""
        set_up = () if self.setup is None else ("bash", "-c", _SET_UP, "obsqa", str(self.setup))
        return {
            "image": self.image,
            # The image's own entry point is not used: what it would set up belongs into the set-up script.
            "entrypoint": ["sh", "-c", _TIED, "obsqa"],
            "command": [*set_up, *self.argv],
            "working_dir": str(self.folder),
            "user": f"{self.user.uid}:{self.user.gid}",
            "environment": self._environment(),
            "labels": dict(self.labels),
            "hostname": "obsqa",
            "network_disabled": True,
            # Both make that the standard input is closed when we go.
            "stdin_open": True,
            "detach": False,
        }

    def asked_of_host(self) -> dict[str, Any]:
        """Return what the engine's `create_host_config` is given.

        Raises
        ------
        EngineError
            If a path would hide the image's own files.
        """
        memory = int(self.limits.memory_gib * _GIB)
        return {
            "mounts": self._mounts(),
            "network_mode": "none",
            "read_only": True,
            "tmpfs": {TEMPORARY: f"mode=1777,size={memory // 2}"},
            "shm_size": memory // 2,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "group_add": [str(group) for group in self.user.groups],
            "mem_limit": memory,
            "memswap_limit": memory,  # together with swap: there is none
            "pids_limit": self.limits.processes,
            "nano_cpus": int(self.limits.cpus * _NANO),
            "log_config": {"type": "none"},  # what it prints is read as it comes
        }

    def _environment(self) -> dict[str, str]:
        name = self.user.name
        return {"HOME": TEMPORARY, "TMPDIR": TEMPORARY, "USER": name, "LOGNAME": name, **self.env}

    def _mounts(self) -> list[Mount]:
        writes = _outermost((self.folder, *self.writes))
        setup = () if self.setup is None or not self.setup.is_file() else (self.setup,)
        reads = [path for path in _outermost((*self.reads, *setup)) if path not in writes]
        return [*(_mount(path, read_only=False) for path in writes), *(_mount(path, read_only=True) for path in reads)]


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """Return paths as they are, each once, without those that are inside others of them."""
    known = dict.fromkeys(path.resolve() for path in paths)
    return [path for path in known if not any(other in path.parents for other in known)]


def _mount(path: Path, *, read_only: bool) -> Mount:
    from docker.types import Mount  # noqa: PLC0415 - an extra

    if len(path.parts) < len(("/", "data")):
        msg = f"a folder below the root must be given to the container, found {path}"
        raise EngineError(msg)
    return Mount(target=str(path), source=str(path), type="bind", read_only=read_only)
