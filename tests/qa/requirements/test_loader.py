"""Requirement documents: what ours says, and what is refused."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from qa.errors import UnknownNameError
from qa.metrics import catalogue
from qa.model import Ladder
from qa.requirements import RequirementsError, load, profiles
from qa.requirements.ladder import known_unit
from qa.requirements.loader import read

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = """\
document: LPM-17
title: a title
version: "1"
url: https://example.org
requirements:
  - metric: PA1
    definition: repeatability
    table: 14
    unit: mmag
    operator: "<="
    targets:
      - {bands: [g, r], minimum: 8, design: 5, stretch: 3}
"""


def written(folder: Path, old: str = "", new: str = "") -> Path:
    """Write the document with one text replaced."""
    path = folder / "mine.yaml"
    assert old in DOCUMENT
    path.write_text(DOCUMENT.replace(old, new) if old else DOCUMENT)
    return path


def test_lpm_17_is_the_document_that_comes_with_obsqa() -> None:
    """The profile lpm-17 exists and loads without a fault."""
    assert "lpm-17" in profiles()
    assert load().document == "LPM-17"


@pytest.mark.parametrize(
    ("metric", "band", "targets", "citation"),
    [
        ("PA1", "r", (8, 5, 3), "Table 14"),
        ("PA1", "z", (12, 7.5, 4.5), "Table 14"),
        ("AM3", "i", (30, 15, 10), "Table 18"),
        ("AA1", "u", (100, 50, 20), "Table 20"),
        ("TE2", "r", (3e-7, 1e-7, 5e-8), "Table 27"),
        ("DB1", "y", (21.7, 22.1, 22.2), "Table 6"),
    ],
)
def test_ladders_by_metric_and_band(metric: str, band: str, targets: tuple[float, ...], citation: str) -> None:
    """A ladder has the targets of its band and says in which table they are written."""
    ladder = load().ladder(metric, band)
    assert ladder is not None
    assert (ladder.minimum, ladder.design, ladder.stretch) == targets
    assert ladder.citation == f"LPM-17 v5.2.3, {citation}"


@pytest.mark.parametrize(("metric", "band"), [("AM1", "g"), ("AB1", "r"), ("psf_fwhm", "r"), ("PA1", None)])
def test_where_nothing_is_asked_there_is_no_ladder(metric: str, band: str | None) -> None:
    """Astrometry of pairs binds in r and i only, bands are compared with r, and a metric of ours is not LPM-17's."""
    assert load().ladder(metric, band) is None


def test_a_requirement_of_all_bands_needs_no_band() -> None:
    """AA1 applies whatever the band, also to a scope without one."""
    assert isinstance(load().ladder("AA1", None), Ladder)


def test_every_number_is_that_of_the_reference_table(shared_data: Path) -> None:
    """All metrics of the reference table are here with its operator, unit and targets."""
    reference = shared_data.parent / "reference" / "srd.csv"
    if not reference.is_file():
        pytest.skip(f"the reference table is not at {reference}")
    document = load()
    asked = {one.metric: one for one in document.requirements}
    with reference.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert set(asked) == {row["metric"] for row in rows}
    for row in rows:
        one = asked[row["metric"]]
        wanted = tuple(float(row[level]) for level in ("minimum", "design", "stretch"))
        assert (one.unit, one.operator) == (row["unit"], row["operator"])
        assert wanted in [(part.minimum, part.design, part.stretch) for part in one.targets]


def test_what_obsqa_measures_has_units_that_compare_with_the_requirements() -> None:
    """Known to astropy, and spelled alike, so that nothing needs converting night after night."""
    definitions = catalogue()
    assert [one.name for one in definitions.values() if not known_unit(one.unit)] == []
    asked = {one.metric: one.unit for one in load().requirements}
    assert {name: unit for name, unit in asked.items() if definitions[name].unit != unit} == {}


def test_an_unknown_profile_is_named_with_those_that_exist(tmp_path: Path) -> None:
    """The error lists the profiles of the folder and those that come with obsqa."""
    written(tmp_path)
    with pytest.raises(UnknownNameError, match=r"'yours'; known: lpm-17, lpm-17-elsewhere, mine"):
        load("yours", folders=[tmp_path])


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("minimum: 8", "minimum: 4", r"mine.yaml:6: requirements.0: targets must get harder .* got \(4.0, 5.0, 3.0\)"),
        (
            "    unit: mmag",
            "    unit: furlongs_per",
            r"mine.yaml:6: requirements.0: unit must be one that astropy knows",
        ),
        ('operator: "<="', 'operator: "<"', r"mine.yaml:10: requirements.0.operator: Input should be '<=' or '>='"),
        ("[g, r]", "[g, q]", r"mine.yaml:12: requirements.0.targets.0.bands.1: .* got 'q'"),
        ("[g, r]", "[g, g]", r"a band must have one set of targets, got g, g"),
        ("table: 14", "tabel: 14", r"mine.yaml:8: requirements.0.tabel: Extra inputs are not permitted"),
        ("stretch: 3", "stretch: .nan", r"requirements.0.targets.0.stretch: Input should be a finite number"),
        ("    definition: repeatability\n", "", r"mine.yaml:6: requirements.0.definition: Field required"),
        (
            "      - {bands: [g, r], minimum: 8, design: 5, stretch: 3}",
            "      []",
            "at least one set of targets, got none",
        ),
        ("metric: PA1", "metric: [PA1", r"mine.yaml:\d+: must be YAML"),
    ],
)
def test_a_fault_is_named_with_file_line_and_key(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """Each fault is one line: file, line, key, what was required, what was found."""
    with pytest.raises(RequirementsError, match=fault):
        read(written(tmp_path, old, new))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Two wrong keys give two lines."""
    path = written(tmp_path)
    path.write_text(DOCUMENT.replace("table: 14", "table: -1").replace("stretch: 3", "stretch: x"))
    with pytest.raises(RequirementsError) as caught:
        read(path)
    assert len(caught.value.faults) == 2


def test_a_metric_is_asked_for_once(tmp_path: Path) -> None:
    """Two entries of one metric are refused."""
    path = written(tmp_path)
    path.write_text(DOCUMENT + DOCUMENT[DOCUMENT.index("  - metric") :])
    with pytest.raises(RequirementsError, match="each metric must be named once, got PA1"):
        read(path)


def test_an_empty_file_is_no_document(tmp_path: Path) -> None:
    """An empty file is refused at its first line."""
    path = tmp_path / "mine.yaml"
    path.write_text("")
    with pytest.raises(RequirementsError, match=r"mine.yaml:1: document"):
        read(path)


def test_without_a_table_the_metric_is_cited(tmp_path: Path) -> None:
    """No table number is invented."""
    ladder = read(written(tmp_path, "    table: 14\n", "")).ladder("PA1", "r")
    assert ladder is not None
    assert ladder.citation == "LPM-17 v1, PA1"


def test_other_telescopes_do_not_answer_for_the_depth_of_lsst() -> None:
    """All else is asked of them as of LSST."""
    whole, elsewhere = load("lpm-17"), load("lpm-17-elsewhere")
    assert set(whole.metrics) - set(elsewhere.metrics) == {"D1", "DF1", "Z1", "DB1"}
    assert elsewhere.ladder("PA1", "r") == whole.ladder("PA1", "r")
    assert elsewhere.ladder("D1", "r") is None


def test_only_what_a_document_asks_can_be_left_out(tmp_path: Path) -> None:
    """A name that is wrong, and a reason that is missing, are faults."""
    (tmp_path / "whole.yaml").write_text((files("qa.requirements") / "lpm-17.yaml").read_text())
    part = tmp_path / "part.yaml"
    part.write_text("base: whole\nwithout: [PA1, PA9]\nwhy: a test\n")
    with pytest.raises(RequirementsError, match="without: must name metrics of whole, got PA9"):
        load("part", folders=[tmp_path])
    part.write_text("base: whole\nwithout: [PA1]\n")
    with pytest.raises(RequirementsError, match="why: Field required"):
        load("part", folders=[tmp_path])
    part.write_text("base: nowhere\nwithout: [PA1]\nwhy: a test\n")
    with pytest.raises(UnknownNameError):
        load("part", folders=[tmp_path])
