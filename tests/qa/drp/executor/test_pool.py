from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from qa.drp.executor.pool import Ended, Pool

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.pipeline

Chores = Pool[str, int]


def chore(order: str) -> int:
    """Answer with the process, unless ordered otherwise."""
    match order:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "leave":
            os._exit(3)
        case "hang":
            time.sleep(600)
    return os.getpid()


@pytest.fixture
def pool() -> Iterator[Chores]:
    """Make a pool of two workers."""
    made = Chores(2, chore, timeout=60.0)
    yield made
    made.close()


def one(pool: Chores, order: str) -> Ended[str, int]:
    """Have one piece of work done."""
    pool.start(order)
    (ended,) = pool.wait()
    return ended


def test_a_worker_stays(pool: Chores) -> None:
    """One process answers one piece of work after another, and it is not this one."""
    answers = {one(pool, "work").answer for _ in range(5)}
    assert len(answers) == 1
    assert os.getpid() not in answers


def test_as_many_work_as_there_are_workers(pool: Chores) -> None:
    """The third piece of work has to wait."""
    pool.start("a")
    assert pool.free
    pool.start("b")
    assert not pool.free
    ended = [one.key for one in pool.wait()]
    assert pool.free
    assert set(ended) <= {"a", "b"}


@pytest.mark.parametrize(
    ("order", "death"), [("die", "worker died (SIGKILL)"), ("leave", "worker ended with exit code 3")]
)
def test_a_death_is_told_and_another_worker_takes_over(pool: Chores, order: str, death: str) -> None:
    """What was lost is the one piece of work."""
    ended = one(pool, order)
    assert (ended.key, ended.answer, ended.death, ended.by_kernel) == (order, None, death, order == "die")
    assert one(pool, "work").answer


def test_a_worker_killed_while_idle_is_replaced(pool: Chores) -> None:
    """No work is lost to a worker that had none."""
    first = one(pool, "work").answer
    assert first is not None
    os.kill(first, signal.SIGKILL)
    time.sleep(0.1)
    assert one(pool, "work").answer not in {None, first}


def test_what_takes_too_long_is_ended() -> None:
    """The time limit is told; it was no kernel that killed the worker."""
    pool = Chores(1, chore, timeout=0.2)
    ended = one(pool, "hang")
    pool.close()
    assert (ended.death, ended.by_kernel) == ("took longer than 0.2 s and was ended", False)


def test_nobody_is_left_behind() -> None:
    """A pool that is closed ends its workers, busy or not."""
    pool = Chores(2, chore, timeout=60.0)
    pid = one(pool, "work").answer
    pool.start("hang")
    pool.close()
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
