"""What leaves after one run: each notice once, what was delivered noted beside the run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from ci.notify.retry import Patience
from qa.documents import read_document, write_document
from qa.notices.model import Notice, Service  # noqa: TC001 - pydantic resolves the annotations at run time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from ci.notify.channels import Channel, UndeliveredError

FILE_NAME = "notices.json"


@dataclass(frozen=True, slots=True)
class Post:
    """One notice on its way: by which service, to which address, to whom in words."""

    service: Service
    to: str
    name: str
    notice: Notice

    @property
    def key(self) -> str:
        """Name of the delivery; a commit may be told again what has changed, a person is told once."""
        what = f" {self.notice.context} {self.notice.state.value}" if self.notice.context else ""
        return hashlib.sha256(f"{self.service.value} {self.to}{what}".encode()).hexdigest()[:16]

    def __str__(self) -> str:
        """Word it as what a fault is about."""
        return f"{self.service.value} to {self.name}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a notice, under the name of its delivery."""

    key: str
    service: Service
    taken: bool = True


class Outbox:
    """Sends posts and remembers in a run's folder which were taken, so that none is sent twice."""

    def __init__(
        self, channels: Mapping[Service, Channel], *, folder: Path | None = None, patience: Patience | None = None
    ) -> None:
        self._channels, self._patience = channels, patience or Patience()
        self._path = folder / FILE_NAME if folder is not None else None

    def at(self, folder: Path) -> Self:
        """Return the outbox of a run, with the same channels and the same patience."""
        return type(self)(self._channels, folder=folder, patience=self._patience)

    def send(self, posts: Iterable[Post], *, again: bool = False) -> Iterator[str]:
        """Send what was not taken before (with `again`, all) and yield a line for each that was not taken now."""
        noted = {one.key: one for one in self._read()}
        closed: dict[Service, UndeliveredError] = {}
        for post in posts:
            if not again and (old := noted.get(post.key)) is not None and old.taken:
                continue
            error = closed.get(post.service) or self._patience.attempt(self._sender(post))
            noted[post.key] = Delivery(post.key, post.service, taken=error is None)
            self._write(tuple(noted.values()))
            if error is None:
                continue
            if error.everybody:
                closed[post.service] = error
            yield f"{post} was not sent: {error.reason}"

    def outstanding(self) -> frozenset[str]:
        """Return the names of the deliveries that did not come to be.

        Raises
        ------
        DocumentError
            If the note of deliveries is broken.
        """
        return frozenset(one.key for one in self._read() if not one.taken)

    def _sender(self, post: Post) -> Callable[[], None]:
        return lambda: self._channels[post.service].send(post.to, post.notice)

    def _read(self) -> tuple[Delivery, ...]:
        if self._path is None or not self._path.is_file():
            return ()
        found: tuple[Delivery, ...] = read_document(self._path, "notices", tuple[Delivery, ...])
        return found

    def _write(self, taken: tuple[Delivery, ...]) -> None:
        if self._path is not None:
            write_document(self._path, "notices", taken, tuple[Delivery, ...])
