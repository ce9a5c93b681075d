"""Builds on a Jenkins server: begin one, wait for it with a deadline, collect what it left.

jenkinsapi's waiting has no deadline and never sees a cancelled item, and its reading of `/api/python` alters test names
that hold `None` or `True`: both are done here, over `/api/json`. `ci.jenkins_http` asks the server.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from ci.jenkins_http import Deadline, Http, JenkinsError
from qa.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

STARTED = (200, 201, 303)
FAILED = frozenset({"failed", "regression"})

__all__ = ["Build", "Collected", "Deadline", "JenkinsError", "Result", "Server"]


class Result(StrEnum):
    """How Jenkins says a build ended."""

    SUCCESS = "SUCCESS"
    UNSTABLE = "UNSTABLE"
    FAILURE = "FAILURE"
    ABORTED = "ABORTED"
    NOT_BUILT = "NOT_BUILT"


EXIT_CODES = {Result.SUCCESS: 0, Result.UNSTABLE: 1, Result.FAILURE: 3, Result.ABORTED: 4, Result.NOT_BUILT: 4}
"""What each result is in the exit codes of this command line."""


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


class Server:
    """A Jenkins server. Nothing is asked of it before a method is called."""

    def __init__(self, url: str, *, user: str = "", token: str = "", timeout: float = 20.0) -> None:
        self._http = Http(url, user=user, token=token, timeout=timeout)
        self._url = self._http.url

    def trigger(self, job: str, parameters: Mapping[str, str], deadline: Deadline) -> str:
        """Ask for a build and return the name of its place in the queue.

        Raises
        ------
        JenkinsError
            If the server cannot be reached or refuses.
        UnknownNameError
            If the job has no parameter of a name.
        """
        known = self._parameters(job, deadline)
        if unknown := sorted(set(parameters) - set(known)):  # Jenkins would drop them without a word
            kind = f"parameter of {job}"
            raise UnknownNameError(kind, unknown[0], known)
        verb = "buildWithParameters" if known else "build"
        answer = self._http.post(f"{self._job(job)}/{verb}", parameters, deadline)
        location = str(answer.headers.get("Location", ""))
        place = urlsplit(location).path.rstrip("/").rpartition("/queue/item/")[2]
        if answer.status_code not in STARTED or not place.isdigit():
            msg = f"{job}: Jenkins must answer with a place in its queue, got HTTP {answer.status_code}"
            raise JenkinsError(msg)
        return place

    def _parameters(self, job: str, deadline: Deadline) -> tuple[str, ...]:
        """Return the names of a job's parameters: one that has any cannot be begun as one that has none."""
        defined = "parameterDefinitions[name]"
        says = self._http.json(self._job(job), deadline, tree=f"property[{defined}],actions[{defined}]") or {}
        parts = (*(says.get("property") or ()), *(says.get("actions") or ()))
        names = (one.get("name") for part in parts if part for one in part.get("parameterDefinitions") or ())
        return tuple(dict.fromkeys(str(name) for name in names))

    def number(self, job: str, place: str, deadline: Deadline) -> int:
        """Wait in the queue and return the number of the build.

        Raises
        ------
        JenkinsError
            If it was cancelled there, or the deadline passed.
        """
        what = f"{job}: its place {place} in the queue"
        while True:
            item = self._http.json(f"{self._url}/queue/item/{place}", deadline, absent=True)
            if item is None:  # Jenkins forgets an item some minutes after its build began
                return self._build_of(job, place, deadline)
            if item.get("cancelled"):
                msg = f"{job}: it was cancelled in the queue (item {place}); trigger it again"
                raise JenkinsError(msg)
            if (item.get("executable") or {}).get("number") is not None:
                return int(item["executable"]["number"])
            deadline.wait(f"{what} ({item.get('why') or 'no reason given'})")

    def _build_of(self, job: str, place: str, deadline: Deadline) -> int:
        builds = self._http.json(f"{self._job(job)}", deadline, tree="builds[number,queueId]") or {}
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
            state = self._http.json(self._build(job, number), deadline, tree="building,result,duration") or {}
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
        listed = (self._http.json(url, deadline, tree="artifacts[relativePath]") or {}).get("artifacts", [])
        names = [str(one["relativePath"]) for one in listed]
        report = self._http.json(f"{url}/testReport", deadline, absent=True)
        sources = {into / "console.txt": f"{url}/consoleText"}
        sources |= {_below(into / "artifacts", name): f"{url}/artifact/{quote(name)}" for name in names}
        files = [path for path, source in sources.items() if self._http.save(source, path, deadline)]
        lost = [str(path.relative_to(into)) for path in sources if path not in files]
        missing = [*lost, *([] if report else ["a test report"]), *([] if names else ["artefacts"])]
        cases = tuple(_cases(report or {}))
        failed = tuple(f"{one.get('className', '')}.{one.get('name', '')}" for one in cases if _outcome(one) in FAILED)
        return Collected(build, Counter(map(_outcome, cases)), failed, tuple(files), tuple(missing))

    def _job(self, job: str) -> str:
        return self._url + "".join(f"/job/{quote(part, safe='')}" for part in job.strip("/").split("/"))

    def _build(self, job: str, number: int) -> str:
        return f"{self._job(job)}/{number}"


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
