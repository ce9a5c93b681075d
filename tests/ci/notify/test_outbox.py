from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ci.notify.channels import NullChannel, RecordingChannel, UndeliveredError
from ci.notify.outbox import FILE_NAME, Outbox, Post
from ci.notify.retry import PAUSES, Patience
from qa.errors import DocumentError
from qa.notices.model import Notice, Service, State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTICE = Notice("r", "subject", "text", State.SUCCESS)


def a_post(name: str = "ada", service: Service = Service.MAIL, notice: Notice = NOTICE) -> Post:
    """Build a post to somebody."""
    return Post(service, f"{name}@example.org", name, notice)


class World:
    """An outbox with channels that record, and a clock that only pauses move."""

    def __init__(self, folder: Path | None = None, seconds: float = 100) -> None:
        self.mail, self.web, self.pauses = RecordingChannel(), RecordingChannel(), list[float]()
        channels = {Service.MAIL: self.mail, Service.WEBHOOK: self.web, Service.GITHUB: NullChannel()}
        patience = Patience(seconds, clock=lambda: sum(self.pauses), sleep=self.pauses.append)
        self.outbox = Outbox(channels, folder=folder, patience=patience)

    def send(self, *posts: Post, again: bool = False) -> list[str]:
        """Send posts and return the faults."""
        return list(self.outbox.send(posts, again=again))

    @property
    def told(self) -> list[str]:
        """Who was told by mail."""
        return [to for to, _ in self.mail.sent]


def passing(count: int, *, everybody: bool = False, pause: float = 0) -> list[Exception]:
    """Return faults that pass."""
    return [UndeliveredError("busy", again=True, everybody=everybody, pause=pause) for _ in range(count)]


def test_what_fails_for_a_moment_is_tried_again() -> None:
    """With pauses that grow; once it is taken, nothing is said."""
    world = World()
    world.mail.faults = passing(2)
    assert world.send(a_post()) == []
    assert world.told == ["ada@example.org"]
    assert world.pauses == list(PAUSES)


def test_it_is_given_up_in_the_end() -> None:
    """With one line that says what was not sent to whom, and why."""
    world = World()
    world.mail.faults = passing(3)
    assert world.send(a_post()) == ["mail to ada was not sent: busy"]
    assert not world.mail.faults


def test_what_was_refused_is_not_tried_again() -> None:
    """And no pause is made."""
    world = World()
    world.mail.faults = [UndeliveredError("no such address")]
    assert world.send(a_post()) == ["mail to ada was not sent: no such address"]
    assert not world.pauses


def test_one_who_cannot_be_told_stops_nobody_else() -> None:
    """Not even by an exception that nobody thought of."""
    for fault in (UndeliveredError("no such address"), ValueError("odd")):
        world = World()
        world.mail.faults = [fault]
        assert len(world.send(a_post(), a_post("bob"))) == 1
        assert world.told == ["bob@example.org"]


def test_a_dead_server_is_asked_for_one_notice_only() -> None:
    """The others by it get the same line; other services are not concerned."""
    world = World()
    world.mail.faults = passing(3, everybody=True)
    faults = world.send(a_post(), a_post("bob"), a_post("room", Service.WEBHOOK))
    assert faults == ["mail to ada was not sent: busy", "mail to bob was not sent: busy"]
    assert [to for to, _ in world.web.sent] == ["room@example.org"]
    assert world.pauses == list(PAUSES)


def test_a_server_may_ask_for_a_longer_pause() -> None:
    """Within the patience there is."""
    world = World()
    world.mail.faults = passing(1, pause=30)
    assert world.send(a_post()) == []
    assert world.pauses == [30]
    world.mail.faults = passing(1, pause=3600)
    assert world.send(a_post("bob")) == ["mail to bob was not sent: busy"]
    assert world.pauses == [30]


def test_patience_is_for_all_notices_together() -> None:
    """Many that fail do not hold up a night; each is tried once at least."""
    world = World(seconds=12)
    world.mail.faults = passing(100)
    assert len(world.send(*(a_post(str(number)) for number in range(20)))) == 20
    assert sum(world.pauses) <= 12


def test_nobody_is_told_twice(tmp_path: Path) -> None:
    """What was taken is noted beside the run, by digests that name nobody; what was not is sent the next time."""
    first = World(tmp_path)
    first.mail.faults = [UndeliveredError("no")]
    assert first.send(a_post("ada"), a_post("bob"))
    assert first.outbox.outstanding() == {a_post("ada").key}
    second = World(tmp_path)
    assert second.send(a_post("ada"), a_post("bob")) == []
    assert second.told == ["ada@example.org"]
    assert not second.outbox.outstanding()
    third = World(tmp_path)
    assert third.send(a_post("ada"), a_post("bob"), again=True) == []
    assert third.told == ["ada@example.org", "bob@example.org"]
    noted = (tmp_path / FILE_NAME).read_text()
    assert "example.org" not in noted
    assert len(json.loads(noted)["notices"]) == 2


def test_each_delivery_is_noted_at_once(tmp_path: Path) -> None:
    """Whatever ends the process in between."""

    def interrupted() -> Iterator[Post]:
        yield a_post("ada")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(World(tmp_path).outbox.send(interrupted()))
    again = World(tmp_path)
    again.send(a_post("ada"), a_post("bob"))
    assert again.told == ["bob@example.org"]


def test_a_commit_is_told_when_its_state_changed(tmp_path: Path) -> None:
    """A run that is judged again may end otherwise; each check of a commit is told for itself."""
    status = replace(NOTICE, context="obsqa/commit")
    posts = [
        a_post(service=Service.WEBHOOK, notice=one)
        for one in (status, status, replace(status, state=State.FAILURE), replace(status, context="obsqa/commit/hsc"))
    ]
    world = World(tmp_path)
    world.send(*posts)
    assert len(world.web.sent) == 3


def test_a_broken_note_is_an_error_with_its_file(tmp_path: Path) -> None:
    """Rather than to tell everybody again."""
    (tmp_path / FILE_NAME).write_text("{")
    with pytest.raises(DocumentError, match=FILE_NAME):
        World(tmp_path).send(a_post())
