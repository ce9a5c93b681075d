"""Notices by mail: SMTP with TLS, a certificate that is checked, and a password that never goes without."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

from ci.notify.channels import UndeliveredError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ci.notify.site import MailServer
    from qa.notices.model import Notice

SECONDS = 20.0
"""Longest wait for one answer of the server."""

_TEMPORARY = range(400, 500)


class MailChannel:
    """Hands mails to a server, one connection for each."""

    def __init__(
        self, server: MailServer, password: str, *, clock: Callable[[], datetime], timeout: float = SECONDS
    ) -> None:
        self._server, self._password, self._clock, self._timeout = server, password, clock, timeout

    def send(self, to: str, notice: Notice) -> None:
        """Send a mail.

        Raises
        ------
        UndeliveredError
            If the server is not there, is not who it should be, or refuses.
        """
        message = self._message(to, notice)
        try:
            with self._connected() as smtp:
                self._begin(smtp)
                smtp.send_message(message)
        except smtplib.SMTPException as error:
            raise _undelivered(error, self._name) from None
        except ssl.SSLError as error:
            reason = f"{self._name}: its certificate must be trusted: {error.reason or type(error).__name__}"
            raise UndeliveredError(reason, everybody=True) from None
        except OSError as error:
            reason = f"{self._name}: no connection ({error.strerror or type(error).__name__})"
            raise UndeliveredError(reason, again=True, everybody=True) from None

    @property
    def _name(self) -> str:
        return f"the mail server {self._server.host}:{self._server.port_number}"

    def _context(self) -> ssl.SSLContext:
        authority = self._server.authority
        return ssl.create_default_context(cafile=None if authority is None else str(authority))

    def _connected(self) -> smtplib.SMTP:
        host, port = self._server.host, self._server.port_number
        if self._server.security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=self._timeout, context=self._context())
        return smtplib.SMTP(host, port, timeout=self._timeout)

    def _begin(self, smtp: smtplib.SMTP) -> None:
        """Encrypt, then say who we are."""
        if self._server.security == "starttls":
            smtp.starttls(context=self._context())
        if self._server.user is not None:
            if not self._password:
                reason = f"{self._name}: the password of {self._server.user} must be in OBSQA_SMTP_PASSWORD, found none"
                raise UndeliveredError(reason, everybody=True)
            smtp.login(self._server.user, self._password)

    def _message(self, to: str, notice: Notice) -> EmailMessage:
        """Build the mail; one that is sent again has the same name, so that mail programs can tell."""
        name = hashlib.sha256(f"{to} {notice.run} {notice.subject} {notice.text}".encode()).hexdigest()[:32]
        message = EmailMessage()
        message["From"] = Address("obsqa", addr_spec=self._server.sender)
        message["To"] = Address(addr_spec=to)
        message["Subject"] = notice.subject
        message["Date"] = format_datetime(self._clock())
        message["Message-ID"] = f"<{name}@{self._server.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(notice.text)
        return message


def _undelivered(error: smtplib.SMTPException, name: str) -> UndeliveredError:
    """Word a refusal by its code: the server's own words may repeat what it was told."""
    match error:
        case smtplib.SMTPAuthenticationError(smtp_code=code):
            return UndeliveredError(
                f"{name} refuses the user and password ({code}); check OBSQA_SMTP_PASSWORD",
                again=code in _TEMPORARY,
                everybody=True,
            )
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code = next((code for code, _ in refused.values()), 0)
            return UndeliveredError(f"{name} refuses the address ({code})", again=code in _TEMPORARY)
        case smtplib.SMTPNotSupportedError():
            return UndeliveredError(
                f"{name} must offer what is asked of it (STARTTLS, AUTH), and does not; nothing was sent",
                everybody=True,
            )
        case smtplib.SMTPResponseException(smtp_code=code):
            return UndeliveredError(f"{name} refuses the mail ({code})", again=code in _TEMPORARY)
        case _:  # cut off
            return UndeliveredError(f"{name}: {type(error).__name__}", again=True, everybody=True)
