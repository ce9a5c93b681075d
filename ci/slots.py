"""How the cores of a night are shared: each camera has one, and the last ones have what the others left."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Slots:
    """A number of slots for a number of cameras, which are taken up as slots allow.

    As long as a camera waits, each has one slot. From then on a stage that can use several takes, when it begins,
    all that are free, and gives them back when it ends.
    """

    def __init__(self, total: int, *, cameras: int) -> None:
        self._lock = Lock()
        self._free = total
        self._waiting = cameras

    @contextmanager
    def camera(self) -> Iterator[None]:
        """Hold the slot of a camera that no longer waits."""
        with self._lock:
            self._waiting -= 1
            self._free -= 1
        try:
            yield
        finally:
            with self._lock:
                self._free += 1

    @contextmanager
    def all_free(self) -> Iterator[int]:
        """Hold what nobody else needs; yields how many slots the camera has then, its own among them."""
        with self._lock:
            more = 0 if self._waiting > 0 else max(self._free, 0)
            self._free -= more
        try:
            yield 1 + more
        finally:
            with self._lock:
                self._free += more
