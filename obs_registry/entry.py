"""The base of all registry models, the kinds of values in them, and how a check refuses one."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, PydanticKnownError

if TYPE_CHECKING:
    from collections.abc import Iterable

FAULT = "requirement"
"""Type of the errors raised here; their context holds `required` and `found`."""


def fault(required: str, found: object, *key: str | int) -> InitErrorDetails:
    """Word what is wrong with the value at a key, seen from the model that checks it."""
    context = {"required": required, "found": str(found)}
    error = PydanticCustomError(FAULT, "required {required}, found {found}", context)
    return InitErrorDetails(type=error, loc=key, input=found)


def refuse(title: str, faults: Iterable[InitErrorDetails]) -> None:
    """Raise all of `faults` at once, each at its own key."""
    if found := list(faults):
        raise ValidationError.from_exception_data(title, found)


def _no_number(value: object) -> object:
    """Keep pydantic from reading a number as seconds since 1970."""
    if isinstance(value, int | float):
        kind: Final = "date_type"
        raise PydanticKnownError(kind)
    return value


_NAME = r"^[a-z][a-z0-9_-]*$"
_CONTACT = r"^([^@\s]+@[^@\s]+|https?://\S+)$"
_LINE = r"^[^\x00-\x1f\x7f]+$"
PATTERNS = {
    _NAME: "lower-case letters, digits, - and _, a letter first",
    _CONTACT: "an e-mail or web address",
    _LINE: "text on one line",
}
"""What each pattern asks for, in words."""

Name = Annotated[str, Field(pattern=_NAME)]
Text = Annotated[str, Field(min_length=1)]
# What becomes an argument of a command, or a path.
Line = Annotated[str, Field(pattern=_LINE)]
Contact = Annotated[str, Field(pattern=_CONTACT)]
Day = Annotated[date, BeforeValidator(_no_number)]
# Strict, because a quoted number or a `yes` in a camera file is a slip.
Count = Annotated[int, Field(gt=0, strict=True)]
Size = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]


class Entry(BaseModel):
    """Base of all registry models: frozen, strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")
