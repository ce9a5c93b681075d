"""The doctor on requirement documents of our own format."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from qa.metrics import catalogue
from qa.requirements.doctor import examine, examine_profile
from qa.requirements.faults import Severity

if TYPE_CHECKING:
    from pathlib import Path

    from qa.requirements.faults import Fault

PROFILE = """\
base: lpm-17
why: a test
targets:
  - metric: PA1
    why: a test
    source: a plan
    targets:
      - {bands: [r], minimum: 9, design: 6, stretch: 3}
"""


def told(path: Path, *, severity: Severity | None = None) -> list[Fault]:
    """Examine a document against what obsqa measures; notes only if asked for."""
    found = examine_profile(path, definitions=catalogue())
    return [one for one in found if one.severity is severity or (severity is None and one.severity != Severity.NOTE)]


def a_copy(folder: Path, old: str, new: str) -> Path:
    """Write a copy of our document with one text replaced."""
    text = (files("qa.requirements") / "lpm-17.yaml").read_text()
    assert old in text
    path = folder / "copy.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "line", "rule", "correct"),
    [
        ("minimum: 8,", "minimum: 4,", 15, "ladder-order", "minimum 8, design 5, stretch 3"),
        ("design: 5,", "design: 6,", 15, "document-value", "minimum 8, design 5, stretch 3"),
        ('unit: "mmag"', 'unit: "mas"', 12, "unit-kind", "unit: 'mmag'"),
        ('unit: "%"', 'unit: "percent"', 21, "unit-spelling", "unit: '%'"),
        ('unit: "mmag"', 'unit: "millimag"', 12, "unit-unknown", "unit: 'mmag'"),
        ("table: 14", "tabel: 14", 11, "unknown-key", "table:"),
        ("title:", "titel:", 5, "unknown-key", "title:"),
        ("bands: [g, r, i], minimum", "band: [g, r, i], minimum", 15, "unknown-key", "bands:"),
    ],
)
def test_each_fault_has_its_line_and_the_correct_value(
    tmp_path: Path, old: str, new: str, line: int, rule: str, correct: str
) -> None:
    """Of a copy of the document with one slip."""
    found = [one for one in told(a_copy(tmp_path, old, new)) if one.rule == rule]
    assert [(one.line, one.correct) for one in found][:1] == [(line, correct)]
    assert found[0].severity is (Severity.WARNING if rule == "unit-spelling" else Severity.ERROR)


def test_an_operator_against_the_direction_of_the_metric(tmp_path: Path) -> None:
    """A scatter must not be asked to be large."""
    path = a_copy(tmp_path, 'operator: "<="', 'operator: ">="')
    found = {one.rule: one for one in told(path)}
    assert found["direction"].correct == 'operator: "<="'
    assert "which is better when lower" in found["direction"].message
    depth = tmp_path / "depth.yaml"
    depth.write_text(path.read_text().replace('operator: ">="', 'operator: "<="'))
    (one,) = [one for one in told(depth) if one.rule == "direction"][:1]
    assert one.correct == 'operator: ">="'


def test_one_slip_is_told_once(tmp_path: Path) -> None:
    """The reader refuses it, too, and says no more than the rule."""
    assert len(told(a_copy(tmp_path, "minimum: 8,", "minimum: 4,"))) == 2  # the order, and the value
    assert len(told(a_copy(tmp_path, "table: 14", "tabel: 14"))) == 1


def test_what_only_the_reader_sees_is_told_as_it_is(tmp_path: Path) -> None:
    """A field that is missing, a base that does not exist, no mapping, no YAML, no text."""
    (one,) = told(a_copy(tmp_path, "    definition: rms of unres", "    source: rms of unres"))
    assert (one.rule, one.line) == ("document", 9)
    path = tmp_path / "profile.yaml"
    path.write_text(PROFILE.replace("lpm-17", "nosuch"))
    (one,) = told(path)
    assert (one.rule, one.correct) == ("base", "one of copy, lpm-17, lpm-17-elsewhere, profile")
    path.write_text("- 1\n")
    assert [one.rule for one in told(path)] == ["document"]
    path.write_text("")
    assert [one.rule for one in told(path)] == ["document"]
    path.write_text("a: [\n")
    assert [(one.rule, one.line) for one in told(path)] == [("yaml", 2)]
    path.write_bytes(b"\xff")
    assert [(one.rule, one.line) for one in told(path)] == [("yaml", 1)]


def test_own_targets_are_worth_a_note(tmp_path: Path) -> None:
    """A profile may have them; which differ, and from what, is told."""
    path = tmp_path / "profile.yaml"
    path.write_text(PROFILE)
    assert told(path) == []
    (one,) = [one for one in told(path, severity=Severity.NOTE) if one.rule == "document-value"]
    assert one.message == "PA1: own targets minimum 9, design 6, stretch 3, LPM-17 has minimum 8, design 5, stretch 3"
    assert one.line == 8


def test_own_targets_out_of_order_are_an_error(tmp_path: Path) -> None:
    """In the direction of the document they are based on."""
    path = tmp_path / "profile.yaml"
    path.write_text(PROFILE.replace("minimum: 9", "minimum: 4"))
    (one,) = told(path)
    assert (one.rule, one.correct) == ("ladder-order", "minimum 8, design 5, stretch 3")
    path.write_text(PROFILE.replace("metric: PA1", "metric: XX").replace("minimum: 9", "minimum: 4"))
    assert [one.rule for one in told(path)] == ["document"]


def test_own_targets_that_are_those_of_the_document_are_not_told(tmp_path: Path) -> None:
    """In another unit."""
    path = tmp_path / "profile.yaml"
    same = PROFILE.replace("source: a plan", "source: a plan\n    unit: mag").replace(
        "minimum: 9, design: 6, stretch: 3", "minimum: 0.008, design: 0.005, stretch: 0.003"
    )
    path.write_text(same)
    assert [one for one in told(path, severity=Severity.NOTE) if one.rule == "document-value"] == []


def test_another_document_has_values_of_its_own(tmp_path: Path) -> None:
    """Only what claims to be LPM-17 is compared with it."""
    path = a_copy(tmp_path, "document: LPM-17", "document: XYZ-1")
    path.write_text(path.read_text().replace("minimum: 8,", "minimum: 9,"))
    assert told(path) == []


def test_orphans_both_ways_are_noted(tmp_path: Path) -> None:
    """Requirements that are not measured, and metrics nothing is required of; of profiles the former only."""
    path = a_copy(tmp_path, "metric: PA1", "metric: PA9")
    notes = {(one.rule, one.subject) for one in told(path, severity=Severity.NOTE)}
    assert {("orphan-requirement", "PA9"), ("orphan-metric", "PA1")} <= notes
    profile = tmp_path / "profile.yaml"
    profile.write_text("base: copy\nwhy: a test\n")
    notes = {(one.rule, one.subject) for one in told(profile, severity=Severity.NOTE)}
    assert ("orphan-requirement", "PA9") in notes
    assert not any(rule == "orphan-metric" for rule, _ in notes)


def test_without_what_is_measured_there_are_no_orphans(tmp_path: Path) -> None:
    """And units are compared with nothing."""
    assert examine(a_copy(tmp_path, 'unit: "%"', 'unit: "percent"')) == ()


def test_a_folder_is_examined_file_by_file(tmp_path: Path) -> None:
    """Each with its own faults."""
    a_copy(tmp_path, "minimum: 8,", "minimum: 4,")
    (tmp_path / "profile.yaml").write_text(PROFILE.replace("minimum: 9", "minimum: 4"))
    found = [one.file for one in examine(tmp_path) if one.severity is Severity.ERROR]
    assert {str(tmp_path / "copy.yaml"), str(tmp_path / "profile.yaml")} == set(found)


@pytest.mark.parametrize("odd", ["5", "[1]", "{a: 1}", "null", "true", ".nan", '""', "[]", "&a [*a]", "2026-01-01"])
@pytest.mark.parametrize(
    "value", ["PA1", "mmag", '"<="', "8, d", "[g, r, i]", "14", "LPM-17\ntitle", '"5.2.3"', "rms of unresolved"]
)
def test_no_value_however_odd_breaks_the_doctor(tmp_path: Path, value: str, odd: str) -> None:
    """What cannot be read is a fault with its line."""
    text = (files("qa.requirements") / "lpm-17.yaml").read_text()
    head = text[: text.index("  - metric: PF1")]
    assert value in head
    rest = value.partition(", ")[1:] if value == "8, d" else ("", "\ntitle" if value.endswith("title") else "")
    path = tmp_path / "odd.yaml"
    path.write_text(head.replace(value, odd + "".join(rest), 1))
    assert all(one.line >= 1 and one.message for one in told(path))


def test_lists_of_odd_entries_are_left_to_the_reader(tmp_path: Path) -> None:
    """No rule breaks over them."""
    path = tmp_path / "odd.yaml"
    for asked in ("{a: 1}", "[1, {metric: PA1, targets: 5}, {metric: PA1, targets: [1]}]", "5"):
        path.write_text(f"document: LPM-17\nrequirements: {asked}\n")
        assert {one.rule for one in told(path)} == {"document"}
