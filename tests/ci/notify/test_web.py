"""Against a double of a webhook and of GitHub, see `ci.notify.testing`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("requests")

from ci.notify.channels import UndeliveredError
from ci.notify.testing import HOOK, Web, serving
from ci.notify.web import LONGEST_TEXT, GithubChannel, WebhookChannel, commit_in
from qa.notices.model import Notice, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOTICE = Notice("r", "a verdict failed: hsc", "text\n", State.FAILURE, "https://qa.example.org/r", "obsqa/commit")
NAME = "OBSQA_WEBHOOK_QA"


@pytest.fixture
def web() -> Iterator[Web]:
    """Serve a double."""
    with serving(Web(commits={COMMIT})) as double:
        yield double


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach the loopback interface whatever proxies this machine has."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


def webhook(web: Web) -> WebhookChannel:
    """Make the channel to the double's webhook."""
    return WebhookChannel(lambda name: {NAME: web.hook}.get(name, ""), timeout=5)


def github(web: Web, token: str | None = None) -> GithubChannel:
    """Make the channel to the double's repository."""
    return GithubChannel(web.url, "example/stack", web.token if token is None else token, timeout=5)


def refusal(send: Callable[[], None], *secrets: str) -> UndeliveredError:
    """Return why a notice was not taken; the secrets are not in it."""
    with pytest.raises(UndeliveredError) as caught:
        send()
    assert not any(secret in f"{caught.value!r} {caught.value.__cause__!r}" for secret in (HOOK, *secrets))
    return caught.value


def test_a_webhook_gets_subject_and_text_as_slack_takes_them(web: Web) -> None:
    """What a chat would read as a call to everybody or as a link is harmless."""
    webhook(web).send(NAME, replace(NOTICE, text="<!channel> a & b <https://evil.example.org|ok>\n"))
    expected = "*a verdict failed: hsc*\n&lt;!channel&gt; a &amp; b &lt;https://evil.example.org|ok&gt;\n"
    assert web.said == [{"text": expected}]


def test_a_long_text_is_cut(web: Web) -> None:
    """At what Slack takes."""
    webhook(web).send(NAME, replace(NOTICE, text="x" * 99_999))
    assert len(web.said[0]["text"]) == LONGEST_TEXT


def test_a_webhook_without_address_is_told(web: Web) -> None:
    """By the variable's name; nothing is sent."""
    error = refusal(lambda: webhook(web).send("OBSQA_WEBHOOK_OTHER", NOTICE))
    assert error.reason == "the environment variable OBSQA_WEBHOOK_OTHER is not set"
    assert not error.again


@pytest.mark.parametrize(
    "address", ["http://hooks.example.org/s3cr3t", "ftp://a/s3cr3t", "s3cr3t", "https:///s3cr3t", "https://[s3cr3t"]
)
def test_a_secret_address_is_used_with_https_only(address: str) -> None:
    """And never shown."""
    error = refusal(lambda: WebhookChannel(lambda _: address).send(NAME, NOTICE), "s3cr3t")
    assert error.reason == f"the address in the environment variable {NAME} must begin with https:// and name a host"


def test_a_commit_gets_its_status(web: Web) -> None:
    """State, description, link and the name of the check; the token goes in the header."""
    github(web).send(COMMIT, NOTICE)
    assert web.asked == [f"/repos/example/stack/statuses/{COMMIT}"]
    assert web.said == [
        {
            "state": "failure",
            "description": "a verdict failed: hsc",
            "context": "obsqa/commit",
            "target_url": "https://qa.example.org/r",
        }
    ]


def test_a_status_without_report_has_no_link(web: Web) -> None:
    """GitHub would refuse an empty one."""
    github(web).send(COMMIT, replace(NOTICE, link=""))
    assert "target_url" not in web.said[0]


@pytest.mark.parametrize(
    ("commit", "token", "hint"),
    [(COMMIT, "wr0ng-t0ken", "HTTP 401; check the token"), ("f" * 40, None, "HTTP 422; check the commit")],
)
def test_a_refused_status_says_what_to_check(web: Web, commit: str, token: str | None, hint: str) -> None:
    """And is not repeated."""
    error = refusal(lambda: github(web, token).send(commit, NOTICE), "wr0ng-t0ken", web.token)
    assert error.reason == f"the status of {commit[:12]} at 127.0.0.1: {hint}"
    assert not error.again


def test_a_missing_token_is_told(web: Web) -> None:
    """Before anything is sent."""
    assert (
        "the token must be in OBSQA_GITHUB_TOKEN, found none"
        in refusal(lambda: github(web, "").send(COMMIT, NOTICE)).reason
    )
    assert not web.asked


@pytest.mark.parametrize("code", [429, 500, 502, 503])
def test_a_busy_server_is_tried_again(web: Web, code: int) -> None:
    """After the pause that it asks for."""
    web.broken, web.headers = [code], {"Retry-After": "7"}
    error = refusal(lambda: webhook(web).send(NAME, NOTICE))
    assert (error.again, error.pause, error.reason) == (True, 7.0, f"the webhook of {NAME}: HTTP {code}")


def test_a_date_to_try_again_is_not_guessed_at(web: Web) -> None:
    """The usual pause does."""
    web.broken, web.headers = [503], {"Retry-After": "Sun, 01 Mar 2026 01:00:00 GMT"}
    assert refusal(lambda: webhook(web).send(NAME, NOTICE)).pause == 0


def test_a_secret_is_not_carried_elsewhere(web: Web) -> None:
    """A server that says that it moved is not followed."""
    web.broken, web.headers = [307], {"Location": f"{web.url}/elsewhere"}
    error = refusal(lambda: github(web).send(COMMIT, NOTICE), web.token)
    assert "HTTP 307; it moved; correct the address" in error.reason
    assert len(web.asked) == 1


def test_the_passwords_of_other_services_are_left_alone(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A .netrc does not take the place of the token."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    github(web).send(COMMIT, NOTICE)
    assert len(web.said) == 1


def test_a_stranger_gets_nothing(certified: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose certificate is not trusted; one that is, is told."""
    with serving(Web(), certified.context) as web:
        error = refusal(lambda: webhook(web).send(NAME, NOTICE))
        assert error.reason == f"the webhook of {NAME}: the certificate of the server must be trusted"
        assert not error.again
        assert not web.asked
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certified.authority))
        webhook(web).send(NAME, NOTICE)
        assert len(web.said) == 1


def test_what_is_not_installed_is_told(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail goes without it."""
    monkeypatch.setitem(sys.modules, "requests", None)
    error = refusal(lambda: webhook(web).send(NAME, NOTICE))
    assert "which is not installed; run: pip install 'obsqa[notices]'" in error.reason
    assert error.everybody


def test_an_absent_server_is_tried_again(free_ports: Callable[[], int]) -> None:
    """Its address is not told."""
    address = f"http://127.0.0.1:{free_ports()}{HOOK}"
    error = refusal(lambda: WebhookChannel(lambda _: address).send(NAME, NOTICE))
    assert error.reason == f"the webhook of {NAME}: no answer (ConnectionError)"
    assert error.again


@pytest.mark.parametrize(
    ("fact", "commit"),
    [(COMMIT, COMMIT), (f" {COMMIT}\n", COMMIT), (f"{COMMIT}-dirty-ab12", ""), ("1.0.2", ""), ("", "")],
)
def test_only_a_whole_commit_has_a_status(fact: str, commit: str) -> None:
    """What ran in a changed checkout says nothing about the commit below."""
    assert commit_in(fact) == commit
