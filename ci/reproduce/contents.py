"""What lies in the folder of a reproduction: written by the one who has the run, checked by the one who reruns it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import yaml

from ci.reproduce import text
from ci.reproduce.archive import LONGEST_NAME, MOST_FILES, is_inside
from ci.reproduce.software import requirements
from obs_registry.loader import SCHEMA, parse_camera
from obs_registry.model import OwnRaws, Requirements, Stored, Twin
from qa.documents import read_document, write_document
from qa.errors import DocumentError, RequestError
from qa.pipeline_files import ROOT, pipeline_files, pipeline_path
from qa.provenance.reproduction import DOCUMENT, Reproduction

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ci.reproduce.raws import Raws
    from ci.reproduce.software import Code
    from obs_registry.model import Camera, Dataset

FACTS_FILE, CAMERA_FILE, REQUIREMENTS_FILE = "reproduction.json", "camera.yaml", "requirements.txt"
README, SCRIPT = "README.md", "run"
RECIPES, PIPELINES, SOFTWARE, DATA = "recipes", "pipelines", "software", "data"
_AGAIN = "have the archive made again"


def write(
    folder: Path,
    what: Reproduction,
    camera: Camera,
    recipes: Path,
    *,
    code: Code | None = None,
    raws: Raws | None = None,
) -> Reproduction:
    """Write what is processed into a folder, with the code everything that an archive holds.

    Of a user's own `raws` only those that are asked for.

    Returns
    -------
    reproduction
        With what is now known of its code and files; to be written down by `seal`.
    """
    files = {name: content.encode() for name, content in _of_data(camera, what.dataset, recipes).items()}
    if code is not None:
        files |= {f"{SOFTWARE}/{name}": content for name, content in code.files.items()}
        files[REQUIREMENTS_FILE] = requirements(what.facts, camera).encode()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    names, known = list(files), what
    if raws is not None:
        from ci.reproduce.raws import write as write_raws  # noqa: PLC0415 - brings the Butler, seconds of CPU

        more, outside = write_raws(folder, raws, what.exposures, pack=code is not None)
        names, known = [*names, *more], replace(what, outside=outside)
    known = replace(known, files={name: digest_of(folder / name) for name in sorted(names)})
    return known if code is None else _tell(folder, replace(known, code=code.revision), code)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _tell(folder: Path, what: Reproduction, code: Code) -> Reproduction:
    """Write the script and the page, which tell what is known by then."""
    (folder / SCRIPT).write_text(text.SCRIPT)
    (folder / SCRIPT).chmod(0o755)
    told = {SCRIPT: text.SCRIPT, README: text.readme(what, exact=code.exact)}
    (folder / README).write_text(told[README])
    digests = {name: hashlib.sha256(content.encode()).hexdigest() for name, content in told.items()}
    return replace(what, files={**what.files, **digests})


def seal(folder: Path, what: Reproduction) -> None:
    """Write down what the archive is about, as the last of its files."""
    write_document(folder / FACTS_FILE, DOCUMENT, what, Reproduction)


def _of_data(camera: Camera, name: str, recipes: Path) -> Mapping[str, str]:
    """Return the camera's registry entry, the recipe of a twin, and a pipeline that does not come with obsqa."""
    dataset = _dataset(camera, name)
    named = () if isinstance(dataset, OwnRaws) else (dataset,)  # own raws are never in a camera's entry
    lean = camera.model_copy(update={"datasets": named, "requirements": Requirements()})
    entry = {"schema": SCHEMA, **lean.model_dump(mode="json", exclude_defaults=True)}
    files = {CAMERA_FILE: yaml.safe_dump(entry, sort_keys=False, allow_unicode=True)}
    if isinstance(dataset, Twin):
        sky = f"skies/{dataset.sky}.yaml"
        files[f"{RECIPES}/{sky}"] = (recipes / sky).read_text()
    path = pipeline_path(dataset.pipeline)
    if isinstance(dataset, Twin) and not path.is_relative_to(ROOT):
        found = pipeline_files(dataset.pipeline)
        if len(found) > 1:
            msg = f"{path}: must be a pipeline that imports no other to go into an archive, found {len(found)} files"
            raise RequestError(msg)
        files[f"{PIPELINES}/pipeline.yaml"] = found[path]
    return files


def read(folder: Path) -> tuple[Reproduction, Camera]:
    """Read what a folder is about, and the camera's registry entry; first, all files must be what they were.

    Raises
    ------
    DocumentError
        If a file is missing, was changed, or is not what it should be.
    """
    path = folder / FACTS_FILE
    what: Reproduction = read_document(path, DOCUMENT, Reproduction, action=_AGAIN)
    _check_value(path, what)
    _check(folder, what.files)
    camera = _camera(folder / CAMERA_FILE, what)
    dataset = _own(folder, what) or _dataset(camera, what.dataset)
    if isinstance(dataset, Twin) and (own := folder / PIPELINES / "pipeline.yaml").is_file():
        dataset = dataset.model_copy(update={"pipeline": str(own.resolve())})
    if isinstance(dataset, Stored) and what.query is not None:
        dataset = dataset.model_copy(update={"query": what.query})
    return what, camera.model_copy(update={"datasets": (dataset,)})


def _own(folder: Path, what: Reproduction) -> OwnRaws | None:
    """Return the data set of a user's own raws that an archive describes, if it does."""
    if not any(name.startswith(f"{DATA}/") for name in what.files):
        return None
    from qa.drp.own_raws import described  # noqa: PLC0415 - brings the Butler, seconds of CPU

    dataset = described(folder / DATA)
    if dataset is None or dataset.name != what.dataset:
        found = "none" if dataset is None else repr(dataset.name[:40])
        raise DocumentError(folder / DATA, required=f"the raws {what.dataset[:40]!r}", found=found, action=_AGAIN)
    return dataset


def _check_value(path: Path, what: Reproduction) -> None:
    """Refuse a document whose value is not the same in both ways of writing, or of another data set than it names."""
    try:
        consistent = what.value == what.expected.value
    except (ValueError, OverflowError):
        consistent = False
    if not consistent:
        found = f"{what.expected.value!r} and {what.digits[:40]!r}"
        raise DocumentError(path, required="one value, in two ways of writing", found=found, action=_AGAIN)
    scope = what.expected.scope
    if (scope.camera, scope.dataset) != (what.camera, what.dataset):
        required, found = f"a value of {what.camera[:40]!r}, {what.dataset[:40]!r}", "one of another data set"
        raise DocumentError(path, required=required, found=found, action=_AGAIN)


def _camera(path: Path, what: Reproduction) -> Camera:
    """Read the registry entry of the camera that a value is of."""
    try:
        entry = parse_camera(path.read_text(), str(path))
    except UnicodeDecodeError:
        raise DocumentError(path, required="a camera's entry", found="bytes that are no text") from None
    if entry.camera is None or entry.camera.name != what.camera:
        found = str(entry.faults[0]) if entry.faults else f"that of {entry.name!r}"
        required = f"the entry of the camera {what.camera[:40]!r}"
        raise DocumentError(path, required=required, found=found, action=_AGAIN)
    return entry.camera


def _check(folder: Path, files: Mapping[str, str]) -> None:
    """Refuse a folder in which a file is not what it was; others may lie beside, but are not read."""
    if len(files) > MOST_FILES or CAMERA_FILE not in files:
        found = f"{len(files)} files" if len(files) > MOST_FILES else "none of the camera"
        raise DocumentError(folder / FACTS_FILE, required="the list of an archive's files", found=found)
    for name, digest in files.items():
        path = folder / name
        if not is_inside(name):
            required = f"names of at most {LONGEST_NAME} letters that stay in the folder"
            raise DocumentError(folder / FACTS_FILE, required=required, found=repr(name[:80]))
        if path.is_symlink() or not path.is_file():
            raise DocumentError(path, required="a file of the archive", found="none", action="unpack it again")
        if digest_of(path) != digest:
            required, found = "the file that was packed", "another content"
            raise DocumentError(path, required=required, found=found, action="unpack it again")


def foreign_code(folder: Path, camera: Camera) -> tuple[str, ...]:
    """Return what an archive brings or names that would be run here, beside obsqa's own pipelines on twins."""
    found = []
    (dataset,) = camera.datasets
    runtime = camera.runtime
    if (folder / PIPELINES).is_dir() or not isinstance(dataset, Twin | OwnRaws):
        found.append(f"the pipeline {dataset.pipeline}")
    if isinstance(dataset, Twin) and not pipeline_path(dataset.pipeline).is_relative_to(ROOT) and not found:
        found.append(f"the pipeline {dataset.pipeline}")
    found += [f"the set-up script {runtime.setup}"] if runtime.setup else []
    found += [f"the image {runtime.image}"] if runtime.image else []
    found += [f"the batch system {runtime.batch.service}"] if runtime.batch else []
    return tuple(found)


def _dataset(camera: Camera, name: str) -> Dataset:
    found = next((one for one in camera.datasets if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in camera.datasets) or "none"
        msg = f"{camera.name} must have a data set {name!r} in the registry, found: {known}"
        raise RequestError(msg)
    return found
