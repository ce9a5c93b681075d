import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("psf fwhm, 5\u2033", "psf fwhm, 5\u2033"),
        ("two\nlines", "two lines"),
        ("\x1b[2Jgone", "\ufffd[2Jgone"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("a\u00a0b", "a b"),
        ("\ud800", "\ufffd"),
    ],
)
def test_words_of_others_stay_where_they_are_put(text: str, shown: str) -> None:
    """What could do more than be read is replaced, and nothing else."""
    assert printable(text) == shown


@given(st.text())
def test_what_is_shown_can_be_printed_and_stays_as_it_is(text: str) -> None:
    """A second time changes nothing; no sign is lost."""
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)
    assert len(printable(text)) == len(text)
