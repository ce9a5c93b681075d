"""What a requirements document says: the targets of each metric by band, where they are written, and what is left out.

Two kinds of file are read into a `Requirements`: a whole document, and a profile that takes over another document,
leaves metrics out, sets targets of its own and adds metrics, and says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveInt, model_validator

from qa.model import Ladder
from qa.requirements.ladder import UnitMismatchError, convert, in_order, known_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

Band = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Text = Annotated[str, Field(min_length=1)]
BANDS = ("u", "g", "r", "i", "z", "y")
"""The bands of a document that names none."""

_COMMON_UNITS = frozenset({"", "%", "mmag", "mag", "mas", "arcsec"})


class ProfileError(ValueError):
    """A profile does not fit the document it is based on; `key` is where, `text` what was required and found."""

    def __init__(self, key: tuple[str | int, ...], text: str) -> None:
        self.key, self.text = key, text
        super().__init__(f"{'.'.join(map(str, key))}: {text}")


class Part(BaseModel):
    """Base of all parts of a document: frozen, strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Targets(Part):
    """The three targets in some bands; no bands means every band."""

    bands: tuple[Band, ...] | None = None
    minimum: FiniteFloat
    design: FiniteFloat
    stretch: FiniteFloat

    def applies_to(self, band: str | None) -> bool:
        """Tell whether the targets hold in a band."""
        return self.bands is None or band in self.bands


class Requirement(Part):
    """What a document asks of one metric; `source` says where that is written if not in the document's own tables."""

    metric: Text
    definition: str
    table: PositiveInt | None = None
    unit: str
    operator: Literal["<=", ">="]
    targets: tuple[Targets, ...]
    note: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        check_unit(self.unit)
        for targets in self.targets:
            check_order(self.operator, targets)
        check_bands(self.targets)
        return self


class Requirements(Part):
    """A requirements document: where it is written and what it asks of each metric."""

    document: str
    title: str
    version: str
    url: str
    bands: tuple[Band, ...] = BANDS
    requirements: tuple[Requirement, ...]

    @model_validator(mode="after")
    def _names_each_metric_once(self) -> Self:
        check_once([requirement.metric for requirement in self.requirements])
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
        if requirement.source:
            return requirement.source
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


class OwnTargets(Part):
    """Targets that take the place of all those the document has for a metric, why, and where they are written."""

    metric: Text
    why: Text
    source: Text
    unit: str | None = None
    targets: tuple[Targets, ...]

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if self.unit is not None:
            check_unit(self.unit)
        check_bands(self.targets)
        return self


class Added(Requirement):
    """What a profile asks of a metric that its document says nothing of; `source` must say where it is written."""

    source: Text


class Profile(Part):
    """A document that asks all that another one does, some metrics excepted, others with targets of its own.

    `why` is the reason for the whole; `bands` are those of the telescope, if not the document's.
    """

    base: Text
    why: Text
    title: str | None = None
    bands: tuple[Band, ...] | None = None
    without: tuple[str, ...] = ()
    targets: tuple[OwnTargets, ...] = ()
    requirements: tuple[Added, ...] = ()

    @model_validator(mode="after")
    def _names_each_metric_once(self) -> Self:
        own = [one.metric for one in self.targets] + [one.metric for one in self.requirements]
        check_once([*self.without, *own])
        return self


def derive(profile: Profile, whole: Requirements) -> Requirements:
    """Return the document a profile makes of another one; every requirement still says where it is written.

    Raises
    ------
    ProfileError
        If the profile excepts or changes what the document does not ask, adds what it does ask, or has targets in
        another kind of unit or out of order in the document's direction.
    """
    _check_known("without", profile.without, whole, profile.base)
    _check_known("targets", [one.metric for one in profile.targets], whole, profile.base)
    again = [one.metric for one in profile.requirements if one.metric in whole.metrics]
    if again:
        text = f"{profile.base} asks {', '.join(again)} already; own targets belong under targets"
        raise ProfileError(("requirements",), text)
    own = {one.metric: (place, one) for place, one in enumerate(profile.targets)}
    taken = [
        _changed(one, *own[one.metric]) if one.metric in own else one.model_copy(update={"source": whole.citation(one)})
        for one in whole.requirements
        if one.metric not in profile.without
    ]
    return Requirements(
        document=whole.document,
        title=profile.title or whole.title,
        version=whole.version,
        url=whole.url,
        bands=profile.bands or whole.bands,
        requirements=(*taken, *profile.requirements),
    )


def _changed(requirement: Requirement, place: int, own: OwnTargets) -> Requirement:
    unit = requirement.unit if own.unit is None else own.unit
    try:
        convert(1.0, unit=unit, to=requirement.unit, what=f"targets of {own.metric}")
        for targets in own.targets:
            check_order(requirement.operator, targets)
    except (UnitMismatchError, ValueError) as error:
        raise ProfileError(("targets", place), str(error)) from None
    update = {"targets": own.targets, "unit": unit, "source": own.source, "note": own.why}
    return requirement.model_copy(update=update)


def _check_known(key: str, metrics: Sequence[str], whole: Requirements, base: str) -> None:
    unknown = [name for name in metrics if name not in whole.metrics]
    if unknown:
        raise ProfileError((key,), f"must name metrics of {base}, got {', '.join(unknown)}")


def check_once(names: Sequence[str]) -> None:
    """Refuse a metric that is named more than once."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"each metric must be named once, got {', '.join(twice)} more than once"
        raise ValueError(msg)


def check_unit(unit: str) -> None:
    """Refuse a unit that astropy does not know."""
    if unit not in _COMMON_UNITS and not known_unit(unit):
        msg = f"unit must be one that astropy knows, got {unit!r}"
        raise ValueError(msg)


def check_order(operator: str, targets: Targets) -> None:
    """Refuse targets that do not get harder from minimum to stretch."""
    ladder = (targets.minimum, targets.design, targets.stretch)
    if not in_order(operator, *ladder):
        msg = f"targets must get harder from minimum over design to stretch ({operator}), got {ladder}"
        raise ValueError(msg)


def check_bands(all_targets: Sequence[Targets]) -> None:
    """Refuse no targets at all, and a band with more than one set of them."""
    if not all_targets:
        msg = "there must be at least one set of targets, got none"
        raise ValueError(msg)
    seen: list[str] = []
    for targets in all_targets:
        seen += ["every band"] if targets.bands is None else targets.bands
    twice = {band for band in seen if seen.count(band) > 1}
    if twice or ("every band" in seen and len(seen) > 1):
        msg = f"a band must have one set of targets, got {', '.join(seen)}"
        raise ValueError(msg)
