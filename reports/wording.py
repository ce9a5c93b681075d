"""How values, units, times and verdicts are written: significant digits by the standard error, real typography."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import date
from typing import TYPE_CHECKING

from qa.model import Measurement, Unmeasured

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from qa.model import Result, Scope

NBSP, THIN, MINUS, DASH = "\u00a0", "\u202f", "\u2212", "\u2013"

_SUPERSCRIPT = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
_UNITS = {
    "": "",
    "percent": f"{THIN}%",
    "%": f"{THIN}%",
    "arcsec": "\u2033",
    "arcmin": "\u2032",
    "deg": "\u00b0",
    "marcsec": f"{NBSP}mas",
    "electron": f"{NBSP}e\u207b",
}
_PLAIN_DIGITS = 4
_TINY, _HUGE, _GROUPED = 1e-3, 1e7, 1e4
# Smaller than this, a power of ten is no longer a normal number.
_LEAST = -300
_MINUTE, _HOUR, _GIBI = 60, 3600, 1024
_HALF_YEAR = 183
# What XML 1.0 cannot hold, escaped or not.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def unit_text(unit: str) -> str:
    """Write a unit as it follows a number, the space before it included; arcsec becomes a double prime."""
    if unit in _UNITS:
        return _UNITS[unit]
    powers = re.sub(r"(?<=[A-Za-z])(?:\*\*|\^)?(-?\d+)", lambda match: match[1].translate(_SUPERSCRIPT), unit)
    return NBSP + powers.replace(" ", THIN)


def unit_name(unit: str) -> str:
    """Write a unit where it stands alone."""
    return unit if unit in {"arcsec", "arcmin", "deg"} else unit_text(unit).strip()


def _decimals(value: float, stderr: float | None) -> int:
    if stderr:
        # Two digits of the error, as usual in tables: 5.13 +- 0.12.
        return 1 - math.floor(math.log10(abs(stderr)))
    if value == 0 or value == round(value):
        return 0
    return max(0, _PLAIN_DIGITS - 1 - math.floor(math.log10(abs(value))))


def _fixed(value: float, decimals: int) -> str:
    rounded = round(value, decimals) + 0.0
    text = (
        f"{abs(rounded):,.{max(0, decimals)}f}" if abs(rounded) >= _GROUPED else f"{abs(rounded):.{max(0, decimals)}f}"
    )
    return (MINUS if rounded < 0 else "") + text.replace(",", THIN)


def _exponent(value: float, stderr: float | None) -> int:
    """Return the power of ten to take out: that of the larger of value and error where it is tiny or huge."""
    size = max(abs(value), stderr or 0.0)
    if not size or _TINY <= size < _HUGE:
        return 0
    return max(math.floor(math.log10(size)), _LEAST)


def _times_ten(exponent: int) -> str:
    return f"{THIN}\u00d7{THIN}10{str(exponent).translate(_SUPERSCRIPT)}" if exponent else ""


def number(value: float, stderr: float | None = None) -> str:
    """Write a value to the digits its standard error supports, two at least; four where no error is known."""
    exponent = _exponent(value, None)
    scaled = value / 10.0**exponent
    error = stderr / 10.0**exponent if stderr else None
    decimals = _decimals(scaled, error if error and math.isfinite(error) else None)
    if scaled and error:
        decimals = max(decimals, 1 - math.floor(math.log10(abs(scaled))))
    return _fixed(scaled, min(decimals, 12)) + _times_ten(exponent)


def brief(value: float, stderr: float | None = None) -> str:
    """Write a value as `number` does, with four significant digits at most where its error would give more."""
    if not stderr or not value:
        return number(value, stderr)
    # Two digits of an error this large are the third and fourth of the value.
    least = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    return number(value, max(stderr, least))


def encodable(text: str) -> str:
    """Replace what UTF-8 cannot hold, such as the surrogates of a file name in another encoding."""
    return text.encode("utf-8", "replace").decode()


def legal(text: str) -> str:
    """Replace the characters that no XML document may hold."""
    return _ILLEGAL.sub("\ufffd", text)


def quantity(value: float, unit: str, stderr: float | None = None) -> str:
    """Write a value with its unit."""
    return number(value, stderr) + unit_text(unit)


def with_error(value: float, stderr: float | None) -> str:
    """Write `value +- stderr` without unit, a common power of ten taken out."""
    if not stderr:
        return number(value)
    exponent = _exponent(value, stderr)
    scale = 10.0**exponent
    decimals = min(_decimals(value / scale, stderr / scale), 12)
    text = f"{_fixed(value / scale, decimals)}{NBSP}\u00b1{NBSP}{_fixed(stderr / scale, decimals)}"
    return f"({text}){_times_ten(exponent)}" if exponent else text


def result_text(result: Result) -> str:
    """Write a result in short: the value with its unit, or a dash where there is none."""
    match result:
        case Measurement():
            return quantity(result.value, result.unit, result.stderr)
        case Unmeasured():
            return DASH


def percent(fraction: float) -> str:
    """Write a relative change with its sign, whole per cents from ten on."""
    size = abs(100 * fraction)
    digits = 0 if round(size, 1) >= 10 else 1  # noqa: PLR2004 - two significant digits either way
    sign = "" if round(size, digits) == 0 else (MINUS if fraction < 0 else "+")
    return f"{sign}{size:.{digits}f}{THIN}%"


def duration(seconds: float) -> str:
    """Write a time span: `0.42 s`, `42 s`, `4 min 12 s`, `2 h 05 min`."""
    if seconds < _MINUTE:
        return f"{seconds:.2g}{NBSP}s" if seconds < 1 else f"{seconds:.0f}{NBSP}s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE}{NBSP}min{NBSP}{whole % _MINUTE:02d}{NBSP}s"
    return f"{whole // _HOUR}{NBSP}h{NBSP}{whole % _HOUR // _MINUTE:02d}{NBSP}min"


def memory(mib: float) -> str:
    """Write an amount of memory given in MiB."""
    return f"{mib / _GIBI:.1f}{NBSP}GiB" if mib >= _GIBI else f"{mib:.0f}{NBSP}MiB"


def day(when: date) -> str:
    """Write a date: `22 Nov 2026`."""
    return f"{when.day}{NBSP}{when:%b}{NBSP}{when.year}"


def short_day(when: date, today: date) -> str:
    """Write a date without its year where that is this year or the day is within half a year of today."""
    near = when.year == today.year or abs((date(when.year, when.month, when.day) - today).days) <= _HALF_YEAR
    return f"{when.day}{NBSP}{when:%b}" if near else day(when)


def moment(when: datetime) -> str:
    """Write a time to the minute with its zone."""
    return f"{day(when)}, {when:%H:%M}{NBSP}{when.tzname() or ''}".rstrip()


def ago(age: timedelta) -> str:
    """Write how long ago something was, in days."""
    match max(0, age.days):
        case 0:
            return "today"
        case 1:
            return "1 day ago"
        case days:
            return f"{days} days ago"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun: `1 camera`, `2 cameras`."""
    ending = "" if count == 1 else "s"
    return f"{count} {noun}{ending}"


def listing(words: Sequence[str]) -> str:
    """Join words as prose: `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1] if words else "")))


def where(scope: Scope) -> str:
    """Name what a metric was measured on within its camera: the band, and the task of a resource metric."""
    parts = (scope.band, scope.task, f"tract{NBSP}{scope.tract}" if scope.tract else None)
    return " \u00b7 ".join(part for part in parts if part) or "whole camera"


def slug(name: str) -> str:
    """Turn any name into one safe path component; different names give different components.

    A name that had to be altered carries a piece of its digest, so `a/b` and `a-b` stay apart.
    """
    clean = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:60]
    if clean == name and clean:
        return clean
    return f"{clean or 'x'}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
