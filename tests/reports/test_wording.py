# ruff: noqa: RUF001 - the signs of real typography are what is tested
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.model import Measurement, Scope, Unmeasured
from reports import wording

SCOPE = Scope("hsc", "twin", "r", 0)


@pytest.mark.parametrize(
    ("value", "stderr", "expected"),
    [
        (5.1312, 0.1234, "5.13 ± 0.12"),
        (8.4, 0.168, "8.40 ± 0.17"),
        (-1.4, 0.28, "−1.40 ± 0.28"),
        (2.134e-5, 1.2e-6, "(2.13 ± 0.12) × 10⁻⁵"),
        (12345.6, None, "12 346"),
        (0.0, None, "0"),
        (41.0, None, "41"),
        (1234.0, 96.0, "1234 ± 96"),
    ],
)
def test_digits_follow_the_standard_error(value: float, stderr: float | None, expected: str) -> None:
    """A value is written to two digits of its error, in powers of ten where it is tiny."""
    written = wording.with_error(value, stderr).replace("\u00a0", " ").replace("\u202f", " ")
    assert written == expected


@given(st.floats(allow_nan=False, allow_infinity=False), st.none() | st.floats(min_value=0, allow_infinity=False))
def test_any_finite_value_can_be_written(value: float, stderr: float | None) -> None:
    """No finite value or error, however large or small, breaks a report."""
    assert wording.with_error(value, stderr)
    assert "nan" not in wording.number(value, stderr)


@given(st.floats(min_value=1e-3, max_value=1e4))
def test_a_written_value_reads_back(value: float) -> None:
    """Four significant digits survive."""
    text = wording.number(value).replace("\u202f", "")
    assert float(text) == pytest.approx(value, rel=6e-4)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("mmag", "\u00a0mmag"), ("arcsec", "″"), ("%", "\u202f%"), ("", ""), ("arcmin**-2", "\u00a0arcmin⁻²")],
)
def test_units_are_typeset(unit: str, expected: str) -> None:
    """A unit follows its number with the space and sign that typography gives it."""
    assert wording.unit_text(unit) == expected


def test_an_absence_is_a_dash() -> None:
    """What was not measured has no number."""
    assert wording.result_text(Unmeasured("PA1", SCOPE, "too few stars")) == "–"
    assert wording.result_text(Measurement("PA1", SCOPE, 5.0, "mmag", 10, 0.1)) == "5.00\u00a0mmag"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.42, "0.42 s"), (42.4, "42 s"), (252, "4 min 12 s"), (7500, "2 h 05 min"), (59.7, "60 s")],
)
def test_durations_are_short(seconds: float, expected: str) -> None:
    """A duration has two units at most."""
    assert wording.duration(seconds).replace("\u00a0", " ") == expected


def test_relative_changes_keep_their_sign() -> None:
    """A change is signed unless it rounds to nothing."""
    assert [wording.percent(one) for one in (0.65, -0.123, 0.004, 0.0)] == [
        "+65\u202f%",
        "−12\u202f%",
        "+0.4\u202f%",
        "0.0\u202f%",
    ]


def test_prose() -> None:
    """Lists, plurals, ages, sizes and dates read as words do."""
    now = datetime(2026, 3, 1, 1, 5, tzinfo=UTC)
    assert wording.listing(["a", "b", "c"]) == "a, b and c"
    assert wording.listing(["a"]) == "a"
    assert wording.plural(1, "camera") == "1 camera"
    assert [wording.ago(timedelta(days=days)) for days in (0, 1, 9)] == ["today", "1 day ago", "9 days ago"]
    assert wording.memory(640).replace("\u00a0", " ") == "640 MiB"
    assert wording.memory(2048).replace("\u00a0", " ") == "2.0 GiB"
    assert wording.moment(now).replace("\u00a0", " ") == "1 Mar 2026, 01:05 UTC"
    assert wording.where(Scope("hsc", "twin", "r", 0, "isr")) == "r · isr"
    assert wording.where(Scope("hsc", "twin")) == "whole camera"


@given(st.text())
def test_a_slug_is_one_harmless_path_component(name: str) -> None:
    """Whatever the name, its slug cannot leave the folder, and is never empty or hidden."""
    made = wording.slug(name)
    assert made
    assert set(made) <= set(string.ascii_letters + string.digits + "-_")


@given(st.text(max_size=8), st.text(max_size=8))
def test_different_names_have_different_slugs(one: str, other: str) -> None:
    """Two cameras never share a page."""
    assert (wording.slug(one) == wording.slug(other)) == (one == other)


def test_brief_values_line_up() -> None:
    """A cell of the overview has four significant digits at most, and never fewer because a value is round."""
    assert wording.brief(16.0, 0.8) == "16.00"
    assert wording.brief(24.5916, 0.0099) == "24.59"
    assert wording.brief(8.4, 0.17) == "8.40"
    assert wording.brief(41.0) == "41"


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_encoded(text: str) -> None:
    """Surrogates, as file names in other encodings have them, become question marks."""
    assert wording.encodable(text).encode().decode() == wording.encodable(text)


def test_a_value_lost_in_its_error_keeps_two_digits() -> None:
    """In a sentence a value is never written as nothing because its error is large."""
    assert wording.number(2.89e-6, 1.3e-5).replace("\u202f", " ") == "2.9 × 10⁻⁶"
    assert wording.with_error(2.89e-6, 1.3e-5).replace("\u202f", " ") == "(0.3\u00a0±\u00a01.3) × 10⁻⁵"
