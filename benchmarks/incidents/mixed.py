"""Nights broken by nothing but noise, by two causes at once, or told with facts missing."""

from __future__ import annotations

from dataclasses import replace

from incidents.nights import history, made
from incidents.stack import stack_all, stack_and_package, stack_one, stack_some
from incidents.world import ALL, RESOURCES, Made, World, night, quiet_changes, some_cameras, spoil
from qa.blame import Rerun
from qa.blame.moved import is_moved
from qa.judging.judged import Cause


def noise(world: World, *, changes: bool | None = False, kind: str = "noise, nothing changed") -> Made | None:
    """Wait for a night in which something crosses by itself."""
    world.exact, world.stack_rate = False, 0.3
    for key in world.spread:
        world.spread[key] = world.spread[key] or world.baselines[key].tolerance
    history(world)
    for _ in range(20):
        quiet_changes(world, stack=changes)
        night(world, ran=some_cameras(world))
        if any(is_moved(one) for one in world.nights[-1].comparisons):
            return made(world, kind)
    return None


def noise_in_changes(world: World) -> Made | None:
    """Do the same in nights in which things change harmlessly."""
    return noise(world, changes=None, kind="noise, harmless changes")


def noise_rerun(world: World) -> Made | None:
    """Do the same, and process a second time, with another outcome."""
    found = noise(world, changes=True, kind="noise, harmless changes, rerun")
    if found is None:
        return None
    keys = found.truth[0][1]
    return replace(found, reruns=tuple(Rerun(*key, repeated=bool(world.random.random() < 0.1)) for key in keys))


def stack_and_data(world: World) -> Made | None:
    """Two causes in one night: the stack breaks some cameras, and another one's data change."""
    history(world)
    quiet_changes(world, stack=True)
    order = tuple(map(str, world.random.permutation(ALL)))
    world.touch(f"data {order[0]}/twin")
    by_data, by_stack = spoil(world, order[:1], share=0.7), spoil(world, order[1 : 1 + world.random.integers(1, 4)])
    night(world, ran=frozenset(ALL))
    return made(world, "stack and one camera's data", (Cause.ALGORITHM, by_stack), (Cause.DATA, by_data))


def stack_and_slower(world: World) -> Made | None:
    """Two causes in one night: the stack breaks cameras, and the machine is slower."""
    history(world)
    quiet_changes(world, stack=True)
    world.touch("host")
    world.machine = float(world.random.uniform(2.5, 5))
    by_stack = spoil(world, ALL[: world.random.integers(1, 6)])
    times = frozenset(key for key in world.level if key[0] in RESOURCES)
    night(world, ran=frozenset(ALL))
    return made(world, "stack, and a slower host", (Cause.ALGORITHM, by_stack), (Cause.ENVIRONMENT, times))


def without_facts(world: World) -> Made | None:
    """Change the stack, and lose half of the facts."""
    found = stack_some(world) if world.random.random() < 0.5 else stack_and_package(world)
    if found is None:
        return None
    lost = {name for name in world.facts if world.random.random() < 0.5}
    runs = [
        replace(run, provenance={k: v for k, v in run.provenance.items() if k not in lost})
        for run in (found.record, *found.earlier)
    ]
    return replace(found, kind="stack, facts missing", record=runs[0], earlier=tuple(runs[1:]))


def first_run(world: World) -> Made | None:
    """Nothing is known of any run before."""
    found = stack_all(world) if world.random.random() < 0.5 else stack_one(world)
    return found and replace(found, kind="stack, first run", earlier=())
