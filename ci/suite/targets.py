"""What each check is made for: a camera, and for those of metrics and algorithms one of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ci.suite.past import metric_name
from qa import baselines
from qa.errors import DocumentError
from qa.judging.manifest import expected
from qa.metrics import catalogue
from qa.model import Lane, Scope, Stage
from qa.plan import stages_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pytest

    from obs_registry.model import Camera

ALGORITHMS = ("isr", "characterize", "coadd")
"""What is timed; named as the tasks of the pipeline that do it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One camera, and what of it one check looks at.

    `check` is the check's name in the record of a run, `needs` the last stage whose data it reads. The verdict of a
    `judged` check is that on a metric, which the run holds: of `series`, or the speed of `task`.
    """

    camera: Camera
    check: str
    id: str
    needs: Stage | None = None
    words: frozenset[str] = frozenset()
    series: tuple[str, Scope] | None = None
    task: str = ""

    @property
    def judged(self) -> bool:
        """Tell whether the check repeats a verdict of the run."""
        return self.series is not None or bool(self.task)


def targets_of(metafunc: pytest.Metafunc, cameras: Iterable[Camera], regression_data: Path) -> list[Target]:
    """Return what a check is made for."""
    marker = metafunc.definition.get_closest_marker("obsqa")
    facts = marker.kwargs if marker else {}
    needs = Stage(facts["needs"]) if facts.get("needs") else None
    words = frozenset(facts.get("words", ()))
    name = metafunc.function.__name__.removeprefix("test_")
    return [
        target
        for camera in cameras
        for target in _of_camera(camera, name, needs, words, each=facts.get("each", ""), data=regression_data)
    ]


def _of_camera(
    camera: Camera, name: str, needs: Stage | None, words: frozenset[str], *, each: str, data: Path
) -> Iterator[Target]:
    match each:
        case "metric":
            for metric, scope in owed(camera, data):
                own = metric_name(metric, scope)
                inside = own.removeprefix("metric[").removesuffix("]")
                yield Target(camera, own, f"{camera.name}-{inside}", needs, words | {metric.lower()}, (metric, scope))
        case "algorithm":
            for task in ALGORITHMS:
                yield Target(camera, f"{name}[{task}]", f"{camera.name}-{task}", needs, words | {task}, task=task)
        case _:
            yield Target(camera, name, camera.name, needs, words)


def owed(camera: Camera, regression_data: Path) -> list[tuple[str, Scope]]:
    """Return the metrics of a camera's data sets of the commit lane that are expected or were once accepted.

    Those of single tasks are left out: what the processing costs is one check. Baselines that cannot be read are told
    by the run, which is not judged then.
    """
    known = catalogue()
    found: set[tuple[str, Scope]] = set()
    for dataset in camera.datasets:
        if dataset.lane.value != Lane.COMMIT.value:
            continue
        found |= expected(camera.name, dataset, known)
        try:
            found |= set(baselines.load(regression_data, camera.name, dataset.name))
        except DocumentError:
            continue
    return sorted((one for one in found if one[1].task is None), key=lambda one: (one[0], str(one[1])))


def stages_by_camera(cameras: Iterable[Camera]) -> dict[str, tuple[Stage, ...]]:
    """Return the stages that the data sets of the commit lane go through, by camera."""
    return {
        camera.name: tuple(
            stage
            for stage in Stage
            if any(stage in stages_of(one) for one in camera.datasets if one.lane.value == Lane.COMMIT.value)
        )
        for camera in cameras
    }
