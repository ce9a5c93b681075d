"""The file of subscriptions that a site keeps, named by `OBSQA_SUBSCRIPTIONS`: who is told, and by which servers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from obs_registry.document import YamlError, parse
from qa.errors import DocumentError
from qa.judging.judged import Cause
from qa.model import Lane, Status
from qa.notices.model import Address, Person, Service, Want

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from obs_registry.document import Document

LARGEST = 1_000_000
"""Bytes of a file of subscriptions; a larger one is none."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PORTS = {"starttls": 587, "tls": 465, "none": 25}


def safe_address(text: str) -> str:
    """Return a web address to which a secret may be sent: by https, or on this machine.

    Raises
    ------
    ValueError
        If it is another; the message does not hold it, for it may itself be secret.
    """
    parts = urlsplit(text)
    if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)) or not parts.hostname:
        msg = "must begin with https:// and name a host"
        raise ValueError(msg)
    return text


def public_address(text: str) -> str:
    """Return a web address that may be shown.

    Raises
    ------
    ValueError
        If it is none.
    """
    if urlsplit(text).scheme not in {"https", "http"} or any(sign.isspace() for sign in text):
        msg = "must begin with https:// or http:// and hold no space"
        raise ValueError(msg)
    return text


_Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Mail = Annotated[str, Field(max_length=254, pattern=r"^[^@\s<>,;:\"\x00-\x1f\x7f]+@[^@\s<>,;:\"\x00-\x1f\x7f]+$")]
_Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]+$")]
_Variable = Annotated[str, Field(pattern=r"^OBSQA_WEBHOOK_[A-Z0-9_]+$")]
_Pattern = Annotated[str, Field(min_length=1, max_length=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MailServer(_Strict):
    """Where mail is handed in. The password of `user` is in `OBSQA_SMTP_PASSWORD`, and is sent by TLS only."""

    host: _Host
    port: Annotated[int, Field(gt=0, lt=65536, strict=True)] | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: _Mail
    user: _Line | None = None
    authority: Path | None = None
    """File of the certificates to trust, seen from the folder of this file; the system's unless named."""

    @model_validator(mode="after")
    def _password_needs_tls(self) -> Self:
        if self.user is not None and self.security == "none":
            msg = "a user's password is sent by starttls or tls only"
            raise ValueError(msg)
        return self

    @property
    def port_number(self) -> int:
        """The port, or the usual one."""
        return self.port or PORTS[self.security]


class Github(_Strict):
    """Where the status of a commit is shown. The token is in `OBSQA_GITHUB_TOKEN`.

    The commit is that in `OBSQA_GITHUB_COMMIT`, or else the run's fact that `commit` names.
    """

    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")]
    api: Annotated[str, AfterValidator(safe_address)] = "https://api.github.com"
    commit: _Line = "revision"
    lanes: tuple[Lane, ...] = (Lane.COMMIT, Lane.NIGHTLY)


class Subscription(_Strict):
    """What somebody wants to be told of; everything it names must hold."""

    camera: _Pattern = "*"
    metric: _Pattern = "*"
    requirement: _Pattern | None = None
    cause: Cause | None = None
    status: Literal[Status.WARN, Status.FAIL] = Status.WARN

    @property
    def value(self) -> Want:
        """What the digests are made with."""
        return Want(self.camera, self.metric, self.requirement, self.cause, self.status)


class Subscriber(_Strict):
    """A person, or a channel of several. `webhook` names the environment variable that holds its address."""

    name: _Line
    mail: _Mail | None = None
    webhook: _Variable | None = None
    known_as: tuple[_Line, ...] = ()
    always: bool = False
    alarms: bool = False
    subscriptions: tuple[Subscription, ...] = ()

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.mail is None and self.webhook is None:
            msg = "a person needs mail or webhook"
            raise ValueError(msg)
        return self

    @property
    def value(self) -> Person:
        """Whom the digests are for."""
        ways = ((Service.MAIL, self.mail), (Service.WEBHOOK, self.webhook))
        addresses = tuple(Address(service, where) for service, where in ways if where is not None)
        wants = tuple(one.value for one in self.subscriptions)
        return Person(self.name, addresses, wants, self.known_as, always=self.always, alarms=self.alarms)


class Site(_Strict):
    """All of a site's file. `report` is the address of reports, with `{run}` in the place of the run's name."""

    document: Literal["subscriptions"]
    number: Literal[1] = Field(alias="schema")
    lanes: tuple[Lane, ...] = (Lane.NIGHTLY,)
    report: Annotated[_Line, AfterValidator(public_address)] | None = None
    sponsors: bool = True
    mail: MailServer | None = None
    github: Github | None = None
    people: tuple[Subscriber, ...] = ()

    @model_validator(mode="after")
    def _everybody_is_there_once(self) -> Self:
        named = (handle for one in self.people for handle in {one.mail, one.webhook, *one.known_as} if handle)
        handles = [handle.casefold() for handle in named]
        if twice := [handle for handle, count in Counter(handles).items() if count > 1]:
            msg = f"{twice[0]} belongs to two of the people; make them one"
            raise ValueError(msg)
        if self.mail is None and any(one.mail for one in self.people):
            msg = "people have mail addresses and there is no mail server; add `mail`"
            raise ValueError(msg)
        return self

    @property
    def values(self) -> tuple[Person, ...]:
        """The people, as the digests know them."""
        return tuple(one.value for one in self.people)


def read_site(path: Path) -> Site:
    """Read a file of subscriptions.

    Raises
    ------
    DocumentError
        With every fault of the file.
    """
    required = "a file of subscriptions of schema 1"
    try:
        document = parse(_text(path))
        site = Site.model_validate(document.value)
    except YamlError as error:
        place = f"{path}:{error.line}"
        raise DocumentError(place, required=required, found=error.problem) from None
    except RecursionError:
        raise DocumentError(path, required=required, found="values nested without end") from None
    except ValidationError as error:
        found = "; ".join(_fault(detail, document) for detail in error.errors(include_input=False, include_url=False))
        raise DocumentError(path, required=required, found=found) from None
    if document.repeated:
        key, line = document.repeated[0]
        place = f"{path}:{line}"
        raise DocumentError(place, required="each key once", found=f"{'.'.join(key)} again")
    return _with_authority(site, path.parent)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
        if len(content) <= LARGEST:
            return content.decode()
        found = f"more than {LARGEST} bytes"
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror or "nothing" if isinstance(error, OSError) else "text that is not UTF-8"
    raise DocumentError(path, required="a file of subscriptions", found=found, action="see OBSQA_SUBSCRIPTIONS")


def _fault(detail: ErrorDetails, document: Document) -> str:
    where = detail["loc"]
    key = ".".join(map(str, where)) or "the whole"
    return f"line {document.line(*where)}, {key}: {detail['msg'].removeprefix('Value error, ')}"


def _with_authority(site: Site, folder: Path) -> Site:
    if site.mail is None or site.mail.authority is None:
        return site
    changed: dict[str, Any] = {"authority": folder / site.mail.authority}
    return site.model_copy(update={"mail": site.mail.model_copy(update=changed)})
