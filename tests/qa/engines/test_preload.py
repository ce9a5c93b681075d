from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("numba")

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.pipeline

COUNT = """
import sys
import qa.engines.preload
from qa.drp.algorithms.jit import is_cold
loops = {
    loop for name, module in list(sys.modules.items()) if name.startswith("qa.drp.algorithms.")
    for loop in vars(module).values() if hasattr(loop, "stats")
}
print(is_cold(), sum(sum(one.stats.cache_misses.values()) for one in loops),
      sum(sum(one.stats.cache_hits.values()) for one in loops) > 10)
"""


def test_the_server_that_steps_are_forked_from_compiles_nothing_itself(tmp_path: Path) -> None:
    """On a first night either: a process that ends does, and steps do not have the compiler's memory."""
    environ = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    told = [
        subprocess.run([sys.executable, "-c", COUNT], env=environ, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert [one.split() for one in told] == [["True", "0", "True"], ["False", "0", "True"]]
