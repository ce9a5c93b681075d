"""Where the packages of a stack are: a YAML file, or `NAME=FOLDER` on the command line.

The file has `schema: 1` and, under `packages`, for each name either `repository`, a git repository seen from the
file's folder, or `pip`, the name by which pip installs a version of it (without dependencies); then, if need be,
`python`, the folder in it that goes on PYTHONPATH (default: `python` if there is one, else the top), and `build`, an
argument list run once in each checkout, and `reads`, the paths in it that trials depend on (default: everything).
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ci.bisect.git import is_repository
from obs_registry.document import YamlError, parse
from qa.errors import DocumentError, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_REQUIRED = "a list of packages (schema, packages: {name: {repository | pip, python, build}})"


def _is_name(name: str) -> str:
    if not NAME.fullmatch(name):
        msg = f"a package's name is letters, digits, '.', '_' and '-', found {name!r}"
        raise ValueError(msg)
    return name


def _stays_inside(path: str) -> str:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        msg = f"a path inside the package, found {path!r}"
        raise ValueError(msg)
    return path


class Package(BaseModel):
    """Where one package comes from, and what makes a checkout of it usable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repository: Path | None = None
    pip: Annotated[str, Field(pattern=rf"^{NAME.pattern}$")] | None = None
    python: Annotated[str, AfterValidator(_stays_inside)] | None = None
    build: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    reads: tuple[Annotated[str, AfterValidator(_stays_inside)], ...] = ()

    @model_validator(mode="after")
    def _has_one_source(self) -> Package:
        if (self.repository is None) == (self.pip is None):
            msg = "one of repository and pip is needed"
            raise ValueError(msg)
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    schema_: Literal[1] = Field(alias="schema")
    packages: dict[Annotated[str, AfterValidator(_is_name)], Package]


def read_packages(file: Path | None, given: Iterable[str] = ()) -> dict[str, Package]:
    """Read the packages of a file and those of the command line, which come first.

    Raises
    ------
    DocumentError, RequestError
        If the file or an entry is wrong, or a repository is none.
    """
    packages = _from_file(file) if file else {}
    packages |= dict(map(_from_option, given))
    variables: dict[str, str] = {}
    for name, package in packages.items():
        if package.repository is not None and not is_repository(package.repository):
            raise DocumentError(package.repository, required=f"a git repository of {name}", found="none")
        if (other := variables.setdefault(variable(name), name)) != name:
            msg = f"packages must have names of their own as variables, found {other} and {name}, both {variable(name)}"
            raise RequestError(msg)
    return packages


def variable(name: str) -> str:
    """Return the environment variable that names a package's checkout: `OBSQA_PACKAGE_MEAS_BASE`."""
    return "OBSQA_PACKAGE_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


def _from_file(file: Path) -> dict[str, Package]:
    try:
        found = _File.model_validate(parse(file.read_text(encoding="utf-8")).value)
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(file, required=_REQUIRED, found=str(error)) from None
    except YamlError as error:
        place = f"{file}:{error.line}"
        raise DocumentError(place, required=_REQUIRED, found=f"no YAML ({error.problem})") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the top"
        raise DocumentError(file, required=_REQUIRED, found=f"{first['msg']} at {where}") from None
    return {
        name: one if one.repository is None else one.model_copy(update={"repository": file.parent / one.repository})
        for name, one in found.packages.items()
    }


def _from_option(text: str) -> tuple[str, Package]:
    name, equals, folder = text.partition("=")
    if not equals or not folder or not NAME.fullmatch(name):
        msg = f"--package must be NAME=FOLDER of a git repository, found {text!r}"
        raise RequestError(msg)
    return name, Package(repository=Path(folder))
