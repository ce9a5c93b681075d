"""Which quantum is next: dependencies, failures and second attempts. Pure: knows neither processes nor middleware."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class Schedule(Generic[Key]):
    """The quanta of a graph on their way from waiting to done or failed.

    `order` has all quanta; those that could begin do so in this order. `needs` tells of each which others must have
    succeeded before. A quantum that is to be done `again` begins when nothing else runs, and nothing begins beside
    it: where memory was short, it has the machine to itself.
    """

    order: Sequence[Key]
    needs: Mapping[Key, Collection[Key]]
    running: set[Key] = field(init=False, default_factory=set)
    done: set[Key] = field(init=False, default_factory=set)
    failed: set[Key] = field(init=False, default_factory=set)
    _rank: dict[Key, int] = field(init=False)
    _missing: dict[Key, int] = field(init=False)
    _after: dict[Key, list[Key]] = field(init=False)
    _ready: list[int] = field(init=False)
    _again: list[Key] = field(init=False, default_factory=list)
    _alone: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        """Find what can begin at once."""
        self._rank = {key: rank for rank, key in enumerate(self.order)}
        self._missing = {key: len(self.needs.get(key, ())) for key in self.order}
        self._after = {key: [] for key in self.order}
        for key in self.order:
            for need in self.needs.get(key, ()):
                self._after[need].append(key)
        self._ready = [rank for key, rank in self._rank.items() if not self._missing[key]]  # sorted, so a heap

    @property
    def open(self) -> bool:
        """Whether anything runs or can begin."""
        return bool(self.running or self._ready or self._again)

    @property
    def remaining(self) -> int:
        """How many quanta neither succeeded nor failed."""
        return len(self._rank) - len(self.done) - len(self.failed)

    def take(self) -> Key | None:
        """Return the next quantum and count it as running; None when none can begin now."""
        if self._alone:
            return None
        if self._ready:
            key = self.order[heapq.heappop(self._ready)]
        elif self._again and not self.running:
            key, self._alone = self._again.pop(0), True
        else:
            return None
        self.running.add(key)
        return key

    def finish(self, key: Key) -> None:
        """Count a quantum as done: what waited for it may begin."""
        self._leave(key)
        self.done.add(key)
        for other in self._after[key]:
            self._missing[other] -= 1
            if not self._missing[other]:
                heapq.heappush(self._ready, self._rank[other])

    def fail(self, key: Key) -> list[Key]:
        """Count a quantum as failed and return, in order, those that can never begin now and failed with it."""
        self._leave(key)
        self.failed.add(key)
        blocked, stack = set[Key](), [key]
        while stack:
            new = [other for other in self._after[stack.pop()] if other not in self.failed]
            self.failed.update(new)
            blocked.update(new)
            stack += new
        return sorted(blocked, key=self._rank.__getitem__)

    def again(self, key: Key) -> None:
        """Let a quantum begin once more, by itself."""
        self._leave(key)
        self._again.append(key)

    def _leave(self, key: Key) -> None:
        self.running.remove(key)
        self._alone = False
