"""Each rule of the doctor on a small made-up package with one defect, and at the edge of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qa.requirements.doctor import examine
from qa.requirements.faults import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.requirements.faults import Fault

    Writer = Callable[..., Path]

PA1, AM1, CAM, METRICS = (
    "specs/drp/LPM-17-PA1.yaml",
    "specs/drp/LPM-17-AM1.yaml",
    "specs/drp/cam/release.yaml",
    "metrics/drp.yaml",
)


def append(path: Path, text: str) -> None:
    """Append a text to a file."""
    path.write_text(path.read_text() + text)


def faults(path: Path) -> list[Fault]:
    """Examine a package; what it does not measure is left out."""
    return [one for one in examine(path) if one.rule != "orphan-requirement"]


def only(path: Path, rule: str) -> Fault:
    """Examine a package with one fault of a rule, and return it."""
    (one,) = [one for one in faults(path) if one.rule == rule]
    return one


def test_a_ladder_out_of_order(made_up: Writer) -> None:
    """Design must not be easier than minimum."""
    path = made_up(
        {
            PA1: (
                'name: design_gri\nbase: "#base"\nthreshold: {value: 5.0}',
                'name: design_gri\nbase: "#base"\nthreshold: {value: 9.0}',
            )
        }
    )
    one = only(path, "ladder-order")
    assert (one.severity, Path(one.file).name, one.line) == (Severity.ERROR, "LPM-17-PA1.yaml", 14)
    assert one.message == (
        "drp.PA1.design_gri: design is easier to meet than minimum: <= 9 mmag is laxer than 8 mmag; 1 more inherit it"
    )
    assert one.correct == "minimum 8, design 5, stretch 3 mmag (LPM-17 v5.2.3, Table 14)"


LADDER = """\
---
id: base
metric: depth
threshold: {{unit: mag, operator: "{operator}"}}
---
name: minimum
base: "#base"
threshold: {{value: {minimum}}}
---
name: design
base: "#base"
threshold: {{value: {design}, unit: {unit}}}
"""


@pytest.mark.parametrize(
    ("operator", "minimum", "design", "unit", "wrong"),
    [
        (">=", 24.3, 24.7, "mag", False),
        (">=", 24.7, 24.3, "mag", True),
        ("<=", 24.7, 24.3, "mag", False),
        ("<=", 24.3, 24.3, "mag", False),
        ("<", 24.3, 24.7, "mag", True),
        ("<=", 0.008, 5, "mmag", False),
        ("<=", 0.005, 8, "mmag", True),
        ("<=", 0.005, 5, "mmag", False),
        (">=", -2.0, -1.0, "mag", False),
        (">=", -1.0, -2.0, "mag", True),
    ],
)
def test_the_order_is_that_of_the_operator_in_any_unit(
    made_up: Writer, operator: str, minimum: float, design: float, unit: str, *, wrong: bool
) -> None:
    """At least: levels rise; at most: they fall; equal ones are in order."""
    text = LADDER.format(operator=operator, minimum=minimum, design=design, unit=unit)
    path = made_up(depth=text)
    append(path / METRICS, "depth: {unit: mag}\n")
    found = [one for one in faults(path) if one.rule == "ladder-order"]
    assert [one.subject for one in found] == ["drp.depth.design"] * wrong
    assert all(one.correct.endswith("or harder") for one in found)


def test_levels_of_one_ladder_have_one_operator(made_up: Writer) -> None:
    """Otherwise they cannot be compared."""
    path = made_up({AM1: ("threshold: {value: 5.0}", 'threshold: {value: 5.0, operator: "<"}')})
    one = only(path, "ladder-order")
    assert one.message.endswith("AM1.design <=, AM1.stretch <")
    assert one.correct == 'operator: "<="'


@pytest.mark.parametrize(("value", "wrong"), [("5.0", False), ("0.005, unit: mag", False), ("6.0", True)])
def test_values_of_the_cited_document(made_up: Writer, value: str, *, wrong: bool) -> None:
    """In whatever unit."""
    path = made_up({PA1: ("threshold: {value: 5.0}", f"threshold: {{value: {value}}}")})
    found = [one for one in faults(path) if one.rule == "document-value"]
    assert [one.correct for one in found] == ["<= 5 mmag (LPM-17 v5.2.3, Table 14)"] * wrong


def test_an_operator_other_than_the_documents(made_up: Writer) -> None:
    """Is as wrong as a value."""
    path = made_up({PA1: ('operator: "<="', 'operator: "<"')})
    assert {one.rule for one in faults(path)} == {"document-value"}
    assert len(faults(path)) == 3


def test_values_of_another_document_are_its_own(made_up: Writer) -> None:
    """A metric that cites something else is not compared."""
    path = made_up({PA1: ("threshold: {value: 5.0}", "threshold: {value: 6.0}")})
    metrics = path / METRICS
    metrics.write_text(metrics.read_text().replace("LPM-17 v5.2.3, Table 14", "XYZ-1"))
    assert not [one for one in faults(path) if one.rule == "document-value"]


@pytest.mark.parametrize(
    ("orr", "rule"), [(5.0, None), (4.0, None), (5.1, "milestone-laxer"), (8.5, "milestone-order")]
)
def test_the_last_milestone_leads_to_design(made_up: Writer, orr: float, rule: str | None) -> None:
    """It may be harder than design and than milestones before it, never easier."""
    old = 'name: ORR_gri\nbase: "#base"\nthreshold: {value: '
    path = made_up({PA1: (f"{old}5.0", f"{old}{orr}")})
    found = {one.rule: one for one in faults(path)}
    assert (rule in found) if rule else not found
    if rule == "milestone-laxer":
        assert found[rule].correct == "value: 5 (mmag)"
        assert found[rule].message.endswith("5.1 mmag, PA1.design_gri asks 5 mmag; 1 more inherit it")
    if rule == "milestone-order":
        assert found[rule].correct == "<= 8 mmag or harder"
        assert found[rule].message.endswith("8.5 mmag, FY17 asks 8 mmag")


def test_a_milestone_that_leads_nowhere_is_compared_with_those_before_only(made_up: Writer) -> None:
    """There is no design to fall short of."""
    path = made_up(x='---\nname: AM1.ORR_u\nthreshold: {value: 99, unit: marcsec, operator: "<="}\n')
    assert "milestone-laxer" not in {one.rule for one in faults(path)}


@pytest.mark.parametrize(
    ("base", "severity", "correct"),
    [
        ("PA1.FY17_gri", Severity.ERROR, "base: PA1.ORR_gri (5 mmag)"),
        ("PA1.ORR_gri", None, ""),
        ("PA1.FY18_gri", Severity.WARNING, "base: PA1.ORR_gri (5 mmag)"),
    ],
)
def test_a_name_says_which_milestone_is_tested(
    made_up: Writer, base: str, severity: Severity | None, correct: str
) -> None:
    """An error where the value is another one, a warning where it happens to be the same."""
    extra = '---\nname: PA1.FY18_gri\nthreshold: {value: 5.0, unit: mmag, operator: "<="}\n'
    path = made_up({CAM: ("[PA1.ORR_gri", f"[{base}")}, extra=extra)
    found = [one for one in faults(path) if one.rule == "inherited-milestone"]
    assert [(one.severity, one.correct, one.line) for one in found] == ([(severity, correct, 5)] if severity else [])


def test_a_name_says_which_level_is_tested(made_up: Writer) -> None:
    """Levels as well as milestones."""
    path = made_up({CAM: ("[PA1.design_gri", "[PA1.stretch_gri")})
    one = only(path, "inherited-milestone")
    assert one.message.endswith(
        "named design, based on stretch, which has another value: tests 3 mmag of PA1.stretch_gri"
    )


def test_a_base_that_does_not_exist_for_the_name_is_an_error(made_up: Writer) -> None:
    """Then nobody can say whether the value is right."""
    path = made_up({CAM: ("name: ORR_cam_g", "name: FY20_cam_g")})
    one = only(path, "inherited-milestone")
    assert (one.severity, one.correct) == (Severity.ERROR, "base: PA1.FY20_gri")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: cam_design_g", "name: cam_design_z", "the base PA1.design_gri is for g r i"),
        ("filter_name: g", "filter_name: r", "the query asks for r"),
        ("filter_name: g", "filter_name: HSC-R^HSC-I", "the query asks for r i"),
    ],
)
def test_a_name_says_which_bands_are_tested(made_up: Writer, old: str, new: str, message: str) -> None:
    """They must be among the base's, and be those of the query."""
    found = [one for one in faults(made_up({CAM: (old, new)})) if one.rule == "inherited-bands"]
    assert any(one.message.endswith(message) for one in found)
    assert all(one.severity is Severity.ERROR and one.correct for one in found)


@pytest.mark.parametrize("name", ["N708", "clear", "HSC-R2"])
def test_filters_of_unknown_names_say_nothing_of_bands(made_up: Writer, name: str) -> None:
    """No fault is invented of them."""
    assert faults(made_up({CAM: ("filter_name: g", f"filter_name: {name}")})) == []


def test_tags_that_are_text_replace_those_of_the_bases(made_up: Writer) -> None:
    """Where a list would have been appended."""
    one = only(made_up({PA1: ("tags: [minimum]", "tags: minimum")}), "replaced-list")
    assert (one.line, one.correct, one.severity) == (10, "tags: [minimum]", Severity.WARNING)


@pytest.mark.parametrize(
    ("file", "old", "new", "severity", "correct"),
    [
        (CAM, "metadata_query:", "provenance_query:", Severity.ERROR, "metadata_query:"),
        (PA1, "tags: [minimum]", "tag: [minimum]", Severity.ERROR, "tags:"),
        (PA1, "tags: [minimum]", "colour: red", Severity.WARNING, None),
        (PA1, 'operator: "<="}', 'operator: "<=", note: x}', Severity.WARNING, "one of operator, unit, value"),
        (METRICS, "tags: photometry", "colour: red", Severity.WARNING, "one of description, reference, tags, unit"),
        (
            METRICS,
            "url: https://ls.st/lpm-17}\n  tags: p",
            "link: x}\n  tags: p",
            Severity.WARNING,
            "one of doc, page, url",
        ),
    ],
)
def test_keys_that_lsst_verify_does_not_know(
    made_up: Writer, file: str, old: str, new: str, severity: Severity, correct: str | None
) -> None:
    """An error where another key was meant, a warning where something is said that nobody reads."""
    one = only(made_up({file: (old, new)}), "unknown-key")
    assert one.severity is severity
    assert correct is None or one.correct == correct
    assert "is no key of lsst.verify, which ignores it" in one.message


def test_a_lost_query_leaves_no_condition(made_up: Writer) -> None:
    """That is said of the partial it was on, and not of a specification that has another condition."""
    one = only(made_up({CAM: ("metadata_query:", "provenance_query:")}), "unknown-key")
    assert one.message.endswith("so that no condition is left and it applies to every job")
    text = (
        "---\nname: AM1.x\nbase: LPM-17-AM1#base\nthreshold: {value: 1}\nprovenance_query: {a: 1}\n"
        "---\nname: PA1.x\nbase: LPM-17-PA1#base\nthreshold: {value: 1}\nprovenance_query: {a: 1}\n"
    )
    with_condition, without = [one for one in faults(made_up(x=text)) if one.rule == "unknown-key"]
    assert (with_condition.subject, without.subject) == ("drp.AM1.x", "drp.PA1.x")
    assert "every job" not in with_condition.message
    assert "every job" in without.message


def test_units_are_spelled_one_way(made_up: Writer) -> None:
    """A second spelling is told with astropy's own; one spelling throughout is nobody's business."""
    one, two, three = [
        one for one in faults(made_up({AM1: ("unit: marcsec", "unit: milliarcsecond")})) if one.rule == "unit-spelling"
    ]
    assert (one.line, one.correct, one.severity) == (4, "unit: 'marcsec'", Severity.WARNING)
    assert {two.subject, three.subject} == {"drp.AM1.design", "drp.AM1.stretch"}
    assert one.message.endswith("('milliarcsecond' in 3 specifications, 'marcsec' in 1 metrics)")
    path = made_up({AM1: ("unit: marcsec", "unit: milliarcsecond"), METRICS: ("unit: marcsec", "unit: milliarcsecond")})
    assert faults(path) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "rule", "severity"),
    [
        (PA1, "unit: mmag", "unit: millimags", "unit-unknown", Severity.ERROR),
        (METRICS, "  unit: mmag\n", "", "unit-unknown", Severity.ERROR),
        (PA1, "unit: mmag", "unit: mas", "unit-kind", Severity.ERROR),
        (METRICS, "unit: mmag", "unit: mag", "unit-kind", Severity.WARNING),
    ],
)
def test_units_that_are_wrong(made_up: Writer, file: str, old: str, new: str, rule: str, severity: Severity) -> None:
    """Unknown to astropy, not given, of another kind, or of another scale than the metric's."""
    found = [one for one in faults(made_up({file: (old, new)})) if one.rule.startswith("unit")]
    assert {(one.rule, one.severity) for one in found} == {(rule, severity)}
    if severity is Severity.WARNING:
        assert (
            "the unit is 0.001 of the metric's: numbers alone mislead: 'mmag', the metric has 'mag'" in found[0].message
        )


def test_specifications_of_no_metric(made_up: Writer) -> None:
    """The metric must be defined."""
    one = only(made_up(x='---\nname: XX1.x\nthreshold: {value: 1, unit: "", operator: "<"}\n'), "orphan-specification")
    assert one.message == "drp.XX1.x: the metric drp.XX1 is not defined"
    assert (one.line, one.correct) == (2, "a metric of metrics/drp.yaml")
    text = '---\nname: x\nmetric: XX1\nthreshold: {value: 1, unit: "", operator: "<"}\n'
    assert only(made_up(x=text), "orphan-specification").line == 3


def test_metrics_without_specification(made_up: Writer) -> None:
    """A note, a warning where the document asks something, and another where a variant has been forgotten."""
    path = made_up()
    extra = (
        "speed: {unit: s}\n"
        "TE3: {unit: '', reference: {doc: LPM-17 v5.2.3}}\n"
        "AM1_design: {unit: marcsec, reference: {doc: LPM-17 v5.2.3}}\n"
    )
    append(path / METRICS, extra)
    found = {one.subject: one for one in faults(path)}
    assert set(found) == {"drp.speed", "drp.TE3", "drp.AM1_design"}
    assert found["drp.speed"].severity is Severity.NOTE
    assert found["drp.TE3"].severity is Severity.WARNING
    assert found["drp.AM1_design"].correct == "base: AM1.design, or no such metric"


def test_partials_that_nobody_uses(made_up: Writer) -> None:
    """A note."""
    one = only(made_up(x="---\nid: idle\ntags: [a]\n"), "orphan-partial")
    assert (one.subject, one.severity) == ("drp:x#idle", Severity.NOTE)


def test_requirements_that_no_metric_measures(made_up: Writer) -> None:
    """Noted, with what is asked, unless the package does not cite the document at all."""
    found = {one.subject: one for one in examine(made_up()) if one.rule == "orphan-requirement"}
    assert "AM2" in found
    assert "AM1" not in found
    assert found["AM2"].correct.endswith("minimum 20, design 10, stretch 5 mas in r i (LPM-17 v5.2.3, Table 18)")
    path = made_up()
    (path / METRICS).write_text((path / METRICS).read_text().replace("LPM-17", "XYZ-1"))
    assert faults(path) == list(examine(path))


@pytest.mark.parametrize(("query", "message"), [("", "applies in every band"), ("{filter_name: g}", "applies in g")])
def test_bands_the_document_restricts_a_requirement_to(made_up: Writer, query: str, message: str) -> None:
    """AM1 is asked in r and i."""
    path = made_up({AM1: ("metadata_query: {filter_name: r}", f"metadata_query: {query or '{}'}")})
    found = [one for one in faults(path) if one.rule == "bands"]
    assert len(found) == 3
    assert all(message in one.message and one.severity is Severity.WARNING for one in found)


def test_page_numbers_without_a_version(made_up: Writer) -> None:
    """A page of a version can be found, one of a document cannot."""
    path = made_up({METRICS: ('doc: "LPM-17 v5.2.3, Table 14"', "page: 21, doc: LPM-17")})
    one = only(path, "page")
    assert one.correct == "doc: LPM-17 v5.2.3, Table 14"
    sound = made_up({METRICS: ('doc: "LPM-17 v5.2.3, Table 14"', "page: 21, doc: LPM-17 v5.2.3")})
    assert faults(sound) == []


def test_files_of_official_values_without_the_prefix(made_up: Writer) -> None:
    """Only where others have it."""
    path = made_up()
    (path / AM1).rename(path / "specs/drp/AM1.yaml")
    one = only(path, "prefix")
    assert (one.subject, one.line, one.correct) == ("AM1.yaml", 1, "LPM-17-AM1.yaml")
    (path / PA1).rename(path / "specs/drp/PA1.yaml")
    assert faults(path) == []
