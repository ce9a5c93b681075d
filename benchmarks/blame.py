"""How often attribution names the right cause: made-up incidents of all kinds, and the table of what they were called.

usage: python benchmarks/blame.py [--each N] [--seed S] [--verbose]

Ends with 1 when fewer than 95 % are right, or when a single incident caused by the stack is called CAMERA.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from incidents import (
    CAMERAS,
    DEFINITIONS,
    FACTS,
    HARDWARE,
    RESOURCES,
    Made,
    World,
    a_world,
    night,
    quiet_changes,
    some_cameras,
    spoil,
)

from qa.blame import Rerun, Trial, attribute, windows
from qa.blame.moved import is_moved
from qa.judging.judged import Cause, Incident

LEAST = 0.95
MOST_TRIES = 10
"""Nights that are made for one that counts: in some nothing crosses a threshold."""

ALL = tuple(CAMERAS)


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


KINDS = (
    *(stack_all, stack_some, stack_one, stack_and_package, stack_and_host, stack_late, stack_unseen, task_slower),
    *(without_facts, first_run, camera_package, camera_watched, camera_config, camera_tried, undecidable),
    *(recipe, calibrations, refcat, drawn_anew, host, host_and_stack, threads, container),
    *(noise, noise_in_changes, noise_rerun, stack_and_data, stack_and_slower),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cause of a made-up night: what it was, what it was called, and whether its series came as one incident."""

    kind: str
    cause: Cause
    called: Cause
    whole: bool
    guilty: bool


def judge(one: Made) -> list[Outcome]:
    """Attribute a made-up night, and compare with what was done to it."""
    found = attribute(
        one.record.comparisons,
        windows=windows(one.record, one.record.comparisons, earlier=one.earlier),
        cameras=FACTS,
        definitions=DEFINITIONS,
        trials=one.trials,
        reruns=one.reruns,
    )
    return [_outcome(one, cause, keys, found) for cause, keys in one.truth]


def _outcome(one: Made, cause: Cause, keys: frozenset, found: tuple[Incident, ...]) -> Outcome:
    shares = Counter({incident.id + incident.cause: len(keys & set(incident.members)) for incident in found})
    name, share = shares.most_common(1)[0]
    called = next(incident.cause for incident in found if incident.id + incident.cause == name)
    guilty = any(incident.cause is Cause.CAMERA and one.by_stack & set(incident.members) for incident in found)
    return Outcome(one.kind, cause, called, share >= 0.8 * len(keys), guilty)


def run(each: int, seed: int) -> list[Outcome]:
    """Make and judge so many nights of each kind."""
    outcomes = []
    for number, kind in enumerate(KINDS):
        random, done = np.random.default_rng([seed, number]), 0
        for _ in range(MOST_TRIES * each):
            if done == each:
                break
            one = kind(a_world(random))
            if one is not None:
                outcomes += judge(one)
                done += 1
    return outcomes


def table(outcomes: list[Outcome]) -> str:
    """Lay out what causes were called, then the share right by kind."""
    lines = [f"{'true cause':>13} | " + " ".join(f"{cause.value:>11}" for cause in Cause)]
    for cause in Cause:
        called = Counter(one.called for one in outcomes if one.cause is cause)
        lines.append(f"{cause.value:>13} | " + " ".join(f"{called[other]:>11}" for other in Cause))
    lines.append("")
    for kind in dict.fromkeys(one.kind for one in outcomes):
        own = [one for one in outcomes if one.kind == kind]
        right = sum(one.called is one.cause for one in own)
        whole = sum(one.whole for one in own)
        lines.append(f"{kind:<38} {right:>4} of {len(own):>4} right, {whole / len(own):>4.0%} as one incident")
    return "\n".join(lines)


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=40, help="nights of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", action="store_true", help="show the wrong ones with their evidence")
    given = parser.parse_args()
    began = time.process_time()
    outcomes = run(given.each, given.seed)
    right = sum(one.called is one.cause for one in outcomes) / len(outcomes)
    guilty = sum(one.guilty for one in outcomes)
    print(table(outcomes))
    print(f"\n{len(outcomes)} incidents: {right:.1%} right; caused by the stack and called CAMERA: {guilty}")
    print(f"{time.process_time() - began:.0f} s CPU")
    return 0 if right >= LEAST and guilty == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
