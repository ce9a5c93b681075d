"""Secrets that the commands are given never come out: not in a line, not in a log, not when a server repeats them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("jenkinsapi")

from ci.cli import run
from ci.jenkins import Server
from ci.testing.jenkins import Jenkins, serving

if TYPE_CHECKING:
    from pathlib import Path

USER, TOKEN = "nightly", "PL4NTED-token"
BASIC = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
PASSWORD = "PL4NTED/p@ss word"  # noqa: S105 - planted to be looked for
FORMS = (TOKEN, BASIC, PASSWORD, "PL4NTED%2Fp%40ss%20word", "PL4NTED")
TRIGGER = ("jenkins", "trigger", "nightly", "-p", "LANE=nightly", "--deadline", "1s")


@pytest.mark.parametrize(
    ("codes", "page"),
    [
        ([401], b""),
        ([403], b""),
        ([404], b""),
        ([500] * 9, b""),
        ([], f"<html>{USER}:{TOKEN}</html>".encode()),
        ([], f"Authorization: Basic {BASIC}".encode()),
    ],
)
def test_the_token_of_a_build_server_stays_out_of_what_is_said(
    codes: list[int],
    page: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whether it refuses, stumbles until the deadline, or sends back a page with what it was told."""
    caplog.set_level("DEBUG")
    if page:
        monkeypatch.setattr("ci.testing.jenkins._get", lambda *_: (200, page, {}))
    with serving(Jenkins(broken=list(codes))) as double:
        monkeypatch.setenv("OBSQA_JENKINS_URL", double.url)
        monkeypatch.setenv("OBSQA_JENKINS_USER", USER)
        monkeypatch.setenv("OBSQA_JENKINS_TOKEN", TOKEN)
        assert run(TRIGGER) == 3
    seen = "\n".join([*capsys.readouterr(), *(one.getMessage() for one in caplog.records)])
    assert "obsqa: " in seen
    assert "Traceback" not in seen
    assert not [form for form in FORMS if form in seen]


def test_a_server_in_a_traceback_shows_no_token() -> None:
    """Printing the object, or all that it holds, prints neither the token nor the user."""
    server = Server("https://jenkins.example.org", user=USER, token=TOKEN)
    assert TOKEN not in f"{server!r} {vars(server)!r}"


@pytest.mark.parametrize("arguments", [("store", "check"), ("store", "migrate"), ("store", "sync"), ("history",)])
def test_the_password_of_a_history_stays_out_of_what_is_said(
    arguments: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """When the server is gone: not in a line, a log, or a file."""
    caplog.set_level("DEBUG")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OBSQA_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OBSQA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OBSQA_STORE", "postgresql://qa:PL4NTED%2Fp%40ss%20word@127.0.0.1:9/none")
    code = run(arguments)
    files = [path.read_bytes().decode(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    seen = "\n".join([*capsys.readouterr(), *files, *(one.getMessage() for one in caplog.records)])
    assert code in {0, 2, 3}
    assert "Traceback" not in seen
    assert not [form for form in FORMS if form in seen]
