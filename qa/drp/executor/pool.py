"""Persistent workers: processes forked from this one, each of which carries out one piece of work after another.

A worker has everything that this process had imported and read when it was forked; only keys and answers go through
its pipe. What kills a worker loses its piece of work and nothing else: the next piece has a new worker.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Generic, TypeVar

from qa.processes import collect_less_often, describe_death, die_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

Key = TypeVar("Key")
Answer = TypeVar("Answer")
_GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Ended(Generic[Key, Answer]):
    """A piece of work that ended: with its answer, or with its worker.

    `death` says how the worker ended; `by_kernel` that it was killed from outside, as by a machine short of memory.
    """

    key: Key
    answer: Answer | None = None
    death: str = ""
    by_kernel: bool = False


@dataclass(slots=True)
class _Worker(Generic[Key]):
    process: ForkProcess
    pipe: Connection
    key: Key | None = None
    deadline: float = 0.0


@dataclass(slots=True)
class Pool(Generic[Key, Answer]):
    """Up to `size` workers that call `work` with keys; one that takes longer than `timeout` seconds is ended."""

    size: int
    work: Callable[[Key], Answer]
    timeout: float
    _workers: list[_Worker[Key]] = field(init=False, default_factory=list)

    @property
    def free(self) -> bool:
        """Whether another piece of work can begin."""
        return len(self._busy()) < self.size

    def start(self, key: Key) -> None:
        """Give a key to an idle worker, or to a new one."""
        worker = self._idle() or self._fork()
        worker.key, worker.deadline = key, time.monotonic() + self.timeout
        with suppress(BrokenPipeError):  # killed this very moment, which `wait` tells
            worker.pipe.send(key)

    def wait(self) -> Iterator[Ended[Key, Answer]]:
        """Wait until work ends, and yield what ended."""
        busy = self._busy()
        nearest = min(worker.deadline for worker in busy)
        ready = wait([worker.pipe for worker in busy], max(nearest - time.monotonic(), 0.0))
        for worker in busy:
            if worker.pipe in ready:
                yield self._hear(worker)
            elif time.monotonic() >= worker.deadline:
                yield self._end(worker)

    def close(self) -> None:
        """Let idle workers go, end the others, and wait for all."""
        for worker in self._workers:
            if worker.key is None:
                with suppress(BrokenPipeError):
                    worker.pipe.send(None)
            else:
                worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def _idle(self) -> _Worker[Key] | None:
        """Return a worker without work; those that died without work are forgotten."""
        idle = [worker for worker in self._workers if worker.key is None]
        for worker in idle:
            if not worker.process.is_alive():
                worker.pipe.close()
                self._workers.remove(worker)
        return next((worker for worker in idle if worker.process.is_alive()), None)

    def _busy(self) -> list[_Worker[Key]]:
        return [worker for worker in self._workers if worker.key is not None]

    def _fork(self) -> _Worker[Key]:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        not_yours = [ours, *(worker.pipe for worker in self._workers)]
        process = context.Process(target=_serve, args=(theirs, self.work, not_yours), daemon=True)
        with warnings.catch_warnings():
            # Python 3.12 warns of threads. Ours wait in the kernel and hold no lock that a worker needs.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))
        return self._workers[-1]

    def _hear(self, worker: _Worker[Key]) -> Ended[Key, Answer]:
        """Read a worker's answer, or learn that it died."""
        assert worker.key is not None  # noqa: S101 - only the busy ones are listened to
        try:
            ended: Ended[Key, Answer] = Ended(worker.key, answer=worker.pipe.recv())
        except (EOFError, OSError, UnpicklingError):
            return self._bury(worker, "")
        worker.key = None
        return ended

    def _end(self, worker: _Worker[Key]) -> Ended[Key, Answer]:
        worker.process.terminate()
        worker.process.join(_GRACE_SECONDS)
        worker.process.kill()
        return self._bury(worker, f"took longer than {self.timeout:g} s and was ended")

    def _bury(self, worker: _Worker[Key], reason: str) -> Ended[Key, Answer]:
        assert worker.key is not None  # noqa: S101 - only the busy ones are buried
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        code = worker.process.exitcode
        death = reason or f"worker {describe_death(code)}"
        return Ended(worker.key, death=death, by_kernel=not reason and code == -signal.SIGKILL)


def _serve(pipe: Connection, work: Callable[[Key], Answer], not_ours: Sequence[Connection]) -> None:
    """Answer keys until there are no more; other pipes are let go, so that a death is seen at their other end."""
    for other in not_ours:
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupted night does
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with(pipe)
    collect_less_often()
    while (key := pipe.recv()) is not None:
        pipe.send(work(key))
