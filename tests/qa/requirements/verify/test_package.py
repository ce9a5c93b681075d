"""Reading metrics packages."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qa.errors import DocumentError
from qa.metrics.blobs import read_job
from qa.requirements.faults import Severity
from qa.requirements.verify import from_job, is_package, load_package

if TYPE_CHECKING:
    from collections.abc import Callable

    Writer = Callable[..., Path]


@pytest.fixture
def public(shared_data: Path) -> Path:
    """Return the public package."""
    return shared_data / "verify" / "verify_metrics"


def test_a_sound_package_is_read_whole(made_up: Writer) -> None:
    """Every metric, partial and specification, with file and line."""
    path = made_up()
    package = load_package(path)
    assert package.faults == ()
    assert asdict(package.counts) == {
        "files": 3,
        "documents": 13,
        "partials": 3,
        "specifications": 10,
        "metrics": 2,
    }
    one = package.specification("drp.PA1.cam_design_g")
    assert one is not None
    assert (one.value, one.unit, one.operator) == (5.0, "mmag", "<=")
    assert one.metadata_query == {"instrument": "CAM", "filter_name": "g"}
    assert one.tags == ("chromatic",)
    assert one.bases == ("drp.PA1.design_gri", "drp:cam/release#cam-g")
    assert str(one.place) == f"{path}/specs/drp/cam/release.yaml:8"
    assert str(one.origin("threshold", "value")) == f"{path}/specs/drp/LPM-17-PA1.yaml:14"
    assert str(one.origin("threshold", "unit")) == f"{path}/specs/drp/LPM-17-PA1.yaml:5"
    assert one.origin("nothing") == one.place
    assert one.writes("base")
    assert not one.writes("threshold", "value")
    assert package.specification("drp.PA1.nothing") is None
    assert [one.short for one in package.of_metric("drp.AM1")] == ["AM1.minimum", "AM1.design", "AM1.stretch"]


def test_a_metric_has_its_unit_reference_and_lines(made_up: Writer) -> None:
    """Tags may be one word or a list."""
    package = load_package(made_up())
    metric = package.metrics["drp.PA1"]
    assert (metric.unit, metric.tags, metric.description) == ("mmag", ("photometry",), "repeatability")
    assert metric.reference["doc"] == "LPM-17 v5.2.3, Table 14"
    assert (metric.place.line, metric.at("unit").line, metric.at("nothing").line) == (1, 3, 1)
    assert package.metrics["drp.AM1"].tags == ("astrometry",)
    assert ("reference", "doc") in metric.keys


def test_a_specification_is_tested_in_any_unit(made_up: Writer) -> None:
    """The threshold itself meets the operators with an equals sign, whatever unit it comes in."""
    package = load_package(made_up())
    one = package.specification("drp.PA1.design_gri")
    assert one is not None
    assert one.satisfied_by(0.005, unit="mag")
    assert one.satisfied_by(5.0, unit="mmag")
    assert not one.satisfied_by(5.001, unit="mmag")
    assert one.metric == "drp.PA1"


@pytest.mark.parametrize(
    ("operator", "at", "above"),
    [("<", False, False), ("<=", True, False), ("==", True, False), ("!=", False, True), (">=", True, True)],
)
def test_operators_at_and_above_the_threshold(made_up: Writer, operator: str, *, at: bool, above: bool) -> None:
    """Each operator says what it says."""
    text = f'---\nname: PA1.x\nthreshold: {{value: 1, unit: mmag, operator: "{operator}"}}\n'
    one = load_package(made_up(x=text)).specification("drp.PA1.x")
    assert one is not None
    assert one.satisfied_by(1.0, unit="mmag") is at
    assert one.satisfied_by(1.1, unit="mmag") is above


def test_a_query_must_be_met_whole() -> None:
    """Each key must be there and equal, lists as a whole."""
    job = {"name": "p.M.s", "threshold": {"value": 1, "unit": "", "operator": "<"}, "metadata_query": {"a": [1, 2]}}
    one = from_job([job, {"name": "other", "type": "unknown"}])["p.M.s"]
    assert one.applies_to({"a": [1, 2], "b": 3})
    assert not one.applies_to({"a": [2, 1]})
    assert not one.applies_to({})
    assert not one.writes("threshold")


@pytest.mark.parametrize(
    "threshold",
    [
        None,
        {},
        {"value": float("nan"), "unit": "", "operator": "<"},
        {"value": None, "unit": "", "operator": "<"},
        {"value": 1, "unit": ""},
        {"value": 1, "unit": "", "operator": "about"},
        {"value": 1, "unit": "", "operator": ["<"]},
    ],
)
def test_what_a_job_quotes_without_a_sound_threshold_is_left_out(threshold: object) -> None:
    """Nothing can be compared with it."""
    assert from_job([{"name": "p.M.s", "threshold": threshold}, {"threshold": {}}]) == {}


@pytest.mark.parametrize(
    ("text", "line", "rule", "message"),
    [
        ("---\nname: [x\n", 3, "yaml", "must be YAML, found"),
        ("---\n- 1\n", 2, "yaml", "must be a mapping"),
        ("---\nmetric: PA1\n", 2, "yaml", "must have an id or a name that is one word, found None"),
        ("---\nname: two words\n", 2, "yaml", "found 'two words'"),
        ("---\nname: PA1.x\nbase: [1]\n", 2, "yaml", "base of PA1.x must be a name or a list of names, found [1]"),
        ("---\nname: PA1.x\n", 2, "threshold", "drp.PA1.x has no threshold"),
        ("---\nname: PA1.x\nthreshold: {value: 1}\n", 3, "threshold", "has no unit and no operator"),
        (
            '---\nname: PA1.x\nthreshold: {value: .nan, unit: mmag, operator: "<="}\n',
            3,
            "threshold",
            "must be a finite number, found nan",
        ),
        (
            '---\nname: PA1.x\nthreshold: {value: five, unit: mmag, operator: "<="}\n',
            3,
            "threshold",
            "must be a finite number, found 'five'",
        ),
        (
            '---\nname: PA1.x\nthreshold: {value: true, unit: mmag, operator: "<="}\n',
            3,
            "threshold",
            "must be a finite number, found True",
        ),
        (
            '---\nname: PA1.x\nthreshold: {value: [1], unit: mmag, operator: "<="}\n',
            3,
            "threshold",
            "must be a finite number, found [1]",
        ),
        (
            '---\nname: PA1.x\nthreshold: {value: 1, unit: mmag, operator: "=<"}\n',
            3,
            "threshold",
            "must be one of < <= == != >= >, found '=<'",
        ),
        (
            '---\nname: PA1.x\nthreshold: {value: 1, unit: 7, operator: "<="}\n',
            3,
            "threshold",
            "the unit of drp.PA1.x must be text, found 7",
        ),
        (
            '---\nname: PA1.x\nthreshold: {value: 1, value: 2, unit: mmag, operator: "<="}\n',
            3,
            "repeated-key",
            "the key threshold.value stands more than once",
        ),
        ("<<<<<<< HEAD\nname: PA1.x\n=======\n", 2, "yaml", "must be YAML, found"),
    ],
)
def test_what_is_wrong_is_one_fault_and_the_rest_is_read(
    made_up: Writer, text: str, line: int, rule: str, message: str
) -> None:
    """With its line; nothing else is lost."""
    package = load_package(made_up(x=text))
    (fault,) = package.faults
    assert (Path(fault.file).name, fault.line, fault.rule) == ("x.yaml", line, rule)
    assert message in fault.message
    assert fault.correct
    assert package.specification("drp.PA1.design_gri") is not None


def test_a_threshold_that_yaml_takes_for_text_counts_and_is_told(made_up: Writer) -> None:
    """YAML 1.1 wants a point before the exponent; lsst.verify makes a number of the text all the same."""
    package = load_package(made_up(x='---\nname: PA1.x\nthreshold: {value: 1e-6, unit: "", operator: "<="}\n'))
    (fault,) = package.faults
    assert (fault.rule, fault.severity, fault.correct) == ("text-number", Severity.WARNING, "value: 1.0e-06")
    one = package.specification("drp.PA1.x")
    assert one is not None
    assert one.value == 1e-6


def test_a_unit_of_nothing_is_dimensionless(made_up: Writer) -> None:
    """`unit:` without a value is the unit ''."""
    package = load_package(made_up(x='---\nname: PA1.x\nthreshold: {value: 1, unit: , operator: "<="}\n'))
    one = package.specification("drp.PA1.x")
    assert one is not None
    assert one.unit == ""


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("- 1\n", 1, "must be one mapping of metrics"),
        ("A: {}\n---\nB: {}\n", 1, "must be one mapping of metrics"),
        ("A: 5\n", 1, "A must be a mapping"),
        ("A: {unit: ''}\nA: {unit: ''}\n", 2, "drp2.A: the key A stands more than once"),
        ("A: [\n", 2, "must be YAML"),
    ],
)
def test_what_is_wrong_with_metrics_is_a_fault(made_up: Writer, text: str, line: int, message: str) -> None:
    """With file and line."""
    path = made_up()
    (path / "metrics/drp2.yaml").write_text(text)
    (fault,) = load_package(path).faults
    assert (Path(fault.file).name, fault.line) == ("drp2.yaml", line)
    assert message in fault.message


def test_files_that_are_empty_or_not_text_harm_no_other(made_up: Writer) -> None:
    """An empty file has no document; one that is not UTF-8 is a fault."""
    path = made_up(empty="", nothing="---\n---\n# only a comment\n")
    (path / "metrics/none.yaml").write_text("")
    (path / "metrics/note.txt").write_text("no metrics")
    (path / "specs/drp/bytes.yaml").write_bytes(b"\xff\xfe\x00")
    (path / "specs/README").write_text("no package")
    package = load_package(path)
    assert [fault.rule for fault in package.faults] == ["yaml"]
    assert len(package.specifications) == 10


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    """The error says what was looked for."""
    with pytest.raises(DocumentError, match="a folder with the folders metrics and specs, found neither of them"):
        load_package(tmp_path)
    with pytest.raises(DocumentError, match="found no such folder"):
        load_package(tmp_path / "nowhere")
    (tmp_path / "metrics").mkdir()
    assert is_package(tmp_path)
    assert load_package(tmp_path).counts.documents == 0


def test_references_to_other_files_and_packages(made_up: Writer) -> None:
    """`folder/file#partial`, `package:folder/file#partial` and a whole name."""
    path = made_up(x='---\nname: PA1.x\nbase: ["drp:cam/release#cam-g", "LPM-17-PA1#base", drp.PA1.ORR_gri]\n')
    package = load_package(path)
    assert package.faults == ()
    one = package.specification("drp.PA1.x")
    assert one is not None
    assert one.bases == ("drp:cam/release#cam-g", "drp:LPM-17-PA1#base", "drp.PA1.ORR_gri")


def test_the_public_package_is_read_whole(public: Path) -> None:
    """1831 documents, of which 126 partials and 1705 specifications, none of them lost."""
    package = load_package(public)
    assert asdict(package.counts) == {
        "files": 67,
        "documents": 1831,
        "partials": 126,
        "specifications": 1705,
        "metrics": 1032,
    }
    assert len(package.specifications) == 1705
    assert sum(name.startswith("validate_drp.") for name in package.metrics) == 924


def test_the_specifications_are_those_lsst_verify_itself_merged(public: Path, shared_data: Path) -> None:
    """A Job quotes the 1672 specifications that were known when it was made: each the same, to the last key."""
    from astropy import units

    package = load_package(public)
    quoted = from_job(read_job(shared_data / "verify" / "CfhtQuick_output_r.json")["specs"])
    assert len(quoted) == 1672
    for name, theirs in quoted.items():
        ours = package.specifications[name]
        assert (ours.value, ours.operator) == (theirs.value, theirs.operator)
        assert units.Unit(ours.unit) == units.Unit(theirs.unit)
        assert ours.metadata_query == theirs.metadata_query
        assert sorted(ours.tags) == sorted(theirs.tags)
