"""The checks of a commit in words: how many ended how, and which not well."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from qa.checks import BAD, CheckStatus, in_short
from reports.wording import encodable, listing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qa.checks import CheckOutcome

_ORDER = [CheckStatus.FAILED, CheckStatus.ERROR, CheckStatus.NOT_RUN, CheckStatus.SKIPPED, CheckStatus.PASSED]


def bad_first(checks: Iterable[CheckOutcome]) -> tuple[CheckOutcome, ...]:
    """Sort checks: failed, in error, not run, skipped, passed; those that ended alike by name."""
    return tuple(sorted(checks, key=lambda one: (_ORDER.index(one.status), one.camera, one.name)))


def bad(checks: Iterable[CheckOutcome]) -> tuple[CheckOutcome, ...]:
    """Return the checks that did not end well."""
    return tuple(one for one in bad_first(checks) if one.status in BAD)


def told(one: CheckOutcome, title: str) -> str:
    """Say of a check what is wrong: `HSC (Subaru) headers_translate: no card DATE-OBS`."""
    word = {CheckStatus.ERROR: "could not be made: ", CheckStatus.NOT_RUN: "was not run: "}.get(one.status, "")
    return encodable(f"{title} {word}{in_short(one)}")


def tally(checks: Iterable[CheckOutcome]) -> str:
    """Count checks: `12 passed, 1 failed and 2 skipped`; '' where there are none."""
    found = Counter(one.status for one in checks)
    words = {CheckStatus.PASSED: "passed", CheckStatus.FAILED: "failed", CheckStatus.ERROR: "could not be made"}
    words |= {CheckStatus.NOT_RUN: "not run", CheckStatus.SKIPPED: "skipped"}
    return listing([f"{found[status]} {word}" for status, word in words.items() if found[status]])
