"""Hostile names go through `obsqa notify` into mail, chat and terminal, and stay names."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("requests")
pytest.importorskip("aiosmtpd")

from ci.cli import run
from ci.notify.testing import Web, serving
from qa.journal import FILE_NAME, Journal
from qa.judging.judged import Cause
from qa.notices.testing import a_finding, a_run, an_incident
from qa.record import Judged, RunFinished, RunStarted
from qa.testing import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

NAMES = (
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "two\r\nBcc: everybody@example.org",
    "two\n\n.\nMAIL FROM:<x@example.org>",
    "\x1b[2Jgone",
    "\x1b]0;title\x07",
    "\u202egnp.exe",
    "$(touch pwned)",
    "<!channel> <https://x.example.org|click>",
)
SITE = """document: subscriptions
schema: 1
sponsors: false
mail: {{host: 127.0.0.1, port: {port}, sender: qa@example.org, security: none}}
people:
  - {{name: room, webhook: OBSQA_WEBHOOK_QA, subscriptions: [{{camera: hsc}}]}}
  - {{name: Ada, mail: ada@example.org, subscriptions: [{{camera: hsc}}]}}
"""


class _Keeper:
    """Keeps the mails that a server takes, with whom they are for."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


@pytest.fixture
def mails(free_ports: Callable[[], int], tmp_path: Path) -> Iterator[list[tuple[list[str], EmailMessage]]]:
    """Serve mail on this machine, and write the file of who is told."""
    from aiosmtpd.controller import Controller

    keeper = _Keeper()
    server = Controller(keeper, hostname="127.0.0.1", port=free_ports(), loop=asyncio.new_event_loop())
    server.start()
    (tmp_path / "site.yaml").write_text(SITE.format(port=server.port))
    yield keeper.mails
    server.stop()


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_a_name_in_mail_chat_and_terminal(
    name: str,
    mails: list[tuple[list[str], EmailMessage]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One mail to one address with its own headers only, no call to everybody, no escape, nothing executed."""
    finding = a_finding("hsc", name, reason=name * 3)
    record = a_run(finding, incidents=[an_incident(Cause.ALGORITHM, finding, headline=name)], exit_code=1)
    with Journal(tmp_path / "runs" / record.run_id / FILE_NAME, Clock()) as journal:
        journal.append(RunStarted(record.plan, {}))
        journal.append(Judged(record.comparisons, findings=record.findings, incidents=record.incidents))
        journal.append(RunFinished(1))
    monkeypatch.chdir(tmp_path)
    for key, value in {"RUNS": tmp_path / "runs", "CACHE": tmp_path, "SUBSCRIPTIONS": tmp_path / "site.yaml"}.items():
        monkeypatch.setenv(f"OBSQA_{key}", str(value))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    with serving(Web()) as web:
        monkeypatch.setenv("OBSQA_WEBHOOK_QA", web.hook)
        assert run(["notify"]) == 0
        assert run(["notify", "--show"]) == 0
    ((to, mail),) = mails
    assert to == ["ada@example.org"]
    assert set(mail) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted",
        "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
        *({"X-Peer"} & set(mail)),
    }  # fmt: skip
    assert mail.get_content_type() == "text/plain"
    (said,) = web.said
    told = "".join(capsys.readouterr())
    for text in (mail.get_content(), str(said["text"]), told):
        assert all(line.isprintable() for line in text.splitlines())
        assert not any(line.lstrip().startswith(("Bcc", "MAIL FROM")) for line in text.splitlines())
    assert "<!" not in str(said["text"])
    assert "<https://x" not in str(said["text"])
    assert "<script>" not in str(said["text"])
    assert not list(tmp_path.rglob("pwned"))
