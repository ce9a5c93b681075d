"""Builds on a Jenkins server: begin one, wait for it with a deadline, collect what it left.

Sessions, authentication and crumbs are jenkinsapi's. Its waiting has no deadline and never sees a cancelled item, and
its reading of `/api/python` alters test names that hold `None` or `True`: both are done here, over `/api/json`.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from qa.errors import InfrastructureError, MissingExtraError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

GONE = 404
REFUSED = {401: "the user and token", 403: "the user's permissions"}
SERVER_ERROR, UNAVAILABLE = 500, 503
STARTED = (200, 201, 303)
FAILED = frozenset({"failed", "regression"})
LONGEST_PAUSE = 30.0
"""Seconds between two questions, at most."""


class Result(StrEnum):
    """How Jenkins says a build ended."""

    SUCCESS = "SUCCESS"
    UNSTABLE = "UNSTABLE"
    FAILURE = "FAILURE"
    ABORTED = "ABORTED"
    NOT_BUILT = "NOT_BUILT"


EXIT_CODES = {Result.SUCCESS: 0, Result.UNSTABLE: 1, Result.FAILURE: 3, Result.ABORTED: 4, Result.NOT_BUILT: 4}
"""What each result is in the exit codes of this command line."""


class JenkinsError(InfrastructureError):
    """The server, or a build on it, did not do what was asked."""


@dataclass(frozen=True, slots=True)
class Build:
    """A build that ended; its duration in seconds."""

    job: str
    number: int
    result: Result
    seconds: float


@dataclass(frozen=True, slots=True)
class Collected:
    """What was fetched of a build: how many tests ended how, which failed, its files, and what it did not leave."""

    build: Build
    tests: Mapping[str, int]
    failed: tuple[str, ...]
    files: tuple[Path, ...]
    missing: tuple[str, ...]


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


class Server:
    """A Jenkins server. Nothing is asked of it before a method is called."""

    def __init__(self, url: str, *, user: str = "", token: str = "", timeout: float = 20.0) -> None:
        try:
            from jenkinsapi.utils.crumb_requester import CrumbRequester  # noqa: PLC0415 - an optional extra
        except ImportError:
            extra, module = "jenkins", "jenkinsapi"
            raise MissingExtraError(extra, module) from None
        if urlsplit(url).scheme not in {"http", "https"}:
            msg = f"the address of Jenkins must begin with https:// or http://, got {url!r}"
            raise RequestError(msg)
        self._url = url.rstrip("/")
        self._http: Any = CrumbRequester(user, token, baseurl=self._url, timeout=timeout)

    def trigger(self, job: str, parameters: Mapping[str, str], deadline: Deadline) -> str:
        """Ask for a build and return the name of its place in the queue.

        Raises
        ------
        JenkinsError
            If the server cannot be reached or refuses.
        """
        verb = "buildWithParameters" if parameters else "build"
        url = f"{self._job(job)}/{verb}"
        data = dict(parameters)
        answer = self._reach(url, deadline, lambda: self._http.post_url(url, data=data, **_NO_FOLLOW), once=True)
        location = str(answer.headers.get("Location", ""))
        place = urlsplit(location).path.rstrip("/").rpartition("/queue/item/")[2]
        if answer.status_code not in STARTED or not place.isdigit():
            msg = f"{job}: Jenkins must answer with a place in its queue, got HTTP {answer.status_code}"
            raise JenkinsError(msg)
        return place

    def number(self, job: str, place: str, deadline: Deadline) -> int:
        """Wait in the queue and return the number of the build.

        Raises
        ------
        JenkinsError
            If it was cancelled there, or the deadline passed.
        """
        what = f"{job}: its place {place} in the queue"
        while True:
            item = self._json(f"{self._url}/queue/item/{place}", deadline, absent=True)
            if item is None:  # Jenkins forgets an item some minutes after its build began
                return self._build_of(job, place, deadline)
            if item.get("cancelled"):
                msg = f"{job}: it was cancelled in the queue (item {place}); trigger it again"
                raise JenkinsError(msg)
            if (item.get("executable") or {}).get("number") is not None:
                return int(item["executable"]["number"])
            deadline.wait(f"{what} ({item.get('why') or 'no reason given'})")

    def _build_of(self, job: str, place: str, deadline: Deadline) -> int:
        builds = self._json(f"{self._job(job)}", deadline, tree="builds[number,queueId]") or {}
        found = [one["number"] for one in builds.get("builds", ()) if str(one.get("queueId")) == place]
        if not found:
            msg = f"{job}: Jenkins knows no item {place} of its queue, nor a build that came of it"
            raise JenkinsError(msg)
        return int(found[0])

    def wait(self, job: str, number: int, deadline: Deadline, tell: Callable[[str], None] = lambda _: None) -> Build:
        """Wait for the end of a build.

        Raises
        ------
        JenkinsError
            If there is no such build, or the deadline passed.
        """
        while True:
            state = self._json(self._build(job, number), deadline, tree="building,result,duration") or {}
            if not state.get("building") and state.get("result"):
                return Build(job, number, _result(job, number, state["result"]), float(state.get("duration", 0)) / 1e3)
            tell(f"{job} #{number} is running")
            deadline.wait(f"{job} #{number}")

    def collect(self, build: Build, into: Path, deadline: Deadline) -> Collected:
        """Fetch the artefacts of a build, its console and its tests into a folder.

        Raises
        ------
        JenkinsError
            If the server cannot be reached.
        """
        url = self._build(build.job, build.number)
        into.mkdir(parents=True, exist_ok=True)
        listed = (self._json(url, deadline, tree="artifacts[relativePath]") or {}).get("artifacts", [])
        names = [str(one["relativePath"]) for one in listed]
        report = self._json(f"{url}/testReport", deadline, absent=True)
        sources = {into / "console.txt": f"{url}/consoleText"}
        sources |= {_below(into / "artifacts", name): f"{url}/artifact/{quote(name)}" for name in names}
        files = [path for path, source in sources.items() if self._save(source, path, deadline)]
        lost = [str(path.relative_to(into)) for path in sources if path not in files]
        missing = [*lost, *([] if report else ["a test report"]), *([] if names else ["artefacts"])]
        cases = tuple(_cases(report or {}))
        failed = tuple(f"{one.get('className', '')}.{one.get('name', '')}" for one in cases if _outcome(one) in FAILED)
        return Collected(build, Counter(map(_outcome, cases)), failed, tuple(files), tuple(missing))

    def _save(self, url: str, place: Path, deadline: Deadline) -> bool:
        answer = self._reach(url, deadline, lambda: self._http.get_url(url), absent=True)
        if answer is None:
            return False
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(answer.content)
        return True

    def _json(self, url: str, deadline: Deadline, *, tree: str = "", absent: bool = False) -> dict[str, Any] | None:
        where, params = f"{url}/api/json", {"tree": tree} if tree else None
        answer = self._reach(where, deadline, lambda: self._http.get_url(where, params=params), absent=absent)
        if answer is None:
            return None
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            msg = f"{where}: must be JSON of Jenkins, got {answer.text[:60]!r}; check the address of the server"
            raise JenkinsError(msg)
        return body

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
            else:
                if answer.status_code < SERVER_ERROR:
                    return _accepted(url, answer, absent=absent)
                trouble, unheard = f"HTTP {answer.status_code}", answer.status_code == UNAVAILABLE
            if once and not unheard:
                msg = f"{url}: {trouble}; a build may have begun all the same: look before triggering it again"
                raise JenkinsError(msg)
            deadline.wait(f"{url}: {trouble}")

    def _job(self, job: str) -> str:
        return self._url + "".join(f"/job/{quote(part, safe='')}" for part in job.strip("/").split("/"))

    def _build(self, job: str, number: int) -> str:
        return f"{self._job(job)}/{number}"


_NO_FOLLOW = {"allow_redirects": False}


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


def _result(job: str, number: int, text: str) -> Result:
    try:
        return Result(text)
    except ValueError:
        msg = f"{job} #{number}: the result must be one of {', '.join(Result)}, got {text!r}"
        raise JenkinsError(msg) from None


def _below(folder: Path, name: str) -> Path:
    """Return a path in a folder; names come from the server and must not leave it."""
    parts = PurePosixPath(name).parts
    if not parts or PurePosixPath(name).is_absolute() or ".." in parts or "\0" in name:
        msg = f"an artefact's path must stay in its folder, got {name!r}"
        raise JenkinsError(msg)
    return folder.joinpath(*parts)


def _outcome(case: Mapping[str, Any]) -> str:
    return str(case.get("status", "unknown")).lower()


def _cases(report: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    suites = [suite for part in report.get("childReports", ()) for suite in part["result"].get("suites", ())]
    return (case for suite in (*report.get("suites", ()), *suites) for case in suite.get("cases", ()))
