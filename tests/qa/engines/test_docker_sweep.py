from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("docker")

from qa.engines.docker_sweep import OWNER, STEP, UNTIL, is_left_behind, labels, sweep
from qa.engines.owners import own_name

if TYPE_CHECKING:
    from docker import DockerClient

TOOLS = "obsqa-test:tools"
DEAD = "from qa.engines.owners import own_name; print(own_name())"


def test_a_container_is_left_behind_when_its_night_is_gone_or_its_time_is_long_over() -> None:
    """One whose owner cannot be known, on another machine, is kept for as long as it may take."""
    mine, elsewhere = labels("hsc/twin/draw", 60.0), {OWNER: "other@boot+1/1/1", UNTIL: "1000"}
    assert mine[STEP] == "hsc/twin/draw"
    assert not is_left_behind(mine, time.time())
    assert is_left_behind(mine, time.time() + 60 + 3601)
    assert not is_left_behind(elsewhere, 999.0)
    assert is_left_behind(elsewhere, 1001.0)
    assert not is_left_behind({}, 1e12)


def test_what_killed_nights_left_is_removed_and_nothing_else(client: DockerClient) -> None:
    """Running or not; a container of a night that lives is kept, and one that is not ours."""
    dead = subprocess.run([sys.executable, "-c", DEAD], cwd=Path(__file__).parents[3], capture_output=True, check=True)
    owner = dead.stdout.decode().strip()
    left = client.containers.run(TOOLS, "sleep 600", detach=True, labels={**labels("a/b/c", 9), OWNER: owner})
    client.containers.create(TOOLS, "true", labels={**labels("d/e/f", 9), OWNER: owner})
    kept = client.containers.create(TOOLS, "true", labels={**labels("g/h/i", 9), OWNER: own_name()})
    others = client.containers.create(TOOLS, "true")
    try:
        assert sorted(sweep(client)) == ["a/b/c", "d/e/f"]
        there = {one.id for one in client.containers.list(all=True)}
        assert {kept.id, others.id} <= there
        assert left.id not in there
        assert sweep(client) == ()
    finally:
        kept.remove()
        others.remove()
