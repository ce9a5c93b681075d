"""What is known of the environments of LSST stacks before a night: which data can be had in them, and their packages.

A data set of the kind `butler` can be had where the environment variables that it names are set.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from obs_registry.model import Stored
from qa.engines.commands import runner_for
from qa.engines.stack_ask import put
from qa.errors import ObsqaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from obs_registry.model import Camera, Runtime
    from qa.engines.commands import Runner

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


def unavailable(
    cameras: Iterable[Camera],
    lane: str,
    *,
    environ: Mapping[str, str] = os.environ,
    runner: Callable[[Runtime], Runner] = runner_for,
) -> dict[tuple[str, str], str]:
    """Return why data sets of a lane cannot be had here, by camera and data set.

    What a set-up script or an image sets is asked for there. One that fails says nothing of the data: the step that
    needs it fails, and says why.
    """
    found: dict[tuple[str, str], str] = {}
    for camera in cameras:
        stored = [one for one in camera.datasets if isinstance(one, Stored) and one.lane.value == lane]
        names = tuple(dict.fromkeys(name for one in stored for name in one.variables))
        unset = _unset(camera.runtime, names, environ, runner) if names else frozenset()
        found |= {(camera.name, one.name): why for one in stored if (why := _why(one, unset))}
    return found


def unset_here(camera: Camera, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return why data sets cannot be had in this very environment, by name; nothing is run to find out."""
    if camera.runtime.setup is not None or camera.runtime.image is not None:
        return {}
    stored = [one for one in camera.datasets if isinstance(one, Stored)]
    return {one.name: why for one in stored if (why := _why(one, _not_in(environ, one.variables)))}


def stack_facts(
    cameras: Iterable[Camera], planned: Iterable[tuple[str, str]], *, runner: Callable[[Runtime], Runner] = runner_for
) -> dict[str, str]:
    """Return facts of the environments that planned data sets are processed in, `package NAME@CAMERA`.

    Only a camera with a set-up script or an image has an environment of its own. One that cannot be asked has no facts:
    the step that needs it fails, and says why.
    """
    places = set(planned)
    facts: dict[str, str] = {}
    for camera in cameras:
        stored = any(isinstance(one, Stored) and (camera.name, one.name) in places for one in camera.datasets)
        if stored and (camera.runtime.setup is not None or camera.runtime.image is not None):
            answer = _asked(camera.runtime, {"task": "software", "names": [camera.package.name]}, {}, runner)
            facts |= {f"package {name}@{camera.name}": version for name, version in answer.get("packages", {}).items()}
            if "python" in answer:
                facts[f"package python@{camera.name}"] = answer["python"]
    return facts


def filled_in(text: str, environ: Mapping[str, str]) -> str:
    """Fill in those of a text's environment variables that are set."""
    return _VARIABLE.sub(lambda found: environ.get(found[1] or found[2]) or found[0], text)


def _unset(
    runtime: Runtime, names: tuple[str, ...], environ: Mapping[str, str], runner: Callable[[Runtime], Runner]
) -> frozenset[str]:
    here = _not_in(environ, names)
    if runtime.setup is None and runtime.image is None:
        return here
    known = {name: environ[name] for name in names if name not in here}
    return frozenset(_asked(runtime, {"task": "variables", "names": list(names)}, known, runner).get("unset", ()))


def _asked(
    runtime: Runtime,
    request: Mapping[str, object],
    env: Mapping[str, str],
    runner: Callable[[Runtime], Runner],
) -> dict[str, Any]:
    with suppress(ObsqaError), tempfile.TemporaryDirectory(prefix="obsqa-") as place:
        folder = Path(place)
        answer, _ = put(runner(runtime), request, folder=folder, log=folder / "log", stop=Event(), env=env)
        return answer
    return {}


def _not_in(environ: Mapping[str, str], names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in names if not environ.get(name))


def _why(dataset: Stored, unset: frozenset[str]) -> str:
    missing = [name for name in dataset.variables if name in unset]
    if not missing:
        return ""
    some = "the environment variables" if len(missing) > 1 else "the environment variable"
    return f"{some} {' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not set"
