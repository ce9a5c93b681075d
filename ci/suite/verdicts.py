"""From a verdict of the run to the outcome of a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qa.model import Measurement, Status, Unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.model import Comparison


def insist(found: Comparison | None, unjudged: str, tell: Callable[[str, object], None]) -> None:
    """Fail where the verdict fails, skip what was not measured and need not be; a warning is told with the result."""
    if found is None:
        pytest.skip(unjudged or "not judged")
    if isinstance(found.result, Measurement):
        tell("value", f"{found.result.value:.6g} {found.result.unit}".rstrip())
    match found:
        case _ if found.status is Status.FAIL:
            pytest.fail(evidence(found), pytrace=False)
        case _ if isinstance(found.result, Unmeasured):
            pytest.skip(found.result.reason)
        case _ if found.status is Status.WARN:
            tell("warning", found.reason)


def evidence(found: Comparison) -> str:
    """Say what is wrong, with the numbers it was compared with."""
    lines = [found.reason]
    if found.baseline is not None:
        lines.append(f"baseline: {found.baseline.value:.6g} {found.baseline.unit} (run {found.baseline.run})".rstrip())
    if found.ladder is not None:
        one = found.ladder
        limits = f"minimum {one.minimum:g}, design {one.design:g}, stretch {one.stretch:g} {one.unit}".rstrip()
        lines.append(f"requirement: {one.operator} {limits} ({one.citation})")
    return "\n".join(lines)
