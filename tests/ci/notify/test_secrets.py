from __future__ import annotations

import base64
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.notify.secrets import Secrets

ENVIRON = {
    "OBSQA_SMTP_PASSWORD": "hunter2/+pass word",
    "OBSQA_GITHUB_TOKEN": "ghp_abcdef\n",
    "OBSQA_WEBHOOK_QA": "https://hooks.example.org/services/T0/B0/zzz",
    "OBSQA_WEBHOOK_EMPTY": "",
    "AWS_SECRET_ACCESS_KEY": "not-ours",
}


def test_only_what_notices_need_is_read() -> None:
    """And nothing is shown by printing it."""
    secrets = Secrets.from_environment(ENVIRON)
    assert set(secrets.known) == {"OBSQA_SMTP_PASSWORD", "OBSQA_GITHUB_TOKEN", "OBSQA_WEBHOOK_QA"}
    assert secrets.get("OBSQA_GITHUB_TOKEN") == "ghp_abcdef"
    assert secrets.get("AWS_SECRET_ACCESS_KEY") == ""
    assert not any(value.strip() in repr(secrets) for value in ENVIRON.values() if value)


@pytest.mark.parametrize("around", ["{}", "x{}x", "535 {} {}", "https://u:{}@host/"])
def test_secrets_are_cut_out_of_texts(around: str) -> None:
    """As they are, as in addresses, and as SMTP says them."""
    secrets = Secrets.from_environment(ENVIRON)
    password = ENVIRON["OBSQA_SMTP_PASSWORD"]
    for form in (password, quote_plus(password), base64.b64encode(password.encode()).decode()):
        assert secrets.cut_out(around.format(form, form)) == around.format("***", "***")


def test_the_path_of_a_webhook_is_secret_by_itself() -> None:
    """As exceptions of HTTP libraries show it, without the host."""
    text = "Max retries exceeded with url: /services/T0/B0/zzz (Caused by nothing)"
    assert "zzz" not in Secrets.from_environment(ENVIRON).cut_out(text)


def test_what_is_too_short_is_left() -> None:
    """A password of three letters would take every text apart, and keep nothing secret."""
    assert Secrets.from_environment({"OBSQA_SMTP_PASSWORD": "abc"}).cut_out("abcde") == "abcde"


@given(st.text(min_size=4).filter(lambda text: "*" not in text and text.strip() == text), st.text(), st.text())
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    """Wherever it stands."""
    secrets = Secrets.from_environment({"OBSQA_SMTP_PASSWORD": secret})
    assert secret not in secrets.cut_out(before + secret + after)
