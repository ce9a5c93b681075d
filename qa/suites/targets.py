"""What is asked of a suite: that no test fails, and what its entry in the registry says besides. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.model import Ladder, Level
from qa.suites.results import FAILED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from obs_registry.model import Limit, Suite
    from qa.model import Result

AT_MOST, AT_LEAST = "<=", ">="


class SuiteTargets:
    """The limits of a suite as requirements of one level; `service` is whose suite it is."""

    def __init__(self, service: str, suite: Suite, measured: Iterable[Result]) -> None:
        units = {one.metric: getattr(one, "unit", "") for one in measured}
        citation = f"registry entry of {service}, suite {suite.name}"
        self._ladders = {FAILED: _ladder(FAILED, AT_MOST, 0.0, units, citation)}
        for limit in suite.limits:
            own = f"{service}.{limit.metric}"
            name = own if own in units else limit.metric
            self._ladders[name] = _ladder(name, *_asked(limit), units, citation)

    def ladder(self, metric: str, band: str | None) -> Ladder | None:  # noqa: ARG002 - tests are of no band
        """Return what is asked of a metric, None for nothing."""
        return self._ladders.get(metric)


def _asked(limit: Limit) -> tuple[str, float]:
    if limit.at_most is not None:
        return AT_MOST, limit.at_most
    return AT_LEAST, limit.at_least or 0.0


def _ladder(metric: str, operator: str, value: float, units: Mapping[str, str], citation: str) -> Ladder:
    unit = units.get(metric, "")
    return Ladder(metric, None, unit, operator, value, value, value, citation, only=Level.MINIMUM)
