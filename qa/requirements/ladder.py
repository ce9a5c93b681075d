"""A requirement's ladder minimum <= design <= stretch: which level a value reaches, in whatever unit it comes.

Pure arithmetic on `qa.model.Ladder`; nothing here reads a file.
"""

from __future__ import annotations

import math

from qa.errors import RequestError
from qa.model import Ladder, Level

LEVELS = (Level.BELOW_MINIMUM, Level.MINIMUM, Level.DESIGN, Level.STRETCH)
"""The levels from worst to best."""

OPERATORS = {"<=": "at most", ">=": "at least"}
"""The operators a requirement may have, in words."""

_SLACK = 1e-9
"""Relative slack of a comparison with a target: 0.015 mag must be as good as 15 mmag after conversion."""


class NotFiniteError(RequestError):
    """A value is no number that could reach a level."""

    def __init__(self, metric: str, value: float) -> None:
        self.metric, self.value = metric, value
        super().__init__(
            f"{metric}: a value to judge must be finite, got {value}; what cannot be measured has a reason"
        )


class OperatorError(RequestError):
    """A requirement's operator is none that has a direction."""

    def __init__(self, operator: str) -> None:
        self.operator = operator
        super().__init__(f"the operator of a requirement must be one of {' '.join(OPERATORS)}, got {operator!r}")


class UnitMismatchError(RequestError):
    """Two units that should measure the same thing do not."""

    def __init__(self, what: str, *, required: str, found: str) -> None:
        self.what, self.required, self.found = what, required, found
        super().__init__(f"{what}: the unit must be convertible to {required!r}, got {found!r}")


def convert(value: float, *, unit: str, to: str, what: str = "value") -> float:
    """Convert a value between two units in astropy's spelling ('' is dimensionless, '%' is percent).

    Raises
    ------
    UnitMismatchError
        If the units do not measure the same thing, or astropy does not know one of them.
    """
    if unit == to:
        return value
    from astropy import units  # noqa: PLC0415 - a third of a second that equal spellings do not need

    try:
        return float(units.Unit(unit).to(units.Unit(to), value))
    except (units.UnitConversionError, ValueError, TypeError):
        raise UnitMismatchError(what, required=to, found=unit) from None


def known_unit(unit: str) -> bool:
    """Tell whether astropy knows a unit of this spelling."""
    from astropy import units  # noqa: PLC0415 - as above

    try:
        units.Unit(unit)
    except ValueError:
        return False
    return True


def rank(level: Level) -> int:
    """Place of a level on the ladder, 0 for below-minimum; not-applicable has none and raises ValueError."""
    return LEVELS.index(level)


def target(ladder: Ladder, level: Level) -> float:
    """Return the value that has to be reached for a level, in the ladder's unit."""
    match level:
        case Level.MINIMUM:
            return ladder.minimum
        case Level.DESIGN:
            return ladder.design
        case Level.STRETCH:
            return ladder.stretch
        case _:
            msg = f"only minimum, design and stretch have a target, got {level}"
            raise ValueError(msg)


def margin(value: float, ladder: Ladder, level: Level) -> float:
    """Distance of a value (in the ladder's unit) from a level's target, positive on the good side.

    Raises
    ------
    OperatorError
        If the ladder's operator is neither at most nor at least.
    """
    distance = target(ladder, level) - value
    return distance if is_at_most(ladder.operator) else -distance


def reached(value: float, ladder: Ladder | None) -> Level:
    """Return the best level a value (in the ladder's unit) reaches, not-applicable without a ladder.

    Raises
    ------
    NotFiniteError
        If the value is NaN or infinite.
    OperatorError
        If the ladder's operator is neither at most nor at least.
    """
    if ladder is None:
        return Level.NOT_APPLICABLE
    if not math.isfinite(value):
        raise NotFiniteError(ladder.metric, value)
    if ladder.only is not None:
        return LEVELS[rank(ladder.only) - (not _meets(value, ladder, ladder.only))]
    met = [level for level in LEVELS[1:] if _meets(value, ladder, level)]
    return met[-1] if met else Level.BELOW_MINIMUM


def _meets(value: float, ladder: Ladder, level: Level) -> bool:
    limit = target(ladder, level)
    return margin(value, ladder, level) >= 0 or math.isclose(value, limit, rel_tol=_SLACK)


def in_order(operator: str, minimum: float, design: float, stretch: float) -> bool:
    """Tell whether the targets get harder from minimum to stretch; for errors see `is_at_most`."""
    return minimum >= design >= stretch if is_at_most(operator) else minimum <= design <= stretch


def is_at_most(operator: str) -> bool:
    """Tell the direction of an operator: whether small values are the good ones.

    Raises
    ------
    OperatorError
        If it is neither `<=` nor `>=`.
    """
    if operator not in OPERATORS:
        raise OperatorError(operator)
    return operator == "<="
