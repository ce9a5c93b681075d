"""Secrets of notices: read from the environment, shown as stars, and cut out of every text that leaves."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, quote_plus, urlsplit

from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PASSWORD, TOKEN, WEBHOOK = "OBSQA_SMTP_PASSWORD", "OBSQA_GITHUB_TOKEN", "OBSQA_WEBHOOK_"
STARS = "***"
SHORTEST = 4
"""Characters; what is shorter is no secret, and to cut it out would spoil every text."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets that notices may need, by the names of their environment variables."""

    known: Mapping[str, SecretStr]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the password, the token and the addresses of webhooks; no other variable is looked at."""
        named = {
            name: value for name, value in environ.items() if name in {PASSWORD, TOKEN} or name.startswith(WEBHOOK)
        }
        return cls({name: SecretStr(value.strip()) for name, value in named.items() if value.strip()})

    def get(self, name: str) -> str:
        """Return a secret for its server, empty where there is none."""
        found = self.known.get(name)
        return found.get_secret_value() if found else ""

    def cut_out(self, text: str) -> str:
        """Return a text without any of the secrets, also as they look in addresses and in SMTP's dialogue."""
        for secret in self.known.values():
            for form in sorted(set(_forms(secret.get_secret_value())), key=len, reverse=True):
                text = text.replace(form, STARS)
        return text


def _forms(secret: str) -> Iterator[str]:
    """Yield how a secret may be written; of a web address its path and query alone are secret, too."""
    parts = urlsplit(secret) if "://" in secret else None
    pieces = (secret, *((parts.path.strip("/"), parts.query) if parts else ()))
    for piece in pieces:
        if len(piece) >= SHORTEST:
            yield from (piece, quote(piece, safe=""), quote_plus(piece), base64.b64encode(piece.encode()).decode())
