"""Against a real mail server, see conftest: STARTTLS, TLS, AUTH."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ci.notify.channels import UndeliveredError
from ci.notify.mail import MailChannel
from ci.notify.site import MailServer as Server
from qa.notices.model import Notice, State
from qa.testing import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

NOTICE = Notice("20260301T010000Z", "obsqa nightly 2026-03-01: 1 new finding", "Größe: 5\n.\nend\n", State.FAILURE)
PASSWORD = "hunter2/+pass word"  # noqa: S105 - of the tests' own server


@pytest.fixture
def channel(smtp: Any) -> Callable[..., MailChannel]:
    """Make channels to the server."""

    def make(password: str = PASSWORD, **changes: Any) -> MailChannel:
        asked = {"port": smtp.starttls, "user": "nightly", "authority": smtp.authority} | changes
        return MailChannel(Server(host=smtp.host, sender="qa@example.org", **asked), password, clock=Clock(), timeout=5)

    return make


def refusal(channel: MailChannel, to: str = "ada@example.org", notice: Notice = NOTICE) -> UndeliveredError:
    """Return why a notice was not taken."""
    with pytest.raises(UndeliveredError) as caught:
        channel.send(to, notice)
    assert PASSWORD not in f"{caught.value!r} {caught.value.__cause__!r}"
    return caught.value


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_arrives_over_tls_from_one_who_logged_in(smtp: Any, channel: Any, security: str) -> None:
    """With its headers and its text, dots and umlauts included."""
    channel(port=getattr(smtp, security), security=security).send("ada@example.org", NOTICE)
    (mail,) = smtp.mails
    assert smtp.logins == [True]
    assert (mail["To"], mail["Subject"]) == ("ada@example.org", NOTICE.subject)
    assert mail["From"] == "obsqa <qa@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"] == "Sun, 01 Mar 2026 01:00:01 +0000"
    assert mail.get_content().replace("\r\n", "\n") == NOTICE.text


def test_the_same_mail_has_the_same_name(smtp: Any, channel: Any) -> None:
    """So that one which was sent again after a doubtful answer can be told; another run's has another."""
    for notice in (NOTICE, NOTICE, replace(NOTICE, run="20260302T010000Z")):
        channel().send("ada@example.org", notice)
    first, second, third = (mail["Message-ID"] for mail in smtp.mails)
    assert first == second != third


def test_a_wrong_password_is_told_and_not_tried_again(smtp: Any, channel: Any) -> None:
    """For no mail at all; what the server said is not repeated."""
    error = refusal(channel("wrong"))
    assert error.reason == (
        f"the mail server localhost:{smtp.starttls} refuses the user and password (535); check OBSQA_SMTP_PASSWORD"
    )
    assert (error.again, error.everybody) == (False, True)


def test_a_missing_password_is_told(smtp: Any, channel: Any) -> None:
    """With the variable it belongs in."""
    assert "the password of nightly must be in OBSQA_SMTP_PASSWORD, found none" in refusal(channel("")).reason


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_stranger_gets_no_password(smtp: Any, channel: Any, security: str) -> None:
    """A server whose certificate is not of the authority we trust, or is of another name."""
    port = getattr(smtp, security)
    error = refusal(channel(authority=smtp.stranger, port=port, security=security))
    assert "its certificate must be trusted" in error.reason
    assert (error.again, error.everybody) == (False, True)
    assert not smtp.logins


def test_a_server_without_starttls_gets_nothing(channel: Any, plain_smtp: int) -> None:
    """Neither the password nor the mail goes in the clear."""
    error = refusal(channel(port=plain_smtp))
    assert "must offer what is asked of it (STARTTLS, AUTH), and does not; nothing was sent" in error.reason
    assert error.everybody


def test_a_server_without_passwords_is_used_so_only_where_that_is_asked(channel: Any, plain_smtp: int) -> None:
    """As on a machine's own loopback interface."""
    channel(port=plain_smtp, user=None, security="none").send("ada@example.org", NOTICE)


@pytest.mark.parametrize(("reply", "again"), [("451 4.7.1 later", True), ("550 5.1.1 unknown", False)])
def test_a_refused_address_concerns_nobody_else(smtp: Any, channel: Any, reply: str, *, again: bool) -> None:
    """A grey list asks to try again; an unknown address does not."""
    smtp.rcpt[:] = [reply]
    error = refusal(channel())
    assert f"refuses the address ({reply[:3]})" in error.reason
    assert (error.again, error.everybody) == (again, False)


@pytest.mark.parametrize(("reply", "again"), [("452 4.2.2 full", True), ("554 5.6.0 spam", False)])
def test_a_refused_mail_is_told_by_its_code(smtp: Any, channel: Any, reply: str, *, again: bool) -> None:
    """A full disk over there passes."""
    smtp.data[:] = [reply]
    error = refusal(channel())
    assert f"refuses the mail ({reply[:3]})" in error.reason
    assert error.again is again


def test_a_connection_that_breaks_is_tried_again(smtp: Any, channel: Any) -> None:
    """In the middle of a mail."""
    smtp.data[:] = ["cut"]
    error = refusal(channel())
    assert error.again
    assert not smtp.mails


def test_an_absent_server_is_tried_again(channel: Any, free_ports: Callable[[], int]) -> None:
    """For one mail; the others wait for it."""
    error = refusal(channel(port=free_ports()))
    assert "no connection (Connection refused)" in error.reason
    assert (error.again, error.everybody) == (True, True)


@pytest.mark.parametrize("evil", ["a\nBcc: all@example.org", "a\r\nBcc: all@example.org"])
def test_no_header_can_be_smuggled_in(smtp: Any, channel: Any, evil: str) -> None:
    """A subject or an address with a newline is refused by the library; the words of notices hold none."""
    with pytest.raises(ValueError, match=r"linefeed|CR or LF|invalid"):
        channel().send("ada@example.org", replace(NOTICE, subject=evil))
    with pytest.raises(ValueError, match=r"linefeed|CR or LF|invalid"):
        channel().send(f"ada@example.org{evil}", NOTICE)
    assert not smtp.mails
