"""Names and words of others, as they may be shown."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text in which no sign ends a line, moves a terminal's cursor or turns the direction of reading.

    White space becomes a space, anything else that cannot be printed U+FFFD, so that a name stays a name.
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(sign: str) -> str:
    if sign.isprintable():
        return sign
    return " " if sign.isspace() else "\N{REPLACEMENT CHARACTER}"
