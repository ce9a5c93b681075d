"""Places outside this machine's folders: any URI that lsst.resources can read and write, such as S3 or WebDAV.

What the drivers of such places raise when they fail is one line here, without the secrets that a URI may hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit, urlunsplit

from qa.errors import InfrastructureError, MissingExtraError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsst.resources import ResourcePath

    T = TypeVar("T")


class PlaceError(InfrastructureError):
    """Something could not be read from a place, or written there."""

    def __init__(self, place: Place, name: str, *, doing: str, reason: str, code: str = "") -> None:
        self.place, self.name, self.doing, self.reason, self.code = place, name, doing, reason, code
        super().__init__(f"{place}{name}: could not be {doing}: {reason}")


class NoPlaceError(RequestError):
    """What should name a place does not."""

    def __init__(self, found: str, reason: str) -> None:
        self.found = found
        super().__init__(f"{found}: must be a folder or a URI such as s3://bucket/folder: {reason}")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder anywhere; its URI may hold a password, which is never shown."""

    uri: str = field(repr=False)

    def __str__(self) -> str:
        """Name it without user, password and query."""
        return shown(self.uri)

    def __truediv__(self, name: str) -> Place:
        """Return a folder in it."""
        return Place(f"{self.uri.rstrip('/')}/{name}/")

    def write(self, name: str, content: bytes) -> None:
        """Write a file, in the place of one that is there.

        Raises
        ------
        NoPlaceError
            If there can be no such place.
        PlaceError
            If it cannot be written.
        """
        self._asked("written", name, lambda path: path.write(content, overwrite=True))

    def read(self, name: str) -> bytes | None:
        """Read a file; None where there is none.

        Raises
        ------
        NoPlaceError
            If there can be no such place.
        PlaceError
            If it cannot be read.
        """
        try:
            return self._asked("read", name, lambda path: bytes(path.read()))
        except FileNotFoundError:
            return None
        except PlaceError as error:
            # Where several threads meet a driver's first error at once, lsst.resources does not know it for what it is.
            if error.code == "NoSuchKey":
                return None
            raise

    def _asked(self, doing: str, name: str, work: Callable[[ResourcePath], T]) -> T:
        try:
            from lsst.resources import ResourcePath  # noqa: PLC0415 - a part that is optional
        except ModuleNotFoundError as error:
            extra = "stores"
            raise MissingExtraError(extra, str(error.name)) from None
        try:
            root = ResourcePath(self.uri, forceDirectory=True, forceAbsolute=True)
        except Exception as error:  # noqa: BLE001 - schemes fail as they like
            raise NoPlaceError(str(self), self._worded(error)) from None
        try:
            return work(root.join(name, forceDirectory=False))
        except FileNotFoundError as error:
            if doing == "read":
                raise
            raise PlaceError(self, name, doing=doing, reason=self._worded(error)) from None
        except ImportError as error:
            extra = "stores"
            raise MissingExtraError(extra, str(error.name or error)) from None
        except Exception as error:  # noqa: BLE001 - drivers raise what they like
            raise PlaceError(self, name, doing=doing, reason=self._worded(error), code=_code(error)) from None

    def _worded(self, error: Exception) -> str:
        """Say in one line what went wrong; drivers quote the URI they were given."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        text = lines[0] if lines else type(error).__name__
        for secret in _secrets(self.uri):
            text = text.replace(secret, "***")
        return text


def shown(uri: str) -> str:
    """Name a URI without user, password, query and fragment; a folder of this machine as it is."""
    if "://" not in uri:
        return f"{uri.rstrip('/')}/"
    parts = urlsplit(uri)
    place = parts.netloc.rpartition("@")[2] if parts.scheme != "s3" else parts.netloc
    return urlunsplit((parts.scheme, place, f"{parts.path.rstrip('/')}/", "", ""))


def _code(error: Exception) -> str:
    """Return the code of an error of S3."""
    answer = getattr(error, "response", None)
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""


def _secrets(uri: str) -> list[str]:
    """Return what of a URI is never shown, the longest first."""
    if "://" not in uri:
        return []
    parts = urlsplit(uri)
    named = parts.netloc.rpartition("@")[0] if parts.scheme != "s3" else ""
    found = {named, named.partition(":")[2], parts.query, parts.fragment} - {""}
    return sorted(found, key=len, reverse=True)
