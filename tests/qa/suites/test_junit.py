from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa.errors import DocumentError
from qa.suites import junit
from qa.suites.junit import Failed, read

if TYPE_CHECKING:
    from pathlib import Path

PYTEST = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="1.25">
<testcase classname="tests.test_tap" name="test_cone[10]" time="0.5" />
<testcase classname="tests.test_tap" name="test_join" time="0.25">
<failure message="assert 3 == 4">Traceback
more</failure></testcase>
<testcase classname="tests.test_tap" name="test_upload" time="0.0"><skipped message="no" /></testcase>
<testcase classname="tests.test_tap" name="test_login" time="0.1"><error message="failed on setup">x</error></testcase>
</testsuite></testsuites>"""

LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<testsuite name="&c;"><testcase name="&c;"/></testsuite>"""

ELSEWHERE = """<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&x;"/></testsuite>"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Return the path of a report that is not written yet."""
    return tmp_path / "junit.xml"


def test_a_report_of_pytest_is_counted(report: Path) -> None:
    """Tests, skips, failures and errors with their names and first lines, and the time of all."""
    report.write_text(PYTEST)
    found = read(report)
    assert (found.run, found.skipped, found.failures, found.seconds) == (4, 1, 2, 0.85)
    assert found.failed == (
        Failed("tests.test_tap.test_join", "assert 3 == 4"),
        Failed("tests.test_tap.test_login", "failed on setup"),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PYTEST[:400], "not whole XML"),
        ("", "not whole XML"),
        ("not XML at all", "not whole XML"),
        ('<?xml version="1.0" encoding="klingon"?><testsuite/>', "not whole XML"),
        (LAUGHS, "declares entities or a document type"),
        (ELSEWHERE, "declares entities or a document type"),
        ("<html><body/></html>", "begins with <html>"),
    ],
)
def test_what_is_no_report_is_told_in_one_line(report: Path, text: str, told: str) -> None:
    """Cut off, empty, of another kind, or made to take all memory or to read other files."""
    report.write_text(text)
    with pytest.raises(DocumentError, match=told) as caught:
        read(report)
    assert "\n" not in str(caught.value)
    assert str(report) in str(caught.value)


def test_a_file_that_is_not_there_or_too_large_is_told(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what a report must be."""
    with pytest.raises(DocumentError, match="no such file"):
        read(report)
    report.write_text(PYTEST)
    monkeypatch.setattr(junit, "LARGEST_MIB", 0)
    with pytest.raises(DocumentError, match="a larger file"):
        read(report)


def test_a_crash_of_a_suite_that_names_no_test_counts_as_failed(report: Path) -> None:
    """As runners write it that cannot even collect; a suite of suites says nothing new."""
    report.write_text(
        '<testsuites failures="1"><testsuite errors="1"/><testsuite><testcase name="a"/></testsuite></testsuites>'
    )
    assert (read(report).run, read(report).failures, read(report).failed) == (1, 1, ())


def test_nested_suites_name_spaces_and_odd_times_are_understood(report: Path) -> None:
    """Of other runners than pytest."""
    report.write_text(
        '<t:testsuite xmlns:t="urn:x" failures="1"><t:testsuite failures="1">'
        '<t:testcase name="a" time="1,234.5"><t:failure/></t:testcase><t:testcase time="soon" name="b"/>'
        '<t:testcase time="-1" name="c"/><t:testcase time="inf" name="d"/></t:testsuite></t:testsuite>'
    )
    found = read(report)
    assert (found.run, found.failures, found.seconds) == (4, 1, 1234.5)
    assert found.failed == (Failed("a", ""),)


def test_what_a_report_says_of_a_failure_is_one_printable_line(report: Path) -> None:
    """No escape of a terminal comes through, and no novel."""
    message = quoteattr("[31m" + chr(0x202E) + "z" * 500)
    report.write_text(f'<testsuite><testcase name="x&#10;y"><failure message={message}/></testcase></testsuite>')
    (failed,) = read(report).failed
    assert failed.name == "x"
    assert failed.message.isprintable()
    assert len(failed.message) <= junit.LONGEST + 3


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.binary(max_size=300), st.integers(0, len(PYTEST)).map(lambda end: PYTEST[:end].encode())))
def test_no_bytes_bring_the_reader_down(report: Path, content: bytes) -> None:
    """A report or one line."""
    report.write_bytes(content)
    with contextlib.suppress(DocumentError):
        assert read(report).run >= 0
