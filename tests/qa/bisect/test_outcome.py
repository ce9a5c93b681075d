from __future__ import annotations

from qa.bisect import Outcome


def test_the_opposite_of_nothing_is_nothing() -> None:
    """Good and bad change places, what cannot be tested stays so."""
    assert [one.opposite for one in Outcome] == [Outcome.BAD, Outcome.GOOD, Outcome.SKIPPED]
