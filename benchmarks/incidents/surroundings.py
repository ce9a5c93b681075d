"""Nights broken by data, or by the machine they ran on."""

from __future__ import annotations

from incidents.nights import history, made, one_camera
from incidents.stack import later
from incidents.world import ALL, HARDWARE, RESOURCES, Made, World, night, quiet_changes, some_cameras, spoil
from qa.judging.judged import Cause


def of_data(world: World, kind: str, fact: str) -> Made | None:
    """Change one camera's data; in half of the cases the stack changed harmlessly as well."""
    history(world)
    quiet_changes(world)
    camera = one_camera(world)
    world.touch(fact.format(camera=camera))
    keys = spoil(world, (camera,), share=float(world.random.uniform(0.3, 0.95)))
    night(world, ran=some_cameras(world, sure=(camera,)))
    later(world, (camera,))
    return made(world, kind, (Cause.DATA, keys))


def recipe(world: World) -> Made | None:
    """Another recipe of the sky."""
    return of_data(world, "data recipe", "data {camera}/twin")


def calibrations(world: World) -> Made | None:
    """Other calibrations."""
    return of_data(world, "calibrations", "calibrations {camera}/twin")


def refcat(world: World) -> Made | None:
    """Another reference catalogue."""
    return of_data(world, "reference catalogue", "refcat {camera}/twin")


def drawn_anew(world: World) -> Made | None:
    """All twins are drawn in a new way."""
    history(world)
    quiet_changes(world)
    for camera in ALL:
        world.touch(f"data {camera}/twin")
    keys = spoil(world, ALL, share=0.8)
    night(world, ran=some_cameras(world))
    return made(world, "data of all cameras", (Cause.DATA, keys))


def host(world: World, *, with_stack: bool | None = None, kind: str = "host, slower") -> Made | None:
    """Take a slower machine: times rise everywhere."""
    history(world)
    quiet_changes(world, stack=with_stack)
    for fact in HARDWARE[: world.random.integers(1, 4)]:
        world.touch(fact)
    world.machine = float(world.random.uniform(2.5, 5))
    night(world, ran=some_cameras(world))
    keys = [key for key in world.level if key[0] in RESOURCES]
    return made(world, kind, (Cause.ENVIRONMENT, frozenset(keys)))


def host_and_stack(world: World) -> Made | None:
    """Take a slower machine, and a harmless change of the stack."""
    return host(world, with_stack=True, kind="host, slower; stack harmless")


def threads(world: World) -> Made | None:
    """Let another order of summing move last digits beyond a tolerance that is too tight."""
    world.exact, world.spread = (
        True,
        {key: 0.2 * world.level[key] if key[0] in RESOURCES else 0.0 for key in world.spread},
    )
    history(world)
    quiet_changes(world, stack=False)
    world.touch(str(world.random.choice(["threads", "cpu"])))
    keys = {key for key, error in world.stderr.items() if error and world.random.random() < 0.3}
    for key in keys:
        world.level[key] += world.random.choice([-1, 1]) * world.random.uniform(0.15, 0.24) * world.stderr[key]
    night(world, ran=some_cameras(world))
    return made(world, "threads or processor, last digits", (Cause.ENVIRONMENT, frozenset(keys)))


def container(world: World) -> Made | None:
    """Another container or system, whose libraries give other values."""
    history(world)
    quiet_changes(world, stack=False)
    whole = world.random.random() < 0.5
    camera = one_camera(world)
    world.touch("os" if whole else f"container {camera}")
    keys = spoil(world, ALL if whole else (camera,))
    night(world, ran=some_cameras(world, sure=(camera,)))
    return made(world, "container or system", (Cause.ENVIRONMENT, keys))
