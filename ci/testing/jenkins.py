"""A double of a Jenkins server for tests: loopback HTTP that answers as Jenkins does, and fails on order.

It is a double and no Jenkins: `/api/json` in JSON, `/api/python` in Python's literals, crumbs, a queue, builds,
artefacts and test reports, as far as `ci.jenkins` and jenkinsapi ask for them.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

CRUMB = "Jenkins-Crumb"


@dataclass(slots=True)
class Jenkins:
    """What the double answers, to be changed by a test while it runs, and what it was asked.

    `queued` and `running` count the questions answered with "not yet"; `broken` holds HTTP codes to answer first, and
    `slow` seconds to wait before that. `cut` counts the files that end in the middle, `parameters` are those of the
    job; without a `crumb` there is no issuer of crumbs.
    """

    url: str = ""
    result: str = "SUCCESS"
    queued: int = 1
    running: int = 1
    cancelled: bool = False
    forgotten: bool = False
    artifacts: dict[str, bytes] = field(default_factory=dict)
    report: dict[str, Any] | None = None
    broken: list[int] = field(default_factory=list)
    crumb: str = "c-1"
    slow: list[float] = field(default_factory=list)
    cut: int = 0
    parameters: tuple[str, ...] = ("LANE", "REF")
    asked: list[str] = field(default_factory=list)
    posted: list[dict[str, list[str]]] = field(default_factory=list)


@contextmanager
def serving(jenkins: Jenkins, port: int = 0) -> Iterator[Jenkins]:
    """Serve a double on a port of the loopback interface, a free one unless named, while the context lasts."""
    gone = Event()
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(jenkins, gone))
    jenkins.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield jenkins
    finally:
        gone.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(jenkins: Jenkins, gone: Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def parse_request(self) -> bool:
            """Take no request once the server is gone: its connections go with it."""
            self.close_connection = gone.is_set()
            return not gone.is_set() and super().parse_request()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            jenkins.asked.append(f"GET {path}")
            time.sleep(jenkins.slow.pop(0) if jenkins.slow else 0)
            self._answer(*(_broken(jenkins) or _get(jenkins, path)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            jenkins.asked.append(f"POST {urlsplit(self.path).path}")
            if self.headers.get(CRUMB, "") != jenkins.crumb:
                self._answer(403, b"No valid crumb was included in the request", {})
                return
            if self.path.endswith("/buildWithParameters") != bool(jenkins.parameters):
                self._answer(400, b"Nothing is submitted", {})
                return
            jenkins.posted.append(parse_qs(body))
            self._answer(*(_broken(jenkins) or (201, b"", {"Location": f"{jenkins.url}/queue/item/42/"})))

        def _answer(self, code: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(code)
            for name, value in {"Content-Length": str(len(body)), "X-Jenkins": "2.462.3", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            ends_early = jenkins.cut > 0 and code == HTTPStatus.OK and "/artifact/" in self.path
            jenkins.cut -= ends_early
            self.wfile.write(body[: len(body) // 2] if ends_early else body)
            self.close_connection = self.close_connection or ends_early

    return Handler


def _broken(jenkins: Jenkins) -> tuple[int, bytes, dict[str, str]] | None:
    return (jenkins.broken.pop(0), b"oops", {}) if jenkins.broken else None


def _get(jenkins: Jenkins, path: str) -> tuple[int, bytes, dict[str, str]]:
    match = re.fullmatch(r"(.*?)/api/(json|python)", path)
    if match is None:
        return _file(jenkins, path)
    body = _document(jenkins, match[1])
    if body is None:
        return 404, b"nothing here", {"Content-Type": "text/html"}
    text = json.dumps(body) if match[2] == "json" else repr(body)
    return 200, text.encode(), {"Content-Type": "application/json" if match[2] == "json" else "text/x-python"}


def _document(jenkins: Jenkins, path: str) -> dict[str, Any] | None:
    """Return what Jenkins says of a path: the crumb, an item of the queue, a job, a build, a test report."""
    if path == "/crumbIssuer":
        return {"crumb": jenkins.crumb, "crumbRequestField": CRUMB} if jenkins.crumb else None
    if path == "/queue/item/42":
        return None if jenkins.forgotten else _item(jenkins)
    if re.fullmatch(r"(/job/[^/]+)+/7/testReport", path):
        return jenkins.report
    if re.fullmatch(r"(/job/[^/]+)+/7", path):
        return _build(jenkins)
    if re.fullmatch(r"(/job/[^/]+)+", path):
        defined = {"parameterDefinitions": [{"name": name} for name in jenkins.parameters]}
        return {"builds": [{"number": 7, "queueId": 42}], "property": [{}, defined] if jenkins.parameters else [{}]}
    return None


def _item(jenkins: Jenkins) -> dict[str, Any]:
    jenkins.queued -= 1
    if jenkins.cancelled:
        return {"id": 42, "cancelled": True}
    started = {"executable": {"number": 7}} if jenkins.queued < 0 else {}
    return {"id": 42, "why": "waiting for an executor", **started}


def _build(jenkins: Jenkins) -> dict[str, Any]:
    jenkins.running -= 1
    running = jenkins.running >= 0
    return {
        "building": running,
        "result": None if running else jenkins.result,
        "duration": 0 if running else 61_000,
        "artifacts": [{"relativePath": name} for name in jenkins.artifacts],
    }


def _file(jenkins: Jenkins, path: str) -> tuple[int, bytes, dict[str, str]]:
    if path.endswith("/consoleText"):
        return 200, "café\n".encode(), {"Content-Type": "text/plain"}
    found = jenkins.artifacts.get(path.partition("/artifact/")[2])
    return (200, found, {}) if found is not None else (404, b"", {})
