"""Reading requirement documents: all faults of a file are collected, with line and key, and raised once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, ValidationError, model_validator

from qa.errors import RequestError, UnknownNameError
from qa.model import Ladder
from qa.requirements.ladder import in_order, known_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Band = Literal["u", "g", "r", "i", "z", "y"]
_FOLDER = Path(__file__).resolve().parent
_COMMON_UNITS = frozenset({"", "%", "mmag", "mag", "mas", "arcsec"})


class RequirementsError(RequestError):
    """A requirements document is wrong; `faults` are whole lines, one for each thing to mend."""

    def __init__(self, path: Path, faults: Iterable[str]) -> None:
        self.path, self.faults = path, tuple(faults)
        super().__init__("\n".join(self.faults))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Targets(_Part):
    """The three targets in some bands; no bands means every band."""

    bands: tuple[Band, ...] | None = None
    minimum: FiniteFloat
    design: FiniteFloat
    stretch: FiniteFloat

    def applies_to(self, band: str | None) -> bool:
        """Tell whether the targets hold in a band."""
        return self.bands is None or band in self.bands


class Requirement(_Part):
    """What a document asks of one metric."""

    metric: Annotated[str, Field(min_length=1)]
    definition: str
    table: PositiveInt | None = None
    unit: str
    operator: Literal["<=", ">="]
    targets: tuple[Targets, ...]
    note: str = ""

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        _check_unit(self.unit)
        for targets in self.targets:
            _check_order(self.operator, targets)
        _check_bands(self.targets)
        return self


class Requirements(_Part):
    """A requirements document: where it is written and what it asks of each metric."""

    document: str
    title: str
    version: str
    url: str
    requirements: tuple[Requirement, ...]

    @model_validator(mode="after")
    def _names_each_metric_once(self) -> Self:
        names = [requirement.metric for requirement in self.requirements]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"each metric must be named once, got {', '.join(twice)} more than once"
            raise ValueError(msg)
        return self

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics with a requirement, in the order of the document."""
        return tuple(requirement.metric for requirement in self.requirements)

    def requirement(self, metric: str) -> Requirement | None:
        """Return what is asked of a metric."""
        return next((one for one in self.requirements if one.metric == metric), None)

    def citation(self, requirement: Requirement) -> str:
        """Say where a requirement is written."""
        place = requirement.metric if requirement.table is None else f"Table {requirement.table}"
        return f"{self.document} v{self.version}, {place}"

    def ladder(self, metric: str, band: str | None) -> Ladder | None:
        """Return the ladder of a metric in a band, None where the document asks nothing."""
        requirement = self.requirement(metric)
        if requirement is None:
            return None
        found = next((one for one in requirement.targets if one.applies_to(band)), None)
        if found is None:
            return None
        return Ladder(
            metric=metric,
            band=band,
            unit=requirement.unit,
            operator=requirement.operator,
            minimum=found.minimum,
            design=found.design,
            stretch=found.stretch,
            citation=self.citation(requirement),
        )


class Selection(_Part):
    """A document that asks all that another one does, some metrics excepted, and says why."""

    base: Annotated[str, Field(min_length=1)]
    without: tuple[str, ...]
    why: Annotated[str, Field(min_length=1)]


def profiles() -> tuple[str, ...]:
    """Return the names of the requirement documents that come with obsqa."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def load(profile: str = "lpm-17", *, folder: Path = _FOLDER) -> Requirements:
    """Read the requirements document `<folder>/<profile>.yaml`.

    Raises
    ------
    UnknownNameError
        If there is no such document.
    RequirementsError
        If it is wrong; every fault is one line with file, line number and key.
    """
    path = folder / f"{profile}.yaml"
    if not path.is_file():
        kind = "requirements profile"
        raise UnknownNameError(kind, profile, sorted(one.stem for one in folder.glob("*.yaml")))
    return read(path)


def read(path: Path) -> Requirements:
    """Read one requirements document.

    Raises
    ------
    RequirementsError
        If it is wrong; every fault is one line with file, line number and key.
    """
    text = path.read_text(encoding="utf-8")
    try:
        content = yaml.safe_load(text)
        if isinstance(content, dict) and "base" in content:
            return _select(path, Selection.model_validate(content))
        return Requirements.model_validate(content)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RequirementsError(path, [f"{path}:{line}: must be YAML, got: {error.problem}"]) from None
    except ValidationError as error:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        raise RequirementsError(path, [_fault(path, root, one) for one in error.errors()]) from None


def _select(path: Path, selection: Selection) -> Requirements:
    whole = load(selection.base, folder=path.parent)
    unknown = [name for name in selection.without if name not in whole.metrics]
    if unknown:
        fault = f"{path}: without: must name metrics of {selection.base}, got {', '.join(unknown)}"
        raise RequirementsError(path, [fault])
    kept = tuple(one for one in whole.requirements if one.metric not in selection.without)
    return whole.model_copy(update={"requirements": kept})


def _fault(path: Path, root: yaml.Node | None, error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    location: tuple[int | str, ...] = error["loc"]
    key = ".".join(str(part) for part in location) or "document"
    found = "" if isinstance(error["input"], dict | list) else f", got {error['input']!r}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{path}:{_line(root, location)}: {key}: {message}{found}"


def _line(node: yaml.Node | None, location: Sequence[int | str]) -> int:
    """Return the line (from 1) of the deepest part of a location that exists in the text."""
    line = node.start_mark.line + 1 if node is not None else 1
    for part in location:
        node = _child(node, part)
        if node is None:
            break
        line = node.start_mark.line + 1
    return line


def _child(node: yaml.Node | None, part: int | str) -> yaml.Node | None:
    match node:
        case yaml.SequenceNode() if isinstance(part, int) and part < len(node.value):
            child: yaml.Node = node.value[part]
            return child
        case yaml.MappingNode():
            return next((value for key, value in node.value if key.value == part), None)
        case _:
            return None


def _check_unit(unit: str) -> None:
    if unit not in _COMMON_UNITS and not known_unit(unit):
        msg = f"unit must be one that astropy knows, got {unit!r}"
        raise ValueError(msg)


def _check_order(operator: str, targets: Targets) -> None:
    ladder = (targets.minimum, targets.design, targets.stretch)
    if not in_order(operator, *ladder):
        msg = f"targets must get harder from minimum over design to stretch ({operator}), got {ladder}"
        raise ValueError(msg)


def _check_bands(all_targets: Sequence[Targets]) -> None:
    if not all_targets:
        msg = "there must be at least one set of targets, got none"
        raise ValueError(msg)
    seen: list[str] = []
    for targets in all_targets:
        seen += targets.bands or ["every band"]
    twice = {band for band in seen if seen.count(band) > 1}
    if twice or ("every band" in seen and len(seen) > 1):
        msg = f"a band must have one set of targets, got {', '.join(seen)}"
        raise ValueError(msg)
