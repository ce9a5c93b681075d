"""The sentences of attribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.blame import group as of
from qa.blame.facts import DIRTY
from qa.judging.judged import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qa.blame.group import Group

SHOWN = 3
"""Facts and names that are spelt out; more are counted."""

DIGITS = 12
"""Characters of a digest or revision that are shown."""

NAMES = {
    Cause.ALGORITHM: "the algorithms of the stack",
    Cause.CAMERA: "the camera's own package",
    Cause.DATA: "the data",
    Cause.ENVIRONMENT: "the environment",
    Cause.NOISE: "noise",
}

PARTS = {Cause.ALGORITHM: of.stack, Cause.CAMERA: of.camera, Cause.DATA: of.data, Cause.ENVIRONMENT: of.environment}


def listing(names: Sequence[str]) -> str:
    """Write names as a list with commas and `and`; more than a few are counted."""
    if len(names) > SHOWN + 1:
        names = [*names[:SHOWN], f"{len(names) - SHOWN} more"]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def times(count: int) -> str:
    """Write how often."""
    return "once" if count == 1 else f"{count} times"


def plural(count: int, noun: str) -> str:
    """Write a number with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def fact(name: str, good: str | None, bad: str | None) -> str:
    """Write how a fact changed."""
    return f"{name} from {_short(good)} to {_short(bad)}"


def changed(what: str, names: Sequence[str], group: Group) -> str:
    """Say what changed, and since when."""
    values: dict[str, tuple[str | None, str | None]] = {}
    for one in group.members:
        if one.window is not None and one.window.good is not None:
            for name in one.differences.changed:
                values.setdefault(name, (one.window.good.facts.get(name), one.window.bad.facts.get(name)))
    told = listing([fact(name, *values[name]) for name in names])
    return f"{_capital(what)} changed since the last good run{_good(group)}: {told}."


def unchanged(what: str, group: Group) -> str:
    """Say that nothing changed."""
    return f"Nothing of {what} changed since the last good run{_good(group)}."


def before(names: Sequence[str]) -> str:
    """Say that the stack changed shortly before it was still well."""
    return f"The stack changed in the runs just before ({listing(names)}), and an effect may show late."


def chance(count: int, mean: float, judged: int) -> str:
    """Say how much moves so far by itself."""
    return f"Of {judged} series that were judged {mean:.2g} move so far by themselves, and {count} did."


def headline(cause: Cause, group: Group) -> str:
    """Sum an incident up in one sentence."""
    count = plural(len(group.members), "metric")
    missing = sum(one.missing for one in group.members)
    lost = f" ({missing} missing)" if missing else ""
    facts = group.facts(PARTS[cause]) if cause in PARTS else ()
    since = f" after a change of {listing(facts)}" if facts else ""
    return f"{count} of {listing(group.cameras)} moved{lost}{since}: {NAMES[cause]}."


def last_good(group: Group) -> str | None:
    """Return the newest of the last good runs."""
    runs = [one.window.good for one in group.members if one.window is not None and one.window.good is not None]
    return max(runs, key=lambda run: run.when).id if runs else None


def _good(group: Group) -> str:
    good = last_good(group)
    return f" ({good})" if good else ""


def _short(value: str | None) -> str:
    """Cut a digest or revision short; what is in words is left as it is."""
    if value is None:
        return "nothing"
    if " " in value or len(value) <= DIGITS:
        return value
    return value[:DIGITS] + (DIRTY if DIRTY in value else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
