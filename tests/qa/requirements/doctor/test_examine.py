"""The doctor on whole packages: a sound one, and the public one with its known defects D1 to D9."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qa.errors import DocumentError
from qa.metrics import catalogue
from qa.requirements.doctor import examine, examine_package
from qa.requirements.doctor.patient import Patient
from qa.requirements.doctor.thresholds import ladders
from qa.requirements.faults import Severity
from qa.requirements.loader import load
from qa.requirements.verify import load_package

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.requirements.faults import Fault

    Writer = Callable[..., Path]


@pytest.fixture(scope="module")
def public(shared_data: Path) -> tuple[Fault, ...]:
    """Return all faults of the public package."""
    return examine(shared_data / "verify" / "verify_metrics")


def of(faults: tuple[Fault, ...], rule: str, text: str = "") -> list[Fault]:
    """Choose faults by rule and a part of the message."""
    return [one for one in faults if one.rule == rule and text in one.message]


def where(fault: Fault) -> tuple[str, int]:
    """Return the name of the file, and the line."""
    return Path(fault.file).name, fault.line


def test_a_sound_package_has_no_fault_but_what_it_does_not_measure(made_up: Writer) -> None:
    """No rule invents anything: only the requirements the package says nothing of are noted."""
    found = examine(made_up())
    assert {one.rule for one in found} == {"orphan-requirement"}
    assert {one.severity for one in found} == {Severity.NOTE}


def test_d1_the_ladder_of_te2_is_out_of_order_and_not_that_of_the_document(public: tuple[Fault, ...]) -> None:
    """Design is laxer than minimum, and all three values differ from LPM-17: each with the right one."""
    (order,) = of(public, "ladder-order")
    assert order.subject == "validate_drp.TE2.design"
    assert where(order) == ("TEx.yaml", 52)
    assert order.correct == "minimum 3.0e-07, design 1.0e-07, stretch 5.0e-08 (LPM-17 v5.2.3, Table 27)"
    values = {one.subject: one.correct for one in of(public, "document-value")}
    assert values == {
        "validate_drp.TE2.design": "<= 1.0e-07 (LPM-17 v5.2.3, Table 27)",
        "validate_drp.TE2.minimum": "<= 3.0e-07 (LPM-17 v5.2.3, Table 27)",
        "validate_drp.TE2.stretch": "<= 5.0e-08 (LPM-17 v5.2.3, Table 27)",
    }


def test_d1_it_is_the_only_one_of_21_full_ladders(shared_data: Path) -> None:
    """The other twenty are in order."""
    package = load_package(shared_data / "verify" / "verify_metrics")
    patient = Patient.of(package, load())
    full = [
        rungs
        for rungs in ladders(patient)
        if len(rungs) == 3 and all(not patient.parents(one) and not patient.reading(one).milestone for one in rungs)
    ]
    assert len(full) == 21


def test_d2_72_specifications_are_named_after_another_milestone_than_they_test(public: tuple[Fault, ...]) -> None:
    """54 of them test a wrong value; each is told the right base and value."""
    found = of(public, "inherited-milestone")
    assert Counter(one.severity for one in found) == {Severity.ERROR: 54, Severity.WARNING: 18}
    assert {Path(one.file).name for one in found} == {"release.yaml"}
    (one,) = [one for one in found if one.subject == "validate_drp.PA1.ORR_cfht_g"]
    assert one.message.endswith("named ORR, based on FY17, which has another value: tests 8 mmag of PA1.FY17_gri")
    assert one.correct == "base: PA1.ORR_gri (5 mmag)"
    assert one.line == 46


def test_d3_metrics_without_specification(public: tuple[Fault, ...]) -> None:
    """TE3, TE4, and the variants for levels whose specifications sit on the plain metric."""
    warned = {one.subject.partition(".")[2] for one in of(public, "orphan-metric") if one.severity is Severity.WARNING}
    variants = {
        f"{name}_{level}" for name in ("AA1", "AB1", "AB2", "ABF1") for level in ("minimum", "design", "stretch")
    }
    assert warned == {"TE3", "TE4"} | variants
    (te3,) = of(public, "orphan-metric", "TE3")
    expected = "minimum 6.0e-05, design 4.0e-05, stretch 2.0e-05 in r i (LPM-17 v5.2.3, Table 27)"
    assert te3.correct == f"specifications with {expected}"


def test_d4_a_query_that_is_no_key_leaves_specifications_without_condition(public: tuple[Fault, ...]) -> None:
    """Every document of the file, with the key that was meant."""
    found = of(public, "unknown-key", "provenance_query")
    assert [where(one) for one in found] == [("hsc_r.yaml", line) for line in (6, 14, 25, 36)]
    assert {one.correct for one in found} == {"metadata_query:"}
    assert all("applies to every job" in one.message for one in found)
    assert {one.severity for one in found} == {Severity.ERROR}


def test_d5_units_spelled_in_more_than_one_way(public: tuple[Fault, ...]) -> None:
    """One correct spelling each, and how often each is used."""
    specifications = [one for one in of(public, "unit-spelling") if one.subject.count(".") == 2]
    assert Counter(one.correct for one in specifications) == {"unit: '%'": 576, "unit: 'marcsec'": 81, "unit: 'nJy'": 3}
    texts = {one.summary for one in specifications}
    assert any("'%' in 3 specifications, 'percent' in 576 specifications" in text for text in texts)
    assert any("'marcsec' in 240 specifications, 'milliarcsecond' in 81 specifications" in text for text in texts)


def test_d6_bands_are_not_restricted_as_the_document_does(public: tuple[Fault, ...]) -> None:
    """AM, AF, AD and TE are asked in r and i, and their base specifications apply in every band."""
    found = [one for one in of(public, "bands") if "asks it in r i" in one.message]
    families = {one.subject.partition(".")[2].split(".")[0].split("_")[0] for one in found}
    assert families == {"AM1", "AM2", "AM3", "AF1", "AF2", "AF3", "AD1", "AD2", "AD3", "TE1", "TE2"}
    assert {one.correct for one in found} == {"metadata_query: {filter_name: ...} for each of r i"}


def test_d7_only_some_official_files_have_the_prefix(public: tuple[Fault, ...]) -> None:
    """PA1, PA2 and PF1 have it, and the others would be called like this."""
    corrections = {one.correct for one in of(public, "prefix")}
    names = ("AA1", "AB1", "AB2", "ABF1", "ADx", "AFx", "AMx", "TEx")
    assert corrections == {f"LPM-17-{name}.yaml" for name in names}


def test_d8_pages_of_no_version(public: tuple[Fault, ...]) -> None:
    """TE is cited with page 38, elsewhere with 31: a table of a version can be found."""
    found = {one.subject: one for one in of(public, "page", "page 38")}
    assert set(found) == {f"validate_drp.TE{number}" for number in (1, 2, 3, 4)}
    assert {one.correct for one in found.values()} == {"doc: LPM-17 v5.2.3, Table 27"}


def test_d9_last_milestones_laxer_than_what_they_lead_to(public: tuple[Fault, ...]) -> None:
    """AM2 asks 15 mas where design is 10; PF1 of stretch asks 10 % where stretch is 5 %; AM3 is as it should be."""
    found = {one.subject.partition(".")[2]: one for one in of(public, "milestone-laxer")}
    assert found["AM2.ORR"].correct == "value: 10 (marcsec)"
    assert where(found["AM2.ORR"]) == ("release_specs.yaml", 158)
    assert found["PF1_stretch_gri.ORR"].correct == "value: 5 (percent)"
    assert "AM3.ORR" not in found
    assert len(found) == 10


def test_faults_of_the_public_package_are_few_kinds(public: tuple[Fault, ...]) -> None:
    """Whatever is told is one of these: nothing else is wrong with it that the doctor knows of."""
    assert {one.rule for one in public if one.severity is Severity.ERROR} == {
        *("document-value", "inherited-milestone", "ladder-order", "milestone-laxer", "repeated-key", "unknown-key"),
    }
    assert all(one.correct for one in public)
    assert all(one.line >= 1 and Path(one.file).is_file() for one in public)


def test_errors_come_first(public: tuple[Fault, ...]) -> None:
    """Then warnings, then notes."""
    order = [list(Severity).index(one.severity) for one in public]
    assert order == sorted(order)


def test_our_own_documents_are_sound() -> None:
    """Neither an error nor a warning in what comes with obsqa."""
    assert {one.severity for one in examine(definitions=catalogue())} <= {Severity.NOTE}


def test_what_is_nothing_of_all_this_is_refused(tmp_path: Path) -> None:
    """The error says what can be examined."""
    with pytest.raises(DocumentError, match="a requirements document or a folder of such documents, found none"):
        examine(tmp_path)
    with pytest.raises(DocumentError, match="found nothing"):
        examine(tmp_path / "nowhere")


ODD = ("5", "[1]", "{a: 1}", "null", "true", ".nan", '""', "[]", "{}", "&a [*a]", "2026-01-01", "{? [1] : 2}", "<<")


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    ("file", "value"),
    [
        ("metrics/drp.yaml", "photometry"),
        ("metrics/drp.yaml", "mmag"),
        ("metrics/drp.yaml", '{doc: "LPM-17 v5.2.3, Table 14", url: https://ls.st/lpm-17}'),
        ("specs/drp/LPM-17-PA1.yaml", "{value: 8.0}"),
        ("specs/drp/LPM-17-PA1.yaml", '"<="'),
        ("specs/drp/LPM-17-PA1.yaml", "PA1"),
        ("specs/drp/LPM-17-PA1.yaml", "8.0"),
        ("specs/drp/LPM-17-AM1.yaml", "{filter_name: r}"),
        ("specs/drp/cam/release.yaml", '[PA1.ORR_gri, "#cam-g"]'),
        ("specs/drp/cam/release.yaml", "cam-g"),
    ],
)
def test_no_value_however_odd_breaks_the_doctor(made_up: Writer, file: str, value: str, odd: str) -> None:
    """What cannot be read is a fault with its line, and the rest is examined."""
    for fault in examine(made_up({file: (value, odd)})):
        assert fault.line >= 1
        assert fault.message


def test_a_file_or_folder_of_a_package_is_examined_with_the_whole(made_up: Writer) -> None:
    """Its bases are in other files; only what is wrong there is told."""
    path = made_up({"specs/drp/cam/release.yaml": ("[PA1.ORR_gri", "[PA1.FY17_gri")}, x="---\nname: PA1.x\n")
    rules = {name: {one.rule for one in examine(path / "specs/drp" / name)} for name in ("cam", "x.yaml", ".")}
    assert rules["cam"] == {"inherited-milestone"}
    assert rules["x.yaml"] == {"threshold"}
    assert rules["."] == {"inherited-milestone", "threshold"}
    (path / "notes").mkdir()
    with pytest.raises(DocumentError):
        examine(path / "notes")


def test_faults_of_reading_are_among_them(made_up: Writer) -> None:
    """What could not be read is told with all else."""
    package = load_package(made_up(x="---\nname: PA1.x\n"))
    assert [one.rule for one in examine_package(package)][:1] == ["threshold"]
