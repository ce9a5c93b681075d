"""Reads the camera files: the shipped ones, folders named by the caller, and those of installed packages.

The entries of services, which have tests and no instrument, are files in the folder `services` of such a folder.

Every fault of every file is collected, with file, line, key, what was required and what was found. A faulty file
harms no other camera: `read_registry` returns the healthy ones beside the faults, `load_registry` insists on a
registry without fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from obs_registry.document import Document, YamlError, parse
from obs_registry.errors import Fault, RegistryError
from obs_registry.model import Camera, Stored, Suite
from obs_registry.services import Service
from obs_registry.wording import faults_of, shown

if TYPE_CHECKING:
    from obs_registry.datasets import AnyDataset

SCHEMA = 1
SHIPPED = Path(__file__).resolve().parent / "cameras"
SERVICES = "services"
"""Name of the folder, beside camera files, of the files of services."""
PLUGINS = "obsqa.cameras"
"""Entry-point group: each entry names a package whose folder holds camera files."""


class Registry(Mapping[str, Camera]):
    """Cameras by name, in the order they were read, each with the file it came from."""

    def __init__(self, cameras: Iterable[tuple[Camera, Path]] = ()) -> None:
        self._entries = {camera.name: (camera, path) for camera, path in cameras}

    def __getitem__(self, name: str) -> Camera:
        return self._entries[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def path(self, name: str) -> Path:
        """Return the file a camera came from."""
        return self._entries[name][1]


@dataclass(frozen=True, slots=True)
class Reading:
    """The cameras without fault, and every fault of the other files."""

    registry: Registry
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class CameraFile:
    """What one camera file says: a camera, or the faults it has instead.

    `name` and `line` are the camera's name and where it stands, known even of an entry with faults.
    """

    camera: Camera | None
    faults: tuple[Fault, ...]
    name: str | None = None
    line: int = 0


def load_registry(folders: Iterable[Path] = (), *, shipped: Path = SHIPPED, plugins: bool = True) -> Registry:
    """Read all camera files and insist that none has a fault.

    Parameters
    ----------
    folders
        Folders of camera files beside the shipped ones.
    shipped
        The folder of the shipped camera files.
    plugins
        Whether to read the camera files of installed packages, too.

    Raises
    ------
    RegistryError
        With every fault of every file.
    """
    reading = read_registry(folders, shipped=shipped, plugins=plugins)
    if reading.faults:
        raise RegistryError(reading.faults)
    return reading.registry


def read_registry(folders: Iterable[Path] = (), *, shipped: Path = SHIPPED, plugins: bool = True) -> Reading:
    """Read all camera files, healthy and faulty; the parameters are those of `load_registry`."""
    cameras: list[tuple[Camera, Path]] = []
    faults: list[Fault] = []
    owners: dict[str, str] = {}
    for place in _files([shipped, *folders, *(_plugin_folders() if plugins else ())]):
        if isinstance(place, Fault):
            faults.append(place)
            continue
        entry = read_file(place)
        wrong = [*entry.faults, *_duplicate(entry, place, owners)]
        faults += sorted(wrong, key=attrgetter("line"))
        if entry.camera is not None and not wrong:
            cameras.append((entry.camera, place))
    return Reading(Registry(cameras), tuple(faults))


def read_file(path: Path) -> CameraFile:
    """Read one camera file, which must be called like its camera."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return CameraFile(None, (Fault(str(path), 0, "", "readable text in UTF-8", str(error)),))
    entry = _with_places(_with_profile(parse_camera(text, str(path), kind=_kind_in(path.parent)), path), path)
    if entry.name in {None, path.stem}:
        return entry
    fault = Fault(str(path), entry.line, "name", f"{path.stem!r}, like the file", repr(entry.name))
    return CameraFile(None, (*entry.faults, fault), entry.name, entry.line)


def _kind_in(folder: Path) -> type[Camera]:
    return Service if folder.name == SERVICES else Camera


def parse_camera(text: str, file: str, *, kind: type[Camera] = Camera) -> CameraFile:
    """Read the text of a camera file, or of a service's; `file` is how faults call it."""
    try:
        document = parse(text)
    except YamlError as error:
        return CameraFile(
            None, (Fault(file, error.line, "", "one document of plain YAML", f"an error: {error.problem}"),)
        )
    if not isinstance(document.value, dict):
        return CameraFile(None, (Fault(file, 1, "", "a mapping of keys", shown(document.value)),))
    name = document.value.get("name")
    camera, faults = _validate(document, file, kind)
    return CameraFile(camera, faults, name if isinstance(name, str) else None, document.line("name"))


def _validate(document: Document, file: str, kind: type[Camera]) -> tuple[Camera | None, tuple[Fault, ...]]:
    faults = [Fault(file, line, ".".join(key), "each key once", "the key again") for key, line in document.repeated]
    entry = dict(document.value)
    number = entry.pop("schema", None)
    if number != SCHEMA or isinstance(number, bool):
        required = f"{SCHEMA}, the format this version reads"
        faults.append(Fault(file, document.line("schema"), "schema", required, shown(number)))
        if number is not None:  # a file in another format: its other keys mean something else
            return None, tuple(faults)
    try:
        camera = kind.model_validate(entry)
    except ValidationError as error:
        return None, (*faults, *faults_of(error, document, file))
    return (None if faults else camera), tuple(faults)


def _with_profile(entry: CameraFile, path: Path) -> CameraFile:
    """Find the camera's requirements profile if it is a file of the user's: beside the camera file.

    A path is seen from the camera file's folder; a name may be that of a file in the folder `requirements` there.
    """
    if entry.camera is None:
        return entry
    requirements = entry.camera.requirements
    is_path = "/" in requirements.profile or requirements.profile.endswith(".yaml")
    place = path.parent / (requirements.profile if is_path else f"requirements/{requirements.profile}.yaml")
    if place.is_file():
        found = requirements.model_copy(update={"profile": str(place.resolve())})
        return replace(entry, camera=entry.camera.model_copy(update={"requirements": found}))
    if is_path:
        line = parse(path.read_text(encoding="utf-8")).line("requirements", "profile")
        required = "a file, seen from the folder of the camera's"
        fault = Fault(str(path), line, "requirements.profile", required, f"none at {place}")
        return replace(entry, camera=None, faults=(fault,))
    return entry


def _with_places(entry: CameraFile, path: Path) -> CameraFile:
    """Take relative paths of a set-up script, a repository and a pipeline as seen from the camera file's folder."""
    camera = entry.camera
    if camera is None:
        return entry

    def placed(text: str) -> str:
        relative = "/" in text and not text.startswith(("/", "$")) and "://" not in text
        return str(path.parent.resolve() / text) if relative else text

    datasets = tuple(_placed_in(one, placed) for one in camera.datasets)
    runtime = camera.runtime
    if runtime.setup is not None and runtime.image is None:
        runtime = runtime.model_copy(update={"setup": placed(_as_path(runtime.setup))})
    return replace(entry, camera=camera.model_copy(update={"datasets": datasets, "runtime": runtime}))


def _placed_in(dataset: AnyDataset, placed: Callable[[str], str]) -> AnyDataset:
    match dataset:
        case Stored():
            places = {"repository": placed(dataset.repository), "pipeline": placed(dataset.pipeline)}
            return dataset.model_copy(update=places)
        case Suite() if dataset.source is not None:
            return dataset.model_copy(update={"source": placed(_as_path(dataset.source))})
    return dataset


def _as_path(text: str) -> str:
    """Write the name of a file in this folder as a path."""
    return text if "/" in text or text.startswith("$") else f"./{text}"


def _duplicate(entry: CameraFile, path: Path, owners: dict[str, str]) -> Iterator[Fault]:
    """Compare a camera's name with those of the files before, and note it."""
    if entry.name is None:
        return
    if entry.name in owners:
        found = f"{entry.name!r}, which is in {owners[entry.name]}"
        yield Fault(str(path), entry.line, "name", "a camera that no other file describes", found)
    owners.setdefault(entry.name, f"{path}:{entry.line}")


def _files(folders: Iterable[Path | Fault]) -> Iterator[Path | Fault]:
    """List the camera files of folders, each folder once; hand on faults."""
    for folder in dict.fromkeys(place if isinstance(place, Fault) else place.resolve() for place in folders):
        if isinstance(folder, Fault):
            yield folder
        elif not folder.is_dir():
            yield Fault(str(folder), 0, "", "a folder of camera files", "a file" if folder.exists() else "nothing")
        else:
            yield from _files_in(folder)


def _files_in(folder: Path) -> Iterator[Path | Fault]:
    services = folder / SERVICES
    for path in (*sorted(folder.iterdir()), *(sorted(services.iterdir()) if services.is_dir() else ())):
        match path.suffix:
            case ".yaml":
                yield path
            case ".yml":  # left out silently, a camera would be missed by nobody
                yield Fault(str(path), 0, "", "a file name that ends in .yaml", path.name)


def _plugin_folders() -> Iterator[Path | Fault]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - a fortieth of a second, only where plugins are wanted

    for plugin in entry_points(group=PLUGINS):
        folders = _package_folders(plugin.value)
        yield from folders
        if not folders:
            place = f"entry point {plugin.name!r} of {plugin.dist.name if plugin.dist else PLUGINS}"
            yield Fault(place, 0, "", "the name of a package with camera files", repr(plugin.value))


def _package_folders(name: str) -> list[Path]:
    """Find a package's folders without importing it: a camera's package may bring a whole pipeline."""
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return []
    return [] if spec is None else [Path(folder) for folder in spec.submodule_search_locations or ()]
