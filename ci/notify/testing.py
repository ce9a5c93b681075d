"""Doubles of a webhook and of GitHub's statuses for tests: loopback HTTP that answers as they do, and fails on order.

They are doubles: what GitHub and Slack answer was taken from their documentation, neither was asked.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ssl import SSLContext

HOOK = "/services/T000/B000/s3cr3tHook"
"""Path of the double's webhook, secret as Slack's are."""

_STATUS = re.compile(r"/repos/([^/]+/[^/]+)/statuses/([0-9a-f]{40})")


@dataclass(slots=True)
class Web:
    """What the double answers, to be changed by a test while it runs, and what it was told.

    `broken` holds HTTP codes to answer first, `headers` what goes with them; `token` is what GitHub asks for and
    `commits` those it knows.
    """

    url: str = ""
    token: str = "t0ps3cr3t-token"  # noqa: S105 - of a double
    commits: set[str] = field(default_factory=set)
    broken: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)

    @property
    def hook(self) -> str:
        """Address of the webhook."""
        return f"{self.url}{HOOK}"


@contextmanager
def serving(web: Web, tls: SSLContext | None = None) -> Iterator[Web]:
    """Serve a double on a free port of the loopback interface while the context lasts, with TLS if that is given."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(web))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    web.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            web.asked.append(self.path)
            code = web.broken.pop(0) if web.broken else _answer(web, self.path, str(self.headers.get("Authorization")))
            if code in {200, 201}:
                web.said.append(json.loads(body))
            self.send_response(code)
            for name, value in web.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):  # nobody waits for it
                # A chatty server repeats all it was told.
                self.wfile.write(f"{self.path} {self.headers.get('Authorization')}".encode())

    return Handler


def _answer(web: Web, path: str, authorization: str) -> int:
    """Return the code with which Slack or GitHub answers."""
    if path == HOOK:
        return 200
    found = _STATUS.fullmatch(path)
    if found is None:
        return 404
    if authorization != f"Bearer {web.token}":
        return 401
    return 201 if found[2] in web.commits else 422
