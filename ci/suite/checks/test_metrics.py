"""Each metric against its baseline and its requirement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci.suite.fixtures import got
from ci.suite.verdicts import insist

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci.suite.night import Night
    from ci.suite.targets import Target


@pytest.mark.obsqa(needs="measure", each="metric")
def test_metric(target: Target, night: Night, record_property: Callable[[str, object], None]) -> None:
    """A metric is where its baseline is, or better, and not below what its camera is required to reach."""
    judged = got(lambda: night.judged(target.camera.name))
    insist(judged.get(target.series) if target.series else None, night.unjudged(target.camera.name), record_property)
