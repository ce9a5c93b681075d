"""Notices by HTTP: webhooks as Slack takes them, and the status of a commit at GitHub.

Nothing is followed elsewhere, and no word of an answer is repeated: addresses and tokens are secret.
"""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ci.notify.channels import UndeliveredError
from ci.notify.site import safe_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from qa.notices.model import Notice

SECONDS = 20.0
"""Longest wait for one answer of a server."""

LONGEST_TEXT = 30_000
"""Characters of a message; Slack takes 40 000, some of which are escapes."""

_OK = range(200, 300)
_MOVED = range(300, 400)
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_HINTS = {401: "the token", 403: "the token's permissions", 404: "the address and the token", 422: "the commit"}
_SHA = re.compile(r"[0-9a-f]{40}")


class WebhookChannel:
    """Posts to webhooks, each known by the name of the environment variable that holds its address."""

    def __init__(self, address_of: Callable[[str], str], *, timeout: float = SECONDS) -> None:
        self._address_of, self._timeout = address_of, timeout

    def send(self, to: str, notice: Notice) -> None:
        """Post a notice.

        Raises
        ------
        UndeliveredError
            If there is no address, nobody answers there, or it refuses.
        """
        secret = self._address_of(to)
        if not secret:
            reason = f"the environment variable {to} is not set"
            raise UndeliveredError(reason)
        try:
            address = safe_address(secret)
        except ValueError:
            reason = f"the address in the environment variable {to} must begin with https:// and name a host"
            raise UndeliveredError(reason) from None
        text = f"*{_escaped(notice.subject)}*\n{_escaped(notice.text)}"
        _post(f"the webhook of {to}", address, {"text": text[:LONGEST_TEXT]}, timeout=self._timeout)


class GithubChannel:
    """Sets the status of commits of one repository; notices go `to` a commit's name."""

    def __init__(self, api: str, repository: str, token: str, *, timeout: float = SECONDS) -> None:
        self._api, self._repository, self._token, self._timeout = api.rstrip("/"), repository, token, timeout

    def send(self, to: str, notice: Notice) -> None:
        """Set a commit's status.

        Raises
        ------
        UndeliveredError
            If there is no token, nobody answers, or GitHub refuses.
        """
        name = f"the status of {to[:12]} at {urlsplit(self._api).hostname}"
        if not self._token:
            reason = f"{name}: the token must be in OBSQA_GITHUB_TOKEN, found none"
            raise UndeliveredError(reason, everybody=True)
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        body = {"state": notice.state.value, "description": notice.subject, "context": notice.context}
        body |= {"target_url": notice.link} if notice.link else {}
        _post(name, f"{self._api}/repos/{self._repository}/statuses/{to}", body, headers=headers, timeout=self._timeout)


def commit_in(fact: str) -> str:
    """Return the full name of the commit that a fact of a run is; empty where it is another, or a changed checkout."""
    return fact.strip() if _SHA.fullmatch(fact.strip()) else ""


def _escaped(text: str) -> str:
    """Take from a text what a chat would read as a command, such as a call to everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _post(
    name: str, address: str, body: Mapping[str, str], *, timeout: float, headers: Mapping[str, str] | None = None
) -> None:
    try:
        import requests  # noqa: PLC0415 - an optional extra
    except ImportError:
        reason = f"{name}: it needs the module requests, which is not installed; run: pip install 'obsqa[notices]'"
        raise UndeliveredError(reason, everybody=True) from None
    try:
        with _unlogged(), requests.Session() as session:
            session.auth = _with_headers(headers or {})  # else a .netrc would put another service's password there
            # The body of the answer is not waited for.
            with session.post(address, json=dict(body), timeout=timeout, allow_redirects=False, stream=True) as answer:
                code, after = answer.status_code, str(answer.headers.get("Retry-After", ""))
    except requests.exceptions.SSLError:
        reason = f"{name}: the certificate of the server must be trusted"
        raise UndeliveredError(reason) from None
    except requests.RequestException as error:
        reason = f"{name}: no answer ({type(error).__name__})"
        raise UndeliveredError(reason, again=isinstance(error, requests.ConnectionError | requests.Timeout)) from None
    _accept(name, code, after)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep the HTTP library from logging addresses, which it does where somebody logs everything."""
    loggers = [logging.getLogger(f"urllib3.{name}") for name in ("connectionpool", "util.retry")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


def _with_headers(headers: Mapping[str, str]) -> Callable[[Any], Any]:
    def add(request: Any) -> Any:  # noqa: ANN401 - a prepared request
        request.headers.update(headers)
        return request

    return add


def _accept(name: str, code: int, after: str) -> None:
    if code in _OK:
        return
    hint = "it moved; correct the address" if code in _MOVED else f"check {_HINTS.get(code, 'the address')}"
    again = code in _BUSY
    reason = f"{name}: HTTP {code}" + ("" if again else f"; {hint}")
    raise UndeliveredError(reason, again=again, pause=float(after) if after.isdecimal() else 0.0)
