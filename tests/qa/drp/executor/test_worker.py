from __future__ import annotations

import errno
import os

import pytest

pytest.importorskip("lsst.pipe.base")

from qa.drp.executor.worker import is_disk_full

pytestmark = pytest.mark.pipeline


def wrapped(error: BaseException) -> BaseException:
    """Wrap an error as a Butler does that cannot write a data set."""
    outer = RuntimeError("Failed to serialize dataset")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), True),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), True),
        (OSError("Not enough space on disk: requested 5120, available 0. 640 requested and 130 written"), True),
        (OSError(errno.EACCES, os.strerror(errno.EACCES)), False),
        (ValueError("no space left"), False),
    ],
)
def test_a_full_disk_is_known_by_what_the_system_and_numpy_say(error: Exception, *, full: bool) -> None:
    """Whatever it is wrapped into."""
    assert is_disk_full(error) is full
    assert is_disk_full(wrapped(error)) is full


def test_errors_that_lie_in_a_circle_come_to_an_end() -> None:
    """As those do that are raised a second time."""
    one, other = ValueError("a"), ValueError("b")
    one.__context__, other.__context__ = other, one
    assert not is_disk_full(one)
