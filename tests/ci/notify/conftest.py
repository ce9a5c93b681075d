"""A real mail server with TLS and AUTH, started by the tests on a port of the loopback interface."""

from __future__ import annotations

import asyncio
import importlib.util
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

USER, PASSWORD = "nightly", "hunter2/+pass word"


@dataclass(slots=True)
class MailServer:
    """What the server was told, and how it answers; `rcpt` and `data` hold replies to give first."""

    host: str
    starttls: int
    tls: int
    authority: Path
    stranger: Path
    mails: list[EmailMessage] = field(default_factory=list)
    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    logins: list[bool] = field(default_factory=list)

    def reset(self) -> None:
        """Forget what was told."""
        for one in (self.mails, self.rcpt, self.data, self.logins):
            one.clear()


class _Handler:
    """Keeps mails in place of delivering them."""

    server: MailServer

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's names
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's names
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.server.rcpt and not (reply := self.server.rcpt.pop(0)).startswith("250"):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        from email import message_from_bytes, policy

        reply = self.server.data.pop(0) if self.server.data else "250 OK"
        if reply == "cut":
            server.transport.close()
            return "250 OK"
        if reply.startswith("250"):
            self.server.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return reply


def _authenticator(handler: _Handler) -> Callable[..., Any]:
    from aiosmtpd.smtp import AuthResult

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        handler.server.logins.append(good)
        return AuthResult(success=good, handled=False)

    return check


def _context(folder: Path) -> ssl.SSLContext:
    """Make an authority, a certificate of it for this machine, and the authority of a stranger."""
    import ssl

    import trustme

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    trustme.CA().cert_pem.write_to_path(folder / "stranger.pem")
    return context


@dataclass(frozen=True)
class Certified:
    """A server's side of TLS, the authority its certificate is of, and another one."""

    context: ssl.SSLContext
    authority: Path
    stranger: Path


@pytest.fixture(scope="session")
def certified(unavailable: Callable[[str, str], None], tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """Make certificates for this machine."""
    if importlib.util.find_spec("trustme") is None:
        unavailable("smtp", "trustme is not installed")
    folder = tmp_path_factory.mktemp("certificates")
    return Certified(_context(folder), folder / "authority.pem", folder / "stranger.pem")


@pytest.fixture(scope="session")
def _mail_server(
    unavailable: Callable[[str, str], None], free_ports: Callable[[], int], certified: Certified
) -> Iterator[MailServer]:
    """Start a server that takes mail by STARTTLS on one port and by TLS on another, from one who logs in."""
    if importlib.util.find_spec("aiosmtpd") is None:
        unavailable("smtp", "aiosmtpd is not installed")
    from aiosmtpd.controller import Controller

    handler, context = _Handler(), certified.context
    server = MailServer("localhost", free_ports(), free_ports(), certified.authority, certified.stranger)
    handler.server = server
    common = {"hostname": "127.0.0.1", "authenticator": _authenticator(handler)}
    loops = [asyncio.new_event_loop(), asyncio.new_event_loop()]
    controllers = [
        Controller(handler, port=server.starttls, tls_context=context, require_starttls=True, loop=loops[0], **common),
        Controller(handler, port=server.tls, ssl_context=context, auth_require_tls=False, loop=loops[1], **common),
    ]
    for one in controllers:
        one.start()
    yield server
    for one in controllers:
        one.stop()


@pytest.fixture
def smtp(_mail_server: MailServer) -> MailServer:
    """Return a mail server that was told nothing yet."""
    _mail_server.reset()
    return _mail_server


@pytest.fixture
def plain_smtp(_mail_server: MailServer, free_ports: Callable[[], int]) -> Iterator[int]:
    """Start a server that offers neither TLS nor AUTH, and return its port."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Sink

    controller = Controller(Sink(), hostname="127.0.0.1", port=free_ports())
    controller.start()
    yield int(controller.port)
    controller.stop()
