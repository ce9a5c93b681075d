"""Runs in the environment of the LSST stack: `python stack_tool.py REQUEST.json ANSWER.json`.

Asks a Butler repository there for what obsqa cannot see from outside: which variables are set, whether the repository,
its collections and the pipeline are there, and which bundles of metrics a run left. It is run as a file by itself,
knows nothing of obsqa, and uses only what every Butler of the third generation has. An answer of
`{"fault": "..."}` says in one line what is wrong.
"""

from __future__ import annotations

import fnmatch
import json
import os
import platform
import re
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

# User and password of an address.
_PASSWORD = re.compile(r"//[^/@\s]+@")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


class Fault(Exception):  # noqa: N818 - what it is called in the answer
    """Something is not as it must be; the message is one line."""

    def __init__(self, *, what: str, required: str, found: str) -> None:
        super().__init__(_PASSWORD.sub("//", f"{what} must {required}, found {found}"))


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


def _open(repository: str) -> Any:  # noqa: ANN401 - a Butler, which is imported only here
    try:
        from lsst.daf.butler import Butler  # noqa: PLC0415 - the other tasks do without
    except ImportError as error:
        required = "be importable by python (a set-up script can make it so)"
        raise Fault(what="lsst.daf.butler", required=required, found=_line(error)) from None
    try:
        return getattr(Butler, "from_config", Butler)(repository)
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


TASKS = {"variables": variables, "software": software, "look": look, "harvest": harvest}


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
