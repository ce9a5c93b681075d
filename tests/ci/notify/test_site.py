from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci.notify.site import LARGEST, read_site
from qa.errors import DocumentError
from qa.judging.judged import Cause
from qa.model import Lane, Status
from qa.notices.model import Address, Person, Service, Want

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "document: subscriptions\nschema: 1\n"
WHOLE = f"""{HEAD}
lanes: [nightly, commit]
report: https://qa.example.org/{{run}}/report/index.html
mail:
  host: smtp.example.org
  sender: qa@example.org
  user: nightly
  authority: ca.pem
github:
  repository: example/stack
  commit: package obs_subaru
people:
  - name: Ada
    mail: ada@example.org
    known_as: [https://example.org/hsc]
    always: true
    subscriptions:
      - camera: hsc
        status: fail
      - {{metric: 'AM*', cause: algorithm}}
      - requirement: lpm-17
  - name: '#qa'
    webhook: OBSQA_WEBHOOK_QA
    alarms: true
"""


def written(folder: Path, text: str) -> Path:
    """Write a file of subscriptions."""
    path = folder / "subscriptions.yaml"
    path.write_text(text)
    return path


def refusal(folder: Path, text: str) -> str:
    """Return what is said of a file."""
    with pytest.raises(DocumentError) as caught:
        read_site(written(folder, text))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    """With every key, and what follows where one is left out."""
    site = read_site(written(tmp_path, WHOLE))
    ada, room = site.values
    wants = (
        Want(camera="hsc", status=Status.FAIL),
        Want(metric="AM*", cause=Cause.ALGORITHM),
        Want(requirement="lpm-17"),
    )
    mail = (Address(Service.MAIL, "ada@example.org"),)
    assert ada == Person("Ada", mail, wants, known_as=("https://example.org/hsc",), always=True)
    assert room == Person("#qa", (Address(Service.WEBHOOK, "OBSQA_WEBHOOK_QA"),), alarms=True)
    assert site.lanes == (Lane.NIGHTLY, Lane.COMMIT)
    assert site.mail is not None
    assert (site.mail.port_number, site.mail.security, site.mail.authority) == (587, "starttls", tmp_path / "ca.pem")
    assert site.github is not None
    assert (site.github.api, site.github.commit) == ("https://api.github.com", "package obs_subaru")


def test_little_suffices(tmp_path: Path) -> None:
    """Nobody, by no way, of nights."""
    site = read_site(written(tmp_path, HEAD))
    assert (site.values, site.mail, site.github, site.lanes) == ((), None, None, (Lane.NIGHTLY,))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "peple: []\n", "line 3, peple: Extra inputs are not permitted"),
        ("document: notices\nschema: 1\n", "line 1, document: Input should be 'subscriptions'"),
        ("document: subscriptions\nschema: 2\n", "line 2, schema: Input should be 1"),
        (HEAD + "people:\n  - name: Ada\n", "line 4, people.0: a person needs mail or webhook"),
        (HEAD + "people:\n  - {name: A, mail: a@example.org}\n", "there is no mail server; add `mail`"),
        (HEAD + "mail: {host: a, sender: a@b, user: c, security: none}\n", "sent by starttls or tls only"),
        (HEAD + "mail: {host: a, sender: a@b, port: '25'}\n", "line 3, mail.port: Input should be a valid integer"),
        (HEAD + "github: {repository: a/b, api: 'http://example.org'}\n", "github.api: must begin with https://"),
        (HEAD + "github: {repository: a/../b}\n", "line 3, github.repository: String should match"),
        (HEAD + "report: javascript:alert(1)\n", "line 3, report: must begin with https:// or http://"),
        (HEAD + 'people:\n  - {name: "a\\nb", webhook: OBSQA_WEBHOOK_A}\n', "people.0.name: String should match"),
        (HEAD + "a: [\n", "subscriptions.yaml:4: must be a file of subscriptions of schema 1"),
        (HEAD + "a: !!python/object:os.system x\n", "subscriptions.yaml:3:"),
        (
            HEAD + "lanes: [nightly]\nlanes: [commit]\n",
            "subscriptions.yaml:4: must be each key once, found lanes again",
        ),
        ("[" * 5000, "must be a file of subscriptions"),
        ("", "must be a file of subscriptions of schema 1"),
        ("- 1\n", "must be a file of subscriptions of schema 1"),
        ("a: " + "x" * LARGEST, "more than 1000000 bytes"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    """In one line with key and cause; an unknown key is a fault, for a slip would silence somebody."""
    assert expected in refusal(tmp_path, text)


@pytest.mark.parametrize("wrong", ["https://hooks.example.org/s3cr3t", "AWS_SECRET_ACCESS_KEY", "PATH"])
def test_a_webhook_is_named_and_never_written_down(tmp_path: Path, wrong: str) -> None:
    """Only variables of our own are read; an address in their place is refused without being repeated."""
    said = refusal(tmp_path, f"{HEAD}people:\n  - {{name: A, webhook: '{wrong}'}}\n")
    assert "people.0.webhook: String should match pattern" in said
    assert "s3cr3t" not in said


def test_one_person_is_there_once(tmp_path: Path) -> None:
    """Two entries of one address would be two digests."""
    people = "people:\n  - {name: A, mail: a@example.org}\n  - {name: B, mail: A@Example.org}\n"
    said = refusal(tmp_path, f"{HEAD}mail: {{host: a, sender: a@b}}\n{people}")
    assert "a@example.org belongs to two of the people; make them one" in said


def test_an_absent_file_is_told(tmp_path: Path) -> None:
    """With the variable that names it."""
    with pytest.raises(DocumentError, match="found No such file or directory; see OBSQA_SUBSCRIPTIONS"):
        read_site(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"\xe9\xff")
    with pytest.raises(DocumentError, match="found text that is not UTF-8"):
        read_site(tmp_path / "latin.yaml")


@settings(max_examples=200)
@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from([*WHOLE.splitlines(keepends=True), "  ", "- ", "&a *a ", "!!x "])).map("".join),
    )
)
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Without another exception."""
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        read_site(path)
    except DocumentError as error:
        assert "\n" not in str(error).replace(str(path), "")  # noqa: PT017 - one of two outcomes
