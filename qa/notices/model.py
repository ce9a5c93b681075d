"""The frozen values of notices: what a person wants to be told, how to reach them, and what is sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from qa.judging.judged import Cause  # noqa: TC001 - pydantic resolves the annotations at run time
from qa.model import Status

EVERY = "*"


class Service(StrEnum):
    """By which way somebody is reached."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class Address:
    """A way to a person: a mail address, or the name of the environment variable that holds a webhook's address."""

    service: Service
    where: str


@dataclass(frozen=True, slots=True)
class Want:
    """One subscription; what it asks for must hold all at once.

    `camera`, `metric` and `requirement` are patterns as of file names; the latter is held against the name of the
    camera's requirements and against where the requirement is written. `status` is the least severity.
    """

    camera: str = EVERY
    metric: str = EVERY
    requirement: str | None = None
    cause: Cause | None = None
    status: Status = Status.WARN

    @property
    def is_of_cameras(self) -> bool:
        """Whether it asks for all there is to say of its cameras, their leases included."""
        return self.metric == EVERY and self.requirement is None and self.cause is None

    def covers(self, camera: str) -> bool:
        """Tell whether it is about a camera."""
        return fnmatchcase(camera, self.camera)

    def __str__(self) -> str:
        """Word it as the reason why somebody is told."""
        named = (("camera", self.camera), ("metric", self.metric), ("requirement", self.requirement or EVERY))
        parts = [f"{name} {value}" for name, value in named if value != EVERY]
        parts += [f"cause {self.cause.value}"] if self.cause else []
        return ", ".join(parts) or "every camera"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to be told, or a channel of several: who, by which ways, of what.

    `known_as` are the contacts in camera files that are this person, `sponsors` the cameras they are the contact of,
    `deputy_of` those they stand in for. `always` asks for a digest of every run, `alarms` for word of runs that could
    not be.
    """

    name: str
    addresses: tuple[Address, ...]
    wants: tuple[Want, ...] = ()
    known_as: tuple[str, ...] = ()
    sponsors: tuple[str, ...] = ()
    deputy_of: tuple[str, ...] = ()
    always: bool = False
    alarms: bool = False


class State(StrEnum):
    """What is said of a commit, in GitHub's words."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notice:
    """What is sent: a subject of one line, a text of several, where the report is, and how the run ended.

    `context` names the check in a commit's status.
    """

    run: str
    subject: str
    text: str
    state: State
    link: str = ""
    context: str = ""
