"""The ledger made ready to be shown: decisions newest first, the requirement margin spent, ratchets, what expired."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.baselines.ledger import Value
from reports.order import band_rank
from reports.states import person
from reports.wording import day, number, quantity, slug, unit_text, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from qa.baselines.ledger import Entry, Move, State
    from qa.baselines.margins import CameraSpent
    from qa.baselines.margins import Ratchet as Crept
    from qa.judging.judged import Finding
    from reports.night import Night

SHOWN = 60
"""How many decisions, and how many ratchets, the page shows before it refers to the ledger itself."""

QUARTERS = 6
"""How many quarters, the last ones, the table of margins has."""

_AT_LEAST = 2


@dataclass(frozen=True, slots=True)
class MoveView:
    """One baseline's change: place, old and new as text, the share of the margin it took (None without one)."""

    metric: str
    where: str
    old: str
    new: str
    sigma: str
    share: float | None
    left: str
    level: str


@dataclass(frozen=True, slots=True)
class EntryView:
    """One decision about one data set; `first` names the metrics without a baseline before, `dropped` those after."""

    entry: Entry
    camera: str
    camera_slug: str | None
    who: str
    undone: bool
    expired: bool
    moves: tuple[MoveView, ...]
    first: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpentRow:
    """What a camera spent, in the order of the table's quarters; None where nothing moved."""

    title: str
    slug: str | None
    cells: tuple[CameraSpent | None, ...]


@dataclass(frozen=True, slots=True)
class Ratchet:
    """A series that came down in small steps: reference level, present one, steps, share of the margin they took."""

    camera: str
    metric: str
    where: str
    first: str
    now: str
    since: str
    steps: int
    share: float | None
    exceeded: bool


@dataclass(frozen=True, slots=True)
class Baselines:
    """Everything the page on baselines says; `more` decisions are in the ledger only."""

    entries: tuple[EntryView, ...]
    more: int
    quarters: tuple[str, ...]
    spent: tuple[SpentRow, ...]
    ratchets: tuple[Ratchet, ...]
    expired: tuple[EntryView, ...]
    waivers: tuple[tuple[str, Finding], ...]


def baselines_of(night: Night) -> Baselines | None:
    """Make the ledger of a night ready; None where there is none."""
    if not night.ledger:
        return None
    from qa.baselines import margins, standing  # noqa: PLC0415 - nights without a ledger do not need them

    titles = {camera.name: camera.title for camera in night.cameras}
    over = {one.entry.id for one in standing.expired(night.ledger, night.finished.date())}
    undone = {entry.undoes for entry in night.ledger if entry.undoes}
    views = [_entry(one, titles, undone, over) for one in reversed(night.ledger)]
    quarters, spent = _spending(margins.by_camera(night.ledger), titles)
    accepted = {key: one for own in standing.replay(night.ledger).values() for key, one in own.items()}
    crept = margins.ratchets(night.ledger, accepted, definitions=night.definitions)
    return Baselines(
        entries=tuple(views[:SHOWN]),
        more=max(0, len(views) - SHOWN),
        quarters=quarters,
        spent=spent,
        ratchets=tuple(_ratchet(one, titles) for one in crept if one.moves >= _AT_LEAST)[:SHOWN],
        expired=tuple(one for one in views if one.expired),
        waivers=tuple(_waivers(night, titles)),
    )


def _waivers(night: Night, titles: Mapping[str, str]) -> Iterator[tuple[str, Finding]]:
    """Yield the findings about waivers that are over, with the titles of their cameras."""
    for one in night.findings:
        if one.kind == "waiver" and one.state.value != "fixed":
            yield titles.get(one.scope.camera, one.scope.camera), one


def _entry(entry: Entry, titles: Mapping[str, str], undone: set[str], over: set[str]) -> EntryView:
    return EntryView(
        entry=entry,
        camera=titles.get(entry.camera, entry.camera),
        camera_slug=slug(entry.camera) if entry.camera in titles else None,
        who=person(entry.decision.who),
        undone=entry.id in undone,
        expired=entry.id in over,
        moves=tuple(_move(one) for one in sorted(entry.moves, key=_worst) if one.old and one.new),
        first=_names(one for one in entry.moves if one.old is None),
        dropped=_names(one for one in entry.moves if one.new is None and one.old is not None),
    )


def _worst(move: Move) -> tuple[float, float]:
    return -(share_of(move) or 0.0), -(move.sigma or 0.0)


def _names(moves: Iterable[Move]) -> tuple[str, ...]:
    """Name metrics, each once with its bands or tasks."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for one in moves:
        found[one.place.metric][one.place.band or one.place.task or ""] = None
    return tuple(
        " ".join(filter(None, (metric.replace("_", " "), ", ".join(sorted(filter(None, bands), key=band_rank)))))
        for metric, bands in found.items()
    )


def _move(move: Move) -> MoveView:
    return MoveView(
        metric=move.place.metric,
        where=where(move.place.scope("", "")),
        old=_spread(move.old) if _learned(move) else state_text(move.old),
        new=_spread(move.new) if _learned(move) else state_text(move.new),
        sigma="" if move.sigma is None else f"{'+' if move.sigma > 0 else ''}{number(move.sigma, 1.0)}\u202f\u03c3",
        share=share_of(move),
        left="" if move.margin_left is None else number(move.margin_left) + unit_text(_unit(move)),
        level=(move.level or "").replace("-", " "),
    )


def _learned(move: Move) -> bool:
    """Tell whether only the run-to-run spread of a baseline was learned anew."""
    old, new = move.old, move.new
    return isinstance(old, Value) and isinstance(new, Value) and old.value == new.value and old != new


def _spread(state: State | None) -> str:
    return f"spread {quantity(state.tolerance, state.unit)}" if isinstance(state, Value) else state_text(state)


def _unit(move: Move) -> str:
    return next((one.unit for one in (move.new, move.old) if isinstance(one, Value)), "")


def state_text(state: State | None) -> str:
    """Write what a baseline says: its value, that the metric is absent, or that there is none."""
    if state is None:
        return "none"
    return quantity(state.value, state.unit, state.stderr) if isinstance(state, Value) else "absent"


def share_of(move: Move) -> float | None:
    """Return which share of its margin above the minimum a change took, negative where it gained; None without one."""
    if move.margin_spent is None or move.margin_left is None:
        return None
    before = move.margin_left + move.margin_spent
    return move.margin_spent / before if before > 0 else None


def _spending(spent: Sequence[CameraSpent], titles: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[SpentRow, ...]]:
    """Arrange what was spent by camera and quarter: the last quarters of the ledger, cameras by title."""
    quarters = tuple(sorted({one.quarter for one in spent}))[-QUARTERS:]
    cells = {(one.camera, one.quarter): one for one in spent}
    cameras = sorted({one.camera for one in spent if one.quarter in quarters}, key=lambda name: titles.get(name, name))
    rows = (
        SpentRow(titles.get(camera, camera), slug(camera) if camera in titles else None, _row(cells, camera, quarters))
        for camera in cameras
    )
    return quarters, tuple(rows)


def _row(
    cells: Mapping[tuple[str, str], CameraSpent], camera: str, quarters: Sequence[str]
) -> tuple[CameraSpent | None, ...]:
    return tuple(cells.get((camera, quarter)) for quarter in quarters)


def _ratchet(one: Crept, titles: Mapping[str, str]) -> Ratchet:
    return Ratchet(
        camera=titles.get(one.scope.camera, one.scope.camera),
        metric=one.metric,
        where=where(one.scope),
        first=quantity(one.first, one.unit),
        now=quantity(one.now, one.unit),
        since=day(one.since),
        steps=one.moves,
        share=one.share,
        exceeded=one.exceeded,
    )
