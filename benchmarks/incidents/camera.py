"""Nights broken by what belongs to one camera: its package or its configuration."""

from __future__ import annotations

from dataclasses import replace

from incidents.nights import history, made, one_camera
from incidents.world import ALL, CAMERAS, Made, World, night, quiet_changes, some_cameras, spoil
from qa.blame import Trial
from qa.judging.judged import Cause


def package(world: World, kind: str, fact: str, *, others: bool = True) -> Made | None:
    """Break one camera by something of its own."""
    quiet = replace_rate(world)
    history(quiet)
    for _ in range(3):
        night(world, ran=some_cameras(world, sure=ALL if others else ()))
    camera = one_camera(world)
    world.touch(fact.format(package=CAMERAS[camera], camera=camera))
    cameras = tuple(name for name in ALL if CAMERAS[name] == CAMERAS[camera]) if "package" in fact else (camera,)
    if world.random.random() < 0.3:
        cameras = (camera,)
    keys = spoil(world, cameras)
    night(world, ran=some_cameras(world, sure=cameras) if others else frozenset(cameras))
    return made(world, kind, (Cause.CAMERA, keys))


def replace_rate(world: World) -> World:
    """Let the stack change once a week at most: where it changes daily, rule 2 asks for a trial."""
    world.stack_rate = 0.1
    return world


def camera_package(world: World) -> Made | None:
    """Let a camera's own package break it."""
    return package(world, "camera's package", "package {package}")


def camera_watched(world: World) -> Made | None:
    """Let a camera's own package break it in a night without other cameras."""
    return package(world, "camera's package, run alone", "package {package}", others=False)


def camera_config(world: World) -> Made | None:
    """Let a camera's own configuration break it."""
    return package(world, "camera's configuration", "config {camera}/twin")


def camera_tried(world: World) -> Made | None:
    """Let a camera's package break it in a night in which the stack changed too; both were swapped back."""
    history(world)
    before = dict(world.facts)
    quiet_changes(world, stack=True)
    camera = one_camera(world)
    own = CAMERAS[camera]
    world.touch(f"package {own}")
    world.facts["host"] = before["host"]
    keys = spoil(world, (camera,))
    night(world, ran=some_cameras(world, sure=(camera,)))
    old = max((run for run in world.nights[:-1] if camera in run.plan.cameras), key=lambda run: run.plan.created)
    now = world.facts
    names = [name.removeprefix("package ") for name in now if name.startswith("package ")]
    changed = {name for name in names if now[f"package {name}"] != old.provenance[f"package {name}"]}
    shared = frozenset(changed - set(CAMERAS.values()))
    trials = (Trial(camera, frozenset({own}), mended=True), Trial(camera, shared, mended=False))
    if old.provenance["host"] != now["host"]:
        return None
    return made(world, "camera's package, stack too, tried", (Cause.CAMERA, keys), trials=trials)


def undecidable(world: World) -> Made | None:
    """As before without a trial: the design asks for ALGORITHM."""
    found = camera_tried(world)
    if found is None:
        return None
    truth = tuple((Cause.ALGORITHM, keys) for _, keys in found.truth)
    return replace(found, kind="camera's package, stack too, untried", truth=truth, trials=())
