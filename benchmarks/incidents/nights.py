"""What every kind of made-up night begins and ends with."""

from __future__ import annotations

from incidents.world import ALL, Made, World, night, quiet_changes, some_cameras
from qa.blame.moved import is_moved
from qa.judging.judged import Cause


def history(world: World, *, stack: bool | None = None) -> None:
    """Let some quiet nights pass; what changed in them did no harm."""
    for _ in range(world.random.integers(3, 8)):
        quiet_changes(world, stack=stack)
        night(world, ran=some_cameras(world, sure=ALL if not world.nights else ()))


def one_camera(world: World) -> str:
    """Choose a camera."""
    return str(world.random.choice(ALL))


def made(world: World, kind: str, *causes: tuple[Cause, frozenset], **more: object) -> Made | None:
    """Return what was made of the last night; None where nothing crossed a threshold."""
    record, earlier = world.nights[-1], tuple(world.nights[:-1])
    crossed = {(one.metric, one.scope) for one in record.comparisons if is_moved(one)}
    truth = [(cause, frozenset(keys) & crossed) for cause, keys in causes]
    by_noise = crossed - frozenset().union(*(keys for _, keys in causes))
    if any(cause is not Cause.NOISE and not keys for cause, keys in truth):
        return None
    if not causes:
        truth = [(Cause.NOISE, frozenset(by_noise))]
    if any(not keys for _, keys in truth):
        return None
    by_stack = frozenset(key for cause, keys in causes if cause is Cause.ALGORITHM for key in keys)
    return Made(kind, record, earlier, tuple(truth), by_stack, **more)
