"""The host's half of a containerised step: a cache it reads but does not write, and whose the files are that it writes.

What a container draws lies in the data set's own folder first, and is moved into the cache from outside: no container
can change what other nights find there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qa.twins.cache import publish

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qa.engines.docker_box import User

STAGED = "drawn"
_TWIN = re.compile(r"[0-9a-f]{64}")


@contextmanager
def staged_cache(cache: Path, folder: Path) -> Iterator[Path]:
    """Make a folder that has what the cache has, by links, and takes what is drawn; it is removed in the end."""
    staged = folder / STAGED
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    for known in cache.iterdir():
        if _TWIN.fullmatch(known.name):
            (staged / known.name).symlink_to(known.resolve(), target_is_directory=True)
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def take_drawn(staged: Path, cache: Path, link: Path) -> None:
    """Move what was drawn into the cache, and let `link` lead there.

    Raises
    ------
    DiskFullError
        If it does not fit.
    CacheError
        If the cache cannot be written to.
    """
    for drawn in staged.iterdir():
        if _TWIN.fullmatch(drawn.name) and drawn.is_dir() and not drawn.is_symlink():
            there = publish(cache, drawn.name, lambda partial, drawn=drawn: _move(drawn, partial))  # type: ignore[misc]
            link.unlink(missing_ok=True)
            link.symlink_to(there.resolve(), target_is_directory=True)


def _move(drawn: Path, partial: Path) -> None:
    """Move the contents of one folder into another, which may be on another disk."""
    for part in sorted(drawn.iterdir()):
        shutil.move(part, partial / part.name)


def raws_of(folder: Path) -> tuple[Path, ...]:
    """Return the folders of a user's own raws, as they were written down when they were scanned."""
    scanned = folder / "scanned.json"
    if not scanned.is_file():
        return ()
    manifest = json.loads(scanned.read_text())["scanned"]["manifest"]
    files = [folder / raw["path"] for raw in (*manifest["raws"], *manifest["calibrations"])]
    return tuple(dict.fromkeys(one.parent for file in files for one in (file, file.resolve())))


@contextmanager
def lent(folders: Iterable[Path], user: User) -> Iterator[None]:
    """Let a container's user have folders while this lasts: what root does so that the container need not be root.

    Afterwards all in them belongs to whom it belonged to, and what is new to the caller. Links are not followed.
    """
    if os.getuid() != 0:
        yield
        return
    given = [folder.resolve() for folder in folders]
    others = {}
    for path in _all_in(given):
        found = path.lstat()
        # What belongs to the container's user already was left by a night that was killed.
        if found.st_uid not in {os.getuid(), user.uid}:
            others[path] = (found.st_uid, found.st_gid)
        os.chown(path, user.uid, user.gid, follow_symlinks=False)
    try:
        yield
    finally:
        for path in _all_in(given):
            os.chown(path, *others.get(path, (os.getuid(), os.getgid())), follow_symlinks=False)


def _all_in(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield folder
        for place, inner, files in os.walk(folder):
            yield from (Path(place, name) for name in (*inner, *files))
