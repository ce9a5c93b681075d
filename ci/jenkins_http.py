"""Asking a Jenkins server: every question has a deadline, what stumbles is asked again, no secret is repeated.

Sessions, authentication and crumbs are jenkinsapi's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from qa.documents import atomic_open
from qa.errors import InfrastructureError, MissingExtraError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

GONE = 404
REFUSED = {401: "the user and token", 403: "the user's permissions"}
SERVER_ERROR, UNAVAILABLE = 500, 503
LONGEST_PAUSE = 30.0
"""Seconds between two questions, at most."""

PIECE = 2**20
"""Bytes of a file that are held at once."""


class JenkinsError(InfrastructureError):
    """The server, or a build on it, did not do what was asked."""


@dataclass(slots=True)
class Deadline:
    """A moment after which waiting is given up, and pauses that grow until then."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    pause: float = 1.0
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin to count."""
        self._end = self.clock() + self.seconds

    def wait(self, what: str) -> None:
        """Pause.

        Raises
        ------
        JenkinsError
            If the time is over; `what` says what was waited for.
        """
        left = self._end - self.clock()
        if left <= 0:
            msg = f"{what}: must end within {self.seconds:g} s, and did not; give more time with --deadline"
            raise JenkinsError(msg)
        self.sleep(min(self.pause, left))
        self.pause = min(1.5 * self.pause, LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is looked at of an answer whose body went into a file."""

    status_code: int


class Http:
    """The questions that are asked of a server; nothing is asked before a method is called."""

    def __init__(self, url: str, *, user: str, token: str, timeout: float) -> None:
        try:
            from jenkinsapi.utils.crumb_requester import CrumbRequester  # noqa: PLC0415 - an optional extra
        except ImportError:
            extra, module = "jenkins", "jenkinsapi"
            raise MissingExtraError(extra, module) from None
        self.url = _checked(url)
        self._http: Any = CrumbRequester(user, token, baseurl=self.url, timeout=timeout)

    def post(self, url: str, data: Mapping[str, str], deadline: Deadline) -> Any:  # noqa: ANN401 - a response
        """Post a form, once: it is posted again only when the server cannot have heard it.

        Raises
        ------
        JenkinsError
            If the server cannot be reached, refuses, or may have heard and did not answer.
        """
        form, once = dict(data), True
        return self._reach(url, deadline, lambda: self._http.post_url(url, data=form, allow_redirects=False), once=once)

    def json(self, url: str, deadline: Deadline, *, tree: str = "", absent: bool = False) -> dict[str, Any] | None:
        """Return what Jenkins says of an address; None of what is not there and may be absent.

        Raises
        ------
        JenkinsError
            If the server cannot be reached, refuses, or is no Jenkins.
        """
        where, params = f"{url}/api/json", {"tree": tree} if tree else None
        answer = self._reach(where, deadline, lambda: self._http.get_url(where, params=params), absent=absent)
        if answer is None:
            return None
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            # The page is not quoted: it may repeat the token that it was asked with.
            msg = f"{where}: must be JSON of Jenkins, got another page; check the address of the server"
            raise JenkinsError(msg)
        return body

    def save(self, url: str, place: Path, deadline: Deadline) -> bool:
        """Fetch a file, whole or not at all, and tell whether it was there.

        Raises
        ------
        JenkinsError
            If the server cannot be reached or refuses.
        """
        return self._reach(url, deadline, lambda: self._fetch(url, place), absent=True) is not None

    def _fetch(self, url: str, place: Path) -> _Answer:
        """Write the body of a good answer to a file, as it comes; what is cut off leaves nothing."""
        with self._http.get_url(url, stream=True) as answer:
            if answer.status_code == 200:  # noqa: PLR2004 - HTTP's own number
                with atomic_open(place) as stream:
                    for piece in answer.iter_content(PIECE):
                        stream.write(piece)
            return _Answer(answer.status_code)

    def _reach(
        self, url: str, deadline: Deadline, ask: Callable[[], Any], *, absent: bool = False, once: bool = False
    ) -> Any:  # noqa: ANN401 - a response
        """Ask until the server answers; None for what is not there and may be absent.

        What must be asked `once` is asked again only when the server cannot have heard it.
        """
        from requests import ConnectionError as Unreachable  # noqa: PLC0415 - half of jenkinsapi's weight
        from requests import RequestException  # noqa: PLC0415

        while True:
            try:
                answer = ask()
            except (RequestException, RuntimeError) as error:  # RuntimeError: no crumb to be had
                trouble, unheard = type(error).__name__, isinstance(error, Unreachable | RuntimeError)
            except (ValueError, SyntaxError, KeyError):  # jenkinsapi's reading of the crumb
                msg = f"{self.url}/crumbIssuer: must give a crumb of Jenkins, got another page; check the address"
                raise JenkinsError(msg) from None
            else:
                if answer.status_code < SERVER_ERROR:
                    return _accepted(url, answer, absent=absent)
                trouble, unheard = f"HTTP {answer.status_code}", answer.status_code == UNAVAILABLE
            if once and not unheard:
                msg = f"{url}: {trouble}; a build may have begun all the same: look before triggering it again"
                raise JenkinsError(msg)
            deadline.wait(f"{url}: {trouble}")


def _checked(url: str) -> str:
    """Return an address that begins as one does and holds no password."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        msg = f"the address of Jenkins must begin with https:// or http://, got {url!r}"
        raise RequestError(msg)
    if "@" in parts.netloc:
        msg = "the address of Jenkins must hold no user and token; give them in OBSQA_JENKINS_USER and _TOKEN"
        raise RequestError(msg)
    return url.rstrip("/")


def _accepted(url: str, answer: Any, *, absent: bool) -> Any:  # noqa: ANN401 - a response
    if answer.status_code == GONE and absent:
        return None
    if answer.status_code in REFUSED:
        msg = f"{url}: Jenkins refuses (HTTP {answer.status_code}); check {REFUSED[answer.status_code]}"
        raise JenkinsError(msg)
    if answer.status_code >= GONE or answer.status_code == 400:  # noqa: PLR2004 - HTTP's own number
        msg = f"{url}: Jenkins answers HTTP {answer.status_code}; check the names of server, job and build"
        raise JenkinsError(msg)
    return answer
