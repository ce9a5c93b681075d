"""The evidence on a group of series that moved: each observation with the cause it favours and its weight."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from qa.blame import group as of
from qa.blame import weights, wording
from qa.blame.chance import coincidence
from qa.blame.facts import CONTAINER, SYSTEM
from qa.blame.rule import forbidden, sorted_trials
from qa.judging.judged import Cause, Evidence, ShiftKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qa.blame.group import Group, Scene


def of_stack(group: Group, _scene: Scene) -> Iterator[Evidence]:
    """Weigh whether the software common to all cameras changed."""
    changed = group.facts(of.stack)
    before = dict.fromkeys(name for one in group.members for name in one.differences.before)
    if changed:
        yield _algorithm(weights.STACK_CHANGED, wording.changed("the stack", changed, group))
    elif group.unchanged(of.stack):
        yield _algorithm(weights.STACK_SAME, wording.unchanged("the stack", group))
    if before and not changed:
        yield _algorithm(weights.STACK_BEFORE, wording.before(tuple(before)))


def of_camera(group: Group, scene: Scene) -> Iterator[Evidence]:
    """Weigh whether the package or configuration of the camera changed, where the design lets it be blamed at all."""
    if against := forbidden(group, scene):
        yield Evidence(Cause.CAMERA, weights.VETO, against)
        return
    own = f"what belongs to {wording.listing(group.cameras)}"
    text = wording.changed(own, group.facts(of.camera), group)
    yield Evidence(Cause.CAMERA, weights.CAMERA_CHANGED, text)


def of_others(group: Group, scene: Scene) -> Iterator[Evidence]:
    """Weigh which cameras moved together and which, with the same software, did not."""
    steady = sorted(scene.measured - {*group.cameras, *group.elsewhere})
    together = min(len(group.cameras) - 1, weights.MOST_TOGETHER)
    elsewise = group.facts(of.camera) or group.facts(of.data) or group.facts(of.environment)
    shared = not elsewise and not _of_unknown_machine(group) and not group.unchanged(of.stack)
    if together and shared:
        text = f"{len(group.cameras)} cameras moved, and what they share is the stack."
        yield _algorithm(together * weights.TOGETHER, text)
    alone = min(len(steady), weights.MOST_ALONE) * weights.ALONE
    if steady and group.facts(of.stack):
        text = f"{wording.listing(steady)} ran with the same stack and did not move."
        yield _algorithm(-alone, text)
    elif steady and group.facts(of.camera):
        text = f"{wording.listing(steady)} ran with the same stack and did not move."
        yield Evidence(Cause.CAMERA, alone, text)


def of_data(group: Group, _scene: Scene) -> Iterator[Evidence]:
    """Weigh whether the data changed: what was drawn, the calibrations, the reference catalogue, the exposures."""
    changed = group.facts(of.data)
    if changed:
        yield Evidence(Cause.DATA, weights.DATA_CHANGED, wording.changed("the data", changed, group))
    elif group.unchanged(of.data):
        yield Evidence(Cause.DATA, weights.DATA_SAME, wording.unchanged("the data", group))
        if any(one.truth for one in group.members):
            text = "Metrics that are measured against the known truth moved, on data that are the same."
            yield Evidence(Cause.DATA, weights.TRUTH_MOVED, text)
    elif any(one.fewer for one in group.members):
        text = "Metrics of single visits rest on another number of visits than before."
        yield Evidence(Cause.DATA, weights.OTHER_EXPOSURES, text)


def of_environment(group: Group, _scene: Scene) -> Iterator[Evidence]:
    """Weigh whether host, processor, threads, system or container changed, and whether that shows in such metrics."""
    changed = group.facts(of.environment)
    if _of_unknown_machine(group):
        text = "No known run had what was accepted: it may have been accepted on another machine."
        yield Evidence(Cause.ENVIRONMENT, weights.HOST_UNKNOWN, text)
        yield from _of_resources(group)
        return
    if not changed:
        if group.unchanged(of.environment):
            yield Evidence(Cause.ENVIRONMENT, weights.HOST_SAME, wording.unchanged("the machine", group))
        return
    yield Evidence(
        Cause.ENVIRONMENT, weights.HOST_CHANGED, wording.changed("the machine or its system", changed, group)
    )
    if all(one.resource for one in group.members):
        yield from _of_resources(group)
    elif _mostly_small(group):
        text = "Hardly anything moved by more than a quarter of its sampling error, as another order of summing does."
        yield Evidence(Cause.ENVIRONMENT, weights.SMALL_MOVES, text)
    elif any(name.startswith(CONTAINER) or name.partition(" ")[0] in SYSTEM for name in changed):
        text = "What was measured moved by more than rounding, for which only the software of a system can be at fault."
        yield Evidence(Cause.ENVIRONMENT, weights.LARGE_ON_SYSTEM, text)
    else:
        text = "What was measured moved by more than rounding, which another machine does not do."
        yield Evidence(Cause.ENVIRONMENT, weights.LARGE_ON_HARDWARE, text)


def _of_unknown_machine(group: Group) -> bool:
    return all(one.of_unknown_machine for one in group.members)


def _mostly_small(group: Group) -> bool:
    sizes = [one.small for one in group.members if one.errors is not None]
    return bool(sizes) and sum(sizes) >= weights.MOSTLY_SMALL * len(sizes)


def _of_resources(group: Group) -> Iterator[Evidence]:
    tasks = {one.key[1].task for one in group.members}
    if len(group.members) > 1 and len(tasks) == 1 and None not in tasks:
        text = f"Only the task {tasks.pop()} takes more, where another machine would change all."
        yield Evidence(Cause.ENVIRONMENT, weights.ONE_TASK, text)
        return
    text = "Only time and memory moved, which depend on the machine."
    yield Evidence(Cause.ENVIRONMENT, weights.RESOURCES_ONLY, text)
    yield _algorithm(weights.RESOURCES_BY_STACK, "No measured quantity moved.")


def of_noise(group: Group, scene: Scene) -> Iterator[Evidence]:
    """Weigh whether so much moves by itself: size and number of the moves, their past, and whether they repeat."""
    yield from _of_chance(group, scene)
    yield from _of_repeats(group, scene)
    same = min(one.window.same if one.window else 0 for one in group.members)
    if same >= weights.FEWEST_SAME:
        text = f"The {same} runs before gave the very same values, to the last digit."
        yield Evidence(Cause.NOISE, weights.SAME_BITS, text)
    flips = min(*(one.window.flips if one.window else 0 for one in group.members), weights.MOST_FLIPS)
    if flips:
        text = f"It went off and came back by itself {wording.times(flips)} before."
        yield Evidence(Cause.NOISE, flips * weights.FLIP, text)
    stood = min(min(one.window.stood if one.window else 1 for one in group.members) - 1, weights.MOST_STOOD)
    if stood:
        text = f"It has stayed where it is for {stood + 1} runs or more."
        yield Evidence(Cause.NOISE, stood * weights.STOOD, text)
    if nothing_changed(group):
        text = "Nothing that could have moved it is known to have changed."
        yield Evidence(Cause.NOISE, weights.NOTHING_CHANGED, text)


def _of_chance(group: Group, scene: Scene) -> Iterator[Evidence]:
    if any(one.missing for one in group.members):
        yield Evidence(Cause.NOISE, weights.CHANCE_RANGE[0], "A metric that was measured before is missing.")
        return
    lasting = [one.shift for one in group.members if one.shift is not None]
    steps = [one.chance for one in lasting if one.kind is not ShiftKind.SPIKE]
    found = coincidence(group.members, scene.judged)
    if steps:
        chance = min(steps)
        text = f"The history shows a lasting change, of which there is a chance of {chance:.2g} in a night without one."
        yield Evidence(Cause.NOISE, _by_chance(chance), text)
    elif found is not None:
        count, mean, chance = found
        text = wording.chance(count, mean, scene.judged)
        yield Evidence(Cause.NOISE, _by_chance(chance), text)
    if lasting and not steps:
        yield Evidence(Cause.NOISE, weights.SPIKE, "The history shows a single value out of line.")


def _by_chance(chance: float) -> float:
    low, high = weights.CHANCE_RANGE
    return max(low, min(high, math.log(chance / weights.REAL))) if chance > 0 else low


def _of_repeats(group: Group, scene: Scene) -> Iterator[Evidence]:
    known = [scene.reruns[one.key].repeated for one in group.members if scene.reruns and one.key in scene.reruns]
    repeated = sum(known)
    if known and 2 * repeated >= len(known):
        text = f"Processed a second time, {repeated} of {len(known)} came out moved again."
        yield Evidence(Cause.NOISE, weights.REPEATED, text)
    elif known:
        text = f"Processed a second time, {len(known) - repeated} of {len(known)} came out as they were."
        yield Evidence(Cause.NOISE, weights.NOT_REPEATED, text)


def of_trials(group: Group, scene: Scene) -> Iterator[Evidence]:
    """Weigh what became of it when packages were swapped back: the camera's own, and those of the stack."""
    for cause, trials in zip((Cause.CAMERA, Cause.ALGORITHM), sorted_trials(group, scene), strict=True):
        if not trials:
            continue
        failed = [trial for trial in trials if not trial.mended]
        shown = (failed or trials)[0]
        text = f"Swapping {wording.listing(sorted(shown.swapped))} back {'does not mend' if failed else 'mends'} it."
        yield Evidence(cause, weights.NOT_MENDED if failed else weights.MENDED, text)


def nothing_changed(group: Group) -> bool:
    """Tell whether it is known that neither stack nor data changed, and nothing of camera and machine did."""
    known = group.unchanged(of.stack) and group.unchanged(of.data)
    return known and not group.facts(of.camera) and not group.facts(of.environment)


def _algorithm(weight: float, text: str) -> Evidence:
    return Evidence(Cause.ALGORITHM, weight, text)


OBSERVATIONS = (of_stack, of_camera, of_others, of_data, of_environment, of_noise, of_trials)
