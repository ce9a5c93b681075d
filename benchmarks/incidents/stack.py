"""Nights broken by a change of the stack, in many cameras or in one."""

from __future__ import annotations

from incidents.nights import history, made, one_camera
from incidents.world import ALL, CAMERAS, HARDWARE, Made, World, night, quiet_changes, some_cameras, spoil
from qa.judging.judged import Cause


def stack(world: World, cameras: tuple[str, ...], kind: str, *, own: bool = False, other: str = "") -> Made | None:
    """Break algorithms for cameras; `own` changes the package of the first one as well, `other` a harmless fact."""
    history(world)
    quiet_changes(world, stack=True)
    if own:
        world.touch(f"package {CAMERAS[cameras[0]]}")
    if other:
        world.touch(other)
    keys = spoil(world, cameras, crash=world.random.random() < 0.15)
    night(world, ran=some_cameras(world, sure=cameras))
    later(world, cameras)
    return made(world, kind, (Cause.ALGORITHM, keys))


def later(world: World, cameras: tuple[str, ...]) -> None:
    """In some cases look only a night or two later."""
    for _ in range(int(world.random.choice([0, 0, 0, 1, 2]))):
        quiet_changes(world)
        night(world, ran=some_cameras(world, sure=cameras))


def stack_all(world: World) -> Made | None:
    """Let a change of the stack show in all cameras."""
    return stack(world, ALL, "stack, all cameras")


def stack_some(world: World) -> Made | None:
    """Let a change of the stack show in some cameras."""
    count = int(world.random.integers(2, 5))
    return stack(world, tuple(map(str, world.random.choice(ALL, count, replace=False))), "stack, some cameras")


def stack_one(world: World) -> Made | None:
    """Only one camera's data exercise what broke."""
    return stack(world, (one_camera(world),), "stack, one camera")


def stack_and_package(world: World) -> Made | None:
    """As before, and that camera's package changed harmlessly in the same night."""
    return stack(world, (one_camera(world),), "stack, one camera, its package too", own=True)


def stack_and_host(world: World) -> Made | None:
    """Let the stack break something, and the machine change, harmlessly."""
    count = int(world.random.integers(1, 6))
    cameras = tuple(map(str, world.random.choice(ALL, count, replace=False)))
    return stack(world, cameras, "stack, another host too", other=str(world.random.choice(HARDWARE)))


def stack_late(world: World) -> Made | None:
    """Show the effect a night or two after the change, a night in which the camera's package changes harmlessly."""
    history(world)
    camera = one_camera(world)
    quiet_changes(world, stack=True)
    night(world, ran=frozenset(ALL))
    if world.random.random() < 0.5:
        quiet_changes(world, stack=False)
        night(world, ran=frozenset(ALL))
    if world.random.random() < 0.5:
        world.touch(f"package {CAMERAS[camera]}")
    keys = spoil(world, (camera,))
    night(world, ran=some_cameras(world, sure=(camera,)))
    return made(world, "stack, shows late", (Cause.ALGORITHM, keys))


def stack_unseen(world: World) -> Made | None:
    """Leave the camera out when the stack changes; its package changes, harmlessly, in a night between."""
    history(world)
    camera = one_camera(world)
    quiet_changes(world, stack=True)
    night(world, ran=frozenset(ALL) - {camera})
    for _ in range(world.random.integers(1, 4)):
        quiet_changes(world, stack=False)
        if world.random.random() < 0.5:
            world.touch(f"package {CAMERAS[camera]}")
        night(world, ran=some_cameras(world) - {camera} or frozenset(set(ALL) - {camera}))
    keys = spoil(world, (camera,))
    night(world, ran=some_cameras(world, sure=(camera,)))
    return made(world, "stack, camera not run then", (Cause.ALGORITHM, keys))


def task_slower(world: World) -> Made | None:
    """Let a change of the stack make one task slower for everybody."""
    history(world)
    quiet_changes(world, stack=True)
    task = str(world.random.choice(["isr", "characterize", "coadd"]))
    keys = [key for key in world.level if key[0] == "cpu_per_megapixel" and key[1].task == task]
    for key in keys:
        world.level[key] *= float(world.random.uniform(3, 6))
    night(world, ran=some_cameras(world))
    return made(world, "stack, one task slower", (Cause.ALGORITHM, frozenset(keys)))
