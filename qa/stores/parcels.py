"""Files sent to a place as one: each is read back and compared by its digest, and a manifest of all is written last.

Where there is no manifest, or a file is not what it says, the sending was cut off: sending again completes it, and what
is right already is not sent twice.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from qa.errors import DocumentError, InfrastructureError
from qa.stores.places import PlaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from qa.stores.places import Place

MANIFEST = "manifest.json"
WORKERS = 8
"""Files under way at once: places far away answer slowly, not busily."""


def _inside(name: str) -> str:
    """Refuse a path that leads out of its folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or {"", ".", ".."} & set(name.split("/")) or not name.isprintable() or "\\" in name:
        msg = "must be a plain path within its folder"
        raise ValueError(msg)
    return name


Inside = Annotated[str, AfterValidator(_inside)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kept(_Strict):
    """A file of a parcel: its path, where it is in the place, its size in bytes and its digest."""

    path: Inside
    at: Inside
    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(_Strict):
    """All files of a parcel."""

    document: Literal["parcel"] = "parcel"
    number: Literal[1] = Field(default=1, alias="schema")
    what: str
    files: tuple[Kept, ...]

    @property
    def content(self) -> bytes:
        """The manifest as it is written."""
        text = json.dumps(self.model_dump(by_alias=True), sort_keys=True, indent=1, ensure_ascii=False)
        return text.encode(errors="replace") + b"\n"


class PartialError(InfrastructureError):
    """Not all files of a parcel came to their place."""

    def __init__(self, place: Place, *, sent: int, of: int, reasons: Sequence[str]) -> None:
        self.sent, self.of, self.reasons = sent, of, tuple(reasons)
        super().__init__(
            f"{place}: must hold {of} files, found {sent} of them there and right ({reasons[0]}); "
            "it has no valid manifest until it is sent again, which sends what is missing"
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending: how many files are there, how many of them were sent now, and their bytes."""

    place: str
    files: int
    written: int
    size: int


def send(folder: Path, names: Iterable[str], place: Place, *, what: str, by_digest: bool = False) -> Sent:
    """Send files of a folder to a place, all of them or with a word about what is missing.

    With `by_digest` a file lies in the place under its digest, so that nothing that is there changes.

    Raises
    ------
    PartialError
        If not all of them came there.
    NoPlaceError
        If there can be no such place.
    """
    content = {name: (folder / name).read_bytes() for name in sorted(names)}
    files = tuple(_kept(name, data, by_digest=by_digest) for name, data in content.items())
    manifest = Manifest(what=what, files=files)
    try:
        place.read(MANIFEST)  # who is not there is asked by one, not by all
    except PlaceError as error:
        raise PartialError(place, sent=0, of=len(files), reasons=[str(error)]) from None
    done, faults = _each(files, lambda one: _sent(place, one.at, content[one.path]))
    if faults:
        raise PartialError(place, sent=len(done), of=len(files), reasons=faults)
    try:
        _sent(place, MANIFEST, manifest.content)
    except InfrastructureError as error:
        raise PartialError(place, sent=len(done), of=len(files) + 1, reasons=[str(error)]) from None
    return Sent(str(place), len(files), sum(done), sum(one.size for one in files))


def is_there(folder: Path, names: Iterable[str], place: Place, *, what: str) -> bool:
    """Tell whether files of a folder were sent to a place as they are now, by the manifest there alone.

    Raises
    ------
    NoPlaceError, PlaceError
        If the place cannot be read.
    """
    files = tuple(_kept(name, (folder / name).read_bytes(), by_digest=False) for name in sorted(names))
    return place.read(MANIFEST) == Manifest(what=what, files=files).content


def manifest_of(place: Place) -> Manifest:
    """Read the manifest of a parcel.

    Raises
    ------
    DocumentError
        If there is none, or it is none.
    PlaceError
        If the place cannot be read.
    """
    name, required = f"{place}{MANIFEST}", "the manifest of files that were sent here"
    content = place.read(MANIFEST)
    if content is None:
        found = "no such file: nothing was sent here, or not all of it"
        raise DocumentError(name, required=required, found=found, action="send it again")
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        found = f"{first['msg']} at {'.'.join(map(str, first['loc'])) or 'the top'}"
        raise DocumentError(name, required=required, found=found, action="send it again") from None


def faults_in(place: Place, manifest: Manifest) -> tuple[str, ...]:
    """Read all files of a parcel and return what is wrong with them, a line each."""
    _, faults = _each(manifest.files, lambda one: bool(_received(place, one)), all_of_them=True)
    return tuple(faults)


def receive(place: Place, manifest: Manifest, folder: Path) -> None:
    """Write all files of a parcel into a folder, each as its digest says or none of them.

    Raises
    ------
    DamagedError, PlaceError
        If a file is missing, not what the manifest says, or cannot be read.
    """
    for one in manifest.files:
        path = folder / one.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_received(place, one))


class DamagedError(InfrastructureError):
    """A file of a parcel is not what its manifest says."""

    def __init__(self, place: Place, kept: Kept, found: str) -> None:
        self.place, self.kept = place, kept
        super().__init__(
            f"{place}{kept.at}: must be {kept.path} of {kept.size} bytes, SHA-256 {kept.sha256[:12]}, found {found}; "
            "send it again"
        )


def _kept(name: str, content: bytes, *, by_digest: bool) -> Kept:
    digest = sha256(content).hexdigest()
    at = f"files/{digest}" if by_digest else name
    return Kept(path=name, at=at, size=len(content), sha256=digest)


def _sent(place: Place, at: str, content: bytes) -> bool:
    """Bring a file to a place unless it is there, and tell whether that was needed."""
    if place.read(at) == content:
        return False
    place.write(at, content)
    back = place.read(at)
    if back != content:
        found = "nothing" if back is None else f"{len(back)} bytes, SHA-256 {sha256(back).hexdigest()[:12]}"
        raise DamagedError(place, _kept(at, content, by_digest=False), f"{found} on reading it back")
    return True


def _received(place: Place, one: Kept) -> bytes:
    content = place.read(one.at)
    if content is None:
        found = "no such file"
        raise DamagedError(place, one, found)
    if (digest := sha256(content).hexdigest()) != one.sha256:
        raise DamagedError(place, one, f"{len(content)} bytes, SHA-256 {digest[:12]}")
    return content


def _each(
    files: Sequence[Kept], work: Callable[[Kept], bool], *, all_of_them: bool = False
) -> tuple[list[bool], list[str]]:
    """Do work for each file, several at once; after a failure begin no other, unless all of them are asked for."""
    done: list[bool] = []
    faults: list[str] = []

    def one_of(one: Kept) -> None:
        if faults and not all_of_them:
            return
        try:
            done.append(work(one))
        except InfrastructureError as error:
            faults.append(str(error))

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one_of, files))
    return done, faults
