"""Finding and reading requirement documents: all faults of a file are collected, with line and key, and raised once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from obs_registry.document import Document, YamlError, parse
from qa.errors import RequestError, UnknownNameError
from qa.requirements.document import Part, Profile, ProfileError, Requirement, Requirements, Targets, derive
from qa.requirements.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Requirement", "Requirements", "RequirementsError", "Targets", "load", "profiles", "read"]

SHIPPED = Path(__file__).resolve().parent
"""The folder of the documents that come with obsqa."""


class RequirementsError(RequestError):
    """A requirements document is wrong; `faults` are whole lines, one for each thing to mend, `places` their lines."""

    def __init__(self, path: Path, faults: Iterable[str], *, places: Iterable[Fault] = ()) -> None:
        self.path, self.faults, self.places = path, tuple(faults), tuple(places)
        super().__init__("\n".join(self.faults))


def profiles(folders: Iterable[Path] = ()) -> tuple[str, ...]:
    """Return the names of the requirement documents in some folders, and of those that come with obsqa."""
    return tuple(sorted({path.stem for folder in (*folders, SHIPPED) for path in folder.glob("*.yaml")}))


def load(profile: str = "lpm-17", *, folders: Iterable[Path] = ()) -> Requirements:
    """Read the requirements document of a name, or at a path.

    A name is looked for in `folders` and among the documents that come with obsqa; what has a `/` in it or ends in
    `.yaml` is a path.

    Raises
    ------
    UnknownNameError
        If there is no such document.
    RequirementsError
        If it is wrong, or more than one has this name; every fault is one line with file, line number and key.
    """
    return _load(profile, tuple(folders), ())


def read(path: Path, *, folders: Iterable[Path] = ()) -> Requirements:
    """Read one requirements document; the document it is based on is looked for beside it, too.

    Raises
    ------
    UnknownNameError
        If the document it is based on does not exist.
    RequirementsError
        If it is wrong; every fault is one line with file, line number and key.
    """
    return _read(path, (path.parent, *folders), (path.resolve(),))


def _load(profile: str, folders: tuple[Path, ...], readers: tuple[Path, ...]) -> Requirements:
    path = _find(profile, folders)
    if path.resolve() in readers:
        msg = f"{path}:1: base: must not lead back to the document itself, got {profile!r}"
        raise RequirementsError(path, [msg], places=[Fault(str(path), 1, "base", msg, "a document without a base")])
    return _read(path, (path.parent, *folders), (*readers, path.resolve()))


def _find(profile: str, folders: tuple[Path, ...]) -> Path:
    if "/" in profile or profile.endswith(".yaml"):
        candidates = [folder / profile for folder in (*folders, Path())]
    else:
        candidates = [folder / f"{profile}.yaml" for folder in (*folders, SHIPPED)]
    found = list(dict.fromkeys(path.resolve() for path in candidates if _is_file(path)))
    if not found:
        kind = "requirements profile"
        raise UnknownNameError(kind, profile, profiles(folders))
    shipped = SHIPPED / f"{found[0].stem}.yaml"
    if found[0] != shipped and shipped.is_file():
        msg = f"{found[0]}: a profile must have a name of its own, got that of one of obsqa's; rename the file"
        raise RequirementsError(found[0], [msg], places=[Fault(str(found[0]), 1, "name", msg, "a name of its own")])
    return found[0]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than any file's
        return False


def _read(path: Path, folders: tuple[Path, ...], readers: tuple[Path, ...]) -> Requirements:
    document = _parsed(path)
    try:
        if not (isinstance(document.value, dict) and "base" in document.value):
            return _checked(path, document, Requirements.model_validate(document.value))
        profile = Profile.model_validate(document.value)
        whole = _load(profile.base, folders, readers)
    except ValidationError as error:
        raise _refusal(path, document, [_located(one) for one in error.errors()]) from None
    try:
        return _checked(path, document, derive(profile, whole))
    except ProfileError as error:
        raise _refusal(path, document, [(error.key, error.text)]) from None


def _parsed(path: Path) -> Document:
    try:
        document = parse(path.read_text(encoding="utf-8"))
    except YamlError as error:
        raise _refusal(path, None, [((), f"must be YAML, got: {error.problem}")], line=error.line) from None
    except (OSError, UnicodeDecodeError) as error:
        raise _refusal(path, None, [((), f"must be text in UTF-8, got: {error}")]) from None
    if document.repeated:
        again = "each key must stand once, got it again"
        raise RequirementsError(
            path,
            [f"{path}:{line}: {'.'.join(key)}: {again}" for key, line in document.repeated],
            places=[Fault(str(path), line, "repeated-key", again, "each key once") for _, line in document.repeated],
        )
    return document


def _checked(path: Path, document: Document, requirements: Requirements) -> Requirements:
    """Refuse bands in the file that the document does not have."""
    wrong = [
        (key, f"must be one of the bands {', '.join(requirements.bands)}, got {band!r}")
        for key, band in _bands_in(document.value)
        if band not in requirements.bands
    ]
    if wrong:
        raise _refusal(path, document, wrong)
    return requirements


def _bands_in(value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:  # noqa: ANN401 - whatever YAML holds
    """Iterate over the bands of targets as the file has them, with their keys."""
    for name in ("requirements", "targets"):
        for index, requirement in enumerate(value.get(name) or ()):
            for place, part in enumerate(requirement["targets"]):
                for number, band in enumerate(part.get("bands") or ()):
                    yield (name, index, "targets", place, "bands", number), band


def _located(error: Any) -> tuple[tuple[str | int, ...], str]:  # noqa: ANN401 - pydantic's ErrorDetails
    found = "" if isinstance(error["input"], dict | list | Part) else f", got {error['input']!r}"
    return error["loc"], str(error["msg"]).removeprefix("Value error, ") + found


def _refusal(
    path: Path, document: Document | None, faults: Sequence[tuple[tuple[str | int, ...], str]], *, line: int = 1
) -> RequirementsError:
    """Make the error of faults at keys; `line` is that of a file that cannot be read as a document."""
    lines = [line if document is None else document.line(*key) for key, _ in faults]
    named = [": ".join([*([".".join(map(str, key))] if key else ["document"]), text]) for key, text in faults]
    if document is None:
        named = [text for _, text in faults]
    return RequirementsError(
        path,
        [f"{path}:{number}: {text}" for number, text in zip(lines, named, strict=True)],
        places=[Fault(str(path), number, "document", text, "") for number, text in zip(lines, named, strict=True)],
    )
