"""Runs in the environment of the LSST stack: `python stack_tool.py REQUEST.json ANSWER.json`.

Asks a Butler repository there for what obsqa cannot see from outside: which variables are set, whether the repository,
its collections and the pipeline are there, which calibrations it had on a day, and which bundles of metrics a run
left. It is run as a file by itself, knows nothing of obsqa, and uses only what every Butler of the third generation
has. An answer of `{"fault": "..."}` says in one line what is wrong.
"""

from __future__ import annotations

import fnmatch
import json
import os
import platform
import re
import shutil
import sys
from datetime import date, timedelta
from importlib import metadata
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# User and password of an address.
_PASSWORD = re.compile(r"//[^/@\s]+@")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


class Fault(Exception):  # noqa: N818 - what it is called in the answer
    """Something is not as it must be; the message is one line."""

    def __init__(self, *, what: str, required: str, found: str) -> None:
        super().__init__(_PASSWORD.sub("//", f"{what} must {required}, found {found}"))


class Certificate(NamedTuple):
    """That a calibration holds for a timespan; `ref` is None where there is none for this data ID."""

    kind: str
    data_id: Any
    ref: Any
    timespan: Any


def expand(text: str) -> str:
    """Fill in the environment variables that a text names.

    Raises
    ------
    Fault
        If one is not set.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if not os.environ.get(name):
            raise Fault(what=f"the environment variable {name}", required=f"be set ({text} needs it)", found="none")
        return os.environ[name]

    return _VARIABLE.sub(value, text)


def variables(request: dict[str, Any]) -> dict[str, Any]:
    """Return those of the variables named that are not set."""
    return {"unset": [name for name in request["names"] if not os.environ.get(name)]}


def software(request: dict[str, Any]) -> dict[str, Any]:
    """Return the versions of the packages that an EUPS stack has set up, and of the LSST distributions of this Python.

    EUPS holds `afw VERSION ...` in the variable `SETUP_AFW`.
    """
    named = (os.environ[name].split() for name in os.environ if name.startswith("SETUP_"))
    packages = {words[0]: words[1] for words in named if len(words) > 1}
    for one in metadata.distributions():
        name = one.metadata["Name"] or ""
        if name.startswith("lsst-") or name in request["names"]:
            packages[name] = one.version
    return {"packages": packages, "python": platform.python_version()}


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Return repository and pipeline with their variables filled in, after making sure that they are there."""
    repository, pipeline = expand(request["repository"]), expand(request["pipeline"])
    _insist_on_place(repository, "repository")
    _insist_on_place(pipeline.partition("#")[0], "pipeline")
    if shutil.which("pipetask") is None:
        raise Fault(what="pipetask", required="be on the PATH (a set-up script can put it there)", found="none")
    butler = _open(repository)
    for name in request["collections"]:
        _insist_on_collection(butler, repository, expand(name))
    return {
        "repository": repository,
        "pipeline": pipeline,
        "collections": [expand(name) for name in request["collections"]],
        "queries": [one and expand(one) for one in request["queries"]],
        "begun": [name for name in request["runs"] if _exists(butler, name)],
    }


def dated(request: dict[str, Any]) -> dict[str, Any]:
    """Return a chain of the inputs in which calibrations are those that the repository had at the end of a day (UTC).

    Of each calibration collection there is a new one without what was ingested later. What there was of the same data
    ID before holds on in its place; the first of all holds for the time before it.
    """
    from lsst.daf.butler import CollectionType  # noqa: PLC0415 - as in `_open`

    butler = _open(request["repository"], writeable=True)
    registry, into = butler.registry, request["into"]
    inputs = _flat(registry, request["collections"])
    sources = [name for name in inputs if registry.getCollectionType(name) is CollectionType.CALIBRATION]
    held = {name: _held(registry, name, request["day"]) for name in sources}
    caveats = list(_lacking([one for of in held.values() for one in of], request["day"]))
    if not sources:
        caveats = [f"calibrations as of {request['day']}: there is no calibration collection among the inputs"]
    if not _exists(butler, into):
        dated = {name: f"{into}/{name}" for name in sources}
        for name, certificates in held.items():
            registry.registerCollection(dated[name], CollectionType.CALIBRATION)
            _certify(butler, dated[name], certificates)
        registry.registerCollection(into, CollectionType.CHAINED)
        registry.setCollectionChain(into, [dated.get(name, name) for name in inputs])
    return {"collections": [into], "caveats": caveats}


def _flat(registry: Any, collections: list[str]) -> list[str]:  # noqa: ANN401 - a Butler's
    """Return what collections are made of, in the order in which they are searched."""
    flat = (name for one in collections for name in registry.queryCollections(one, flattenChains=True))
    return list(dict.fromkeys(flat))


def _held(registry: Any, collection: str, day: str) -> list[Certificate]:  # noqa: ANN401 - a Butler's
    """Return what holds when in a calibration collection, as of a day."""
    held: list[Certificate] = []
    for kind in sorted(registry.getCollectionSummary(collection).dataset_types, key=lambda one: one.name):
        where = f"ingest_date < T'{date.fromisoformat(day) + timedelta(days=1)}T00:00:00/utc'"
        had = {ref.id for ref in registry.queryDatasets(kind, collections=[collection], where=where, findFirst=False)}
        of_data_id: dict[Any, list[Any]] = {}
        for one in registry.queryDatasetAssociations(kind, collections=[collection], flattenChains=False):
            of_data_id.setdefault(one.ref.dataId, []).append(one)
        for data_id, ones in of_data_id.items():
            in_order = sorted(ones, key=lambda one: one.timespan)
            refs = standing_in([one.ref if one.ref.id in had else None for one in in_order])
            held += [Certificate(kind.name, data_id, ref, one.timespan) for ref, one in zip(refs, in_order)]  # noqa: B905 - of Python 3.9, too
    return held


def standing_in(refs: list[Any]) -> list[Any]:
    """Fill each gap with what is before it, those at the beginning with the first there is."""
    filled: list[Any] = list(accumulate(refs, lambda before, one: before if one is None else one))
    first = next((one for one in refs if one is not None), None)
    return [first if one is None else one for one in filled]


def _lacking(held: list[Certificate], day: str) -> Iterator[str]:
    """Yield a line for each kind of which the repository had none for some data ID; one of which it had none faults."""
    for kind in sorted({one.kind for one in held}):
        having = {one.data_id for one in held if one.kind == kind and one.ref is not None}
        lacking = sorted({str(one.data_id) for one in held if one.kind == kind and one.data_id not in having})
        if not having:
            came = f"none ({len(lacking)} came later)"
            raise Fault(
                what=f"the repository, for calibrations as of {day},", required=f"have had a {kind} then", found=came
            )
        if lacking:
            count = f"{len(lacking)} of {len(lacking) + len(having)} data IDs"
            yield f"calibrations as of {day}: no {kind} then for {count}, such as {lacking[0]}"


def _certify(butler: Any, collection: str, certificates: list[Certificate]) -> None:  # noqa: ANN401
    """Certify everything or nothing; what an earlier attempt certified stays."""
    if butler.registry.getCollectionSummary(collection).dataset_types:
        return
    of_timespan: dict[Any, list[Any]] = {}
    for one in certificates:
        if one.ref is not None:
            of_timespan.setdefault((one.kind, one.timespan), []).append(one.ref)
    with butler.transaction():
        for (_, timespan), refs in of_timespan.items():
            butler.registry.certify(collection, refs, timespan)


def harvest(request: dict[str, Any]) -> dict[str, Any]:
    """Copy the bundles of some runs into a folder; return type, data ID and file of each."""
    butler = _open(request["repository"])
    known = sorted({kind.name for kind in butler.registry.queryDatasetTypes()})
    names = [name for name in known if any(fnmatch.fnmatchcase(name, one) for one in request["bundles"])]
    runs = [name for name in request["runs"] if _exists(butler, name)]
    found: list[dict[str, Any]] = []
    for name in names if runs else ():
        for ref in butler.registry.queryDatasets(name, collections=runs, findFirst=False):
            place = Path(request["folder"]) / f"{len(found):05d}"
            found.append({"type": name, "data_id": _data_id(butler, ref), "file": str(_copy(butler, ref, place))})
    return {"types": names, "found": found}


def _insist_on_place(place: str, what: str) -> None:
    """Insist that a path is there; what has a scheme, or is a label of a repository index, the Butler judges."""
    if "://" in place or (what == "repository" and "/" not in place):
        return
    if not place.startswith("/"):
        raise Fault(what=f"the {what}", required="be an absolute path or a URI", found=place)
    if not Path(place).exists():
        raise Fault(what=f"the {what}", required="be there", found=f"nothing at {place}")


def _open(repository: str, *, writeable: bool = False) -> Any:  # noqa: ANN401 - a Butler, which is imported only here
    try:
        from lsst.daf.butler import Butler  # noqa: PLC0415 - the other tasks do without
    except ImportError as error:
        required = "be importable by python (a set-up script can make it so)"
        raise Fault(what="lsst.daf.butler", required=required, found=_line(error)) from None
    try:
        return getattr(Butler, "from_config", Butler)(repository, writeable=writeable)
    except Exception as error:  # noqa: BLE001 - whatever a Butler of any version raises
        raise Fault(what=repository, required="be a Butler repository", found=_line(error)) from None


def _exists(butler: Any, collection: str) -> bool:  # noqa: ANN401
    try:
        return bool(list(butler.registry.queryCollections(collection)))
    except Exception:  # noqa: BLE001 - a missing collection is an exception, and of several classes
        return False


def _insist_on_collection(butler: Any, repository: str, collection: str) -> None:  # noqa: ANN401
    if not _exists(butler, collection):
        raise Fault(what=repository, required=f"have the collection {collection}", found="none of that name")


def _data_id(butler: Any, ref: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a data ID as plain values, with what follows from it: the band of a visit."""
    full = butler.registry.expandDataId(ref.dataId)
    values = full.mapping if hasattr(full, "mapping") else full.full
    return {str(key): values[key] for key in values}


def _copy(butler: Any, ref: Any, place: Path) -> Path:  # noqa: ANN401
    place.mkdir(parents=True, exist_ok=True)
    (copied, *_) = butler.retrieveArtifacts([ref], destination=str(place), transfer="copy", preserve_path=False)
    return Path(copied.ospath)


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


TASKS = {"variables": variables, "software": software, "look": look, "dated": dated, "harvest": harvest}


def main(arguments: list[str]) -> int:
    """Answer a request; the exit code is 0 whenever there is an answer."""
    request = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    try:
        answer = TASKS[request["task"]](request)
    except Fault as fault:
        answer = {"fault": str(fault)}
    Path(arguments[1]).write_text(json.dumps(answer), encoding="utf-8")
    return 0


if __name__ == "__main__":
    # What lies beside this file is obsqa's, and nothing here may be taken for a module of the stack's.
    sys.path[:] = [place for place in sys.path if place != str(Path(__file__).parent)]
    sys.exit(main(sys.argv[1:]))
