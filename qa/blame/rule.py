"""When a camera's package may be blamed at all: the second rule of the design, the algorithm first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.blame import group as of
from qa.blame import wording
from qa.blame.facts import CONFIG, PACKAGE

if TYPE_CHECKING:
    from qa.blame.group import Group, Scene
    from qa.blame.model import Trial


def forbidden(group: Group, scene: Scene) -> str:
    """Say why the camera's package must not be blamed, '' where all that the design asks for is there.

    Only that camera's package or configuration changed, or swapping it back mends what swapping the stack back does
    not; no other camera moved without a cause of its own; data and machine are the same.
    """
    return _not_changed(group, scene) or _something_else(group) or _the_stack(group, scene)


def sorted_trials(group: Group, scene: Scene) -> tuple[list[Trial], list[Trial]]:
    """Return the trials on cameras of a group in which only own packages were swapped back, and only the stack's.

    A trial of some of the stack's changes tells of the stack only when it mends.
    """
    changed = {name.removeprefix(PACKAGE) for name in group.facts(of.stack)}
    own, stack = [], []
    for trial in scene.trials:
        if trial.camera not in group.cameras or trial.camera not in scene.cameras:
            continue
        packages = scene.cameras[trial.camera].packages
        if trial.swapped <= packages:
            own.append(trial)
        elif not trial.swapped & packages and (trial.mended or changed <= trial.swapped):
            stack.append(trial)
    return own, stack


def _not_changed(group: Group, scene: Scene) -> str:
    names = wording.listing(group.cameras)
    changed = group.facts(of.camera)
    if len(group.cameras) > 1 and not _owned_together(group, scene):
        return f"{names} moved together, and nothing of their own that changed is common to them."
    if not changed or not all(one.differences.camera.changed for one in group.members):
        if group.unchanged(of.camera):
            return wording.unchanged(f"what belongs to {names}", group)
        return f"It is not known that the package or configuration of {names} changed."
    return ""


def _owned_together(group: Group, scene: Scene) -> bool:
    """Tell whether all that changed is packages that belong to each of the cameras, as two of one observatory."""
    changed = group.facts(of.camera)
    packages = {name.removeprefix(PACKAGE) for name in changed if not name.startswith(CONFIG)}
    own = [scene.cameras[name].packages for name in group.cameras if name in scene.cameras]
    return len(packages) == len(changed) and all(packages <= known for known in own)


def _something_else(group: Group) -> str:
    if group.elsewhere:
        return f"It is not only the camera's package: {wording.listing(group.elsewhere)} moved, too."
    if not group.unchanged(of.data):
        return "It is not only the camera's package: the data are not known to be the same."
    if group.facts(of.environment):
        return "It is not only the camera's package: the machine changed, too."
    return ""


def _the_stack(group: Group, scene: Scene) -> str:
    """Say what the stack leaves open: swapping back what belongs to the camera must mend it, and the stack not."""
    own, stack = sorted_trials(group, scene)
    if not all(trial.mended for trial in own):
        return "It is not the camera's package: swapping it back does not mend it."
    if any(trial.mended for trial in stack):
        return "It is not only the camera's package: swapping the stack back mends it."
    decided = own and stack and group.facts(of.stack)
    if not group.unchanged(of.stack) and not decided:
        return "It may not be the camera's package: the stack is not known to be the same."
    if any(one.differences.before for one in group.members) and not own:
        return "It may not be the camera's package: the stack changed just before, and an effect may show late."
    return ""
