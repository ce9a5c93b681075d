from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.engines.owners import is_gone, own_name

ROOT = Path(__file__).parents[3]


def name_of_another() -> str:
    """Return the name of a process that has ended."""
    program = "from qa.engines.owners import own_name; print(own_name())"
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_a_process_that_lives_is_not_gone() -> None:
    """That of the test does."""
    assert not is_gone(own_name())


def test_a_process_that_ended_is_gone() -> None:
    """Also one whose number another process has by now: it began at another time."""
    other = name_of_another().strip()
    assert is_gone(other)
    place, _, rest = other.partition("/")
    assert is_gone(f"{place}/{os.getpid()}/{rest.partition('/')[2]}")


def test_nothing_is_known_of_processes_elsewhere() -> None:
    """What another machine or another container runs is left alone."""
    place, _, rest = own_name().partition("/")
    host, _, boot = place.partition("@")
    dead = "999999/1"
    assert is_gone(f"{place}/{dead}")
    assert not is_gone(f"{host}-other@{boot}/{dead}")
    assert not is_gone(f"{host}@{boot.partition('+')[0]}+1/{dead}")
    assert is_gone(f"{host}@another-boot+1/{rest}")


@given(st.text())
def test_a_name_of_somebody_else_is_nobody_we_know(name: str) -> None:
    """Labels can say anything."""
    assert not is_gone(name) or name.count("/") > 0


@pytest.mark.parametrize("name", ["", "x", "host@boot+ns", "host@boot+ns/x/y"])
def test_a_name_without_a_process_is_not_gone(name: str) -> None:
    """What cannot be read is left alone."""
    assert not is_gone(name)
