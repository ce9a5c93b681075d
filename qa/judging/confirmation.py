"""Confirmation by a rerun: what a second processing of the same data with the same software does not show is noise.

Pure; `ci.confirm` processes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qa.judging import wording
from qa.model import Comparison, Measurement, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qa.model import Scope

    Key = tuple[str, Scope]


def unrepeated(comparisons: Iterable[Comparison], again: Mapping[Key, Comparison]) -> tuple[Comparison, ...]:
    """Return the comparisons that did not pass while the second processing of the same series did."""
    return tuple(
        one
        for one in comparisons
        if one.status is not Status.PASS
        and (second := again.get((one.metric, one.scope))) is not None
        and second.status is Status.PASS
    )


def as_noise(one: Comparison, second: Comparison) -> Comparison:
    """Let a comparison that did not repeat warn, and say what the second processing gave."""
    gave = "passed"
    if isinstance(second.result, Measurement):
        gave = f"gave {wording.quantity(second.result.value, second.result.unit)}, which passes"
    clause = f"noise: a second processing tonight {gave}"
    return replace(one, status=Status.WARN, reason=wording.appended(one.reason, clause))
