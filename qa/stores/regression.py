"""Regression data that are published in a place outside, for machines without a checkout: read there, never written.

A baseline moves by a decision in git. What is published is a copy of a checkout, sent by `obsqa store publish`; files
lie there under their digests, so that a reader never sees half of a new copy.
"""

from __future__ import annotations

import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from qa.documents import atomic_open
from qa.errors import DocumentError, InfrastructureError
from qa.locations import PUBLISHED
from qa.stores.parcels import manifest_of, receive, send
from qa.stores.places import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.stores.parcels import Manifest, Sent

PARTS = ("baselines/*/*.json", "*.yaml", "skies/*.yaml")
WHAT = "regression data"


def publish(root: Path, to: str) -> Sent:
    """Send the regression data of a checkout to a place.

    Raises
    ------
    DocumentError
        If the folder holds none.
    PartialError, NoPlaceError, PlaceError
        If they did not all come there.
    """
    names = sorted({path.relative_to(root).as_posix() for part in PARTS for path in root.glob(part) if path.is_file()})
    if not names:
        raise DocumentError(root, required="a folder with regression data", found="neither baselines nor skies")
    return send(root, names, Place(to), what=WHAT, by_digest=True)


def fetched(uri: str, cache: Path, say: Callable[[str], None]) -> Path:
    """Return a folder with the regression data published at a URI, fetched now or known already.

    Where the place does not answer, the copy that was fetched last is used, which is said.

    Raises
    ------
    InfrastructureError, DocumentError
        If there is neither the place nor such a copy.
    """
    place, last = Place(uri), cache / f"{sha256(uri.encode()).hexdigest()[:16]}.last"
    try:
        manifest = manifest_of(place)
        folder = cache / sha256(manifest.content).hexdigest()[:16]
        if not _is_whole(folder, manifest):
            _fetch(place, manifest, folder)
    except (InfrastructureError, DocumentError) as error:
        known = cache / last.read_text().strip() if last.is_file() else None
        if known is None or not (known / PUBLISHED).is_file():
            raise
        say(f"warning: {error}; going on with the copy fetched before, {known}")
        return known
    with atomic_open(last) as stream:
        stream.write(folder.name.encode())
    return folder


def _is_whole(folder: Path, manifest: Manifest) -> bool:
    """Tell whether a copy is all that it should be: somebody may have worked in it."""
    if not (folder / PUBLISHED).is_file():
        return False
    paths = [(folder / one.path, one.sha256) for one in manifest.files]
    return all(path.is_file() and sha256(path.read_bytes()).hexdigest() == digest for path, digest in paths)


def _fetch(place: Place, manifest: Manifest, folder: Path) -> None:
    """Make a copy beside, and put it in its place when it is whole."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".fetching-", dir=folder.parent))
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        receive(place, manifest, made)
        (made / PUBLISHED).write_text(f"{place}\n")
        made.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    except OSError as error:
        if not _is_whole(folder, manifest):  # else another process was faster
            raise _unwritable(folder, error) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _unwritable(folder: Path, error: OSError) -> InfrastructureError:
    return InfrastructureError(f"{folder}: could not be written: {error.strerror or error}")
