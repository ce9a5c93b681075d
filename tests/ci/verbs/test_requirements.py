"""The verb `requirements`."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from ci.cli import run

if TYPE_CHECKING:
    from pathlib import Path


def test_all_requirements_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each metric has a line with bands, targets, unit and the place it is written."""
    assert run(["requirements", "show"]) == 0
    out = capsys.readouterr().out
    assert "LPM-17 v5.2.3" in out.splitlines()[0]
    assert "PA1    u z y        <=       12      7.5      4.5 mmag  LPM-17 v5.2.3, Table 14" in out.splitlines()


def test_one_metric_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """With its definition, and without the others."""
    assert run(["requirements", "show", "AM1"]) == 0
    out = capsys.readouterr().out
    assert "AM1: rms of the astrometric distance of stellar pairs" in out
    assert "PA1" not in out


def test_json_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    """The same as data."""
    assert run(["requirements", "show", "PA2", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["metric"], one["unit"], one["citation"]) == ("PA2", "mmag", "LPM-17 v5.2.3, Table 14")
    assert one["targets"][0] == {"bands": ["g", "r", "i"], "minimum": 15, "design": 15, "stretch": 10}


def test_an_unknown_metric_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, with the exit code of a wrong request."""
    assert run(["requirements", "show", "XX9"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no requirement of LPM-17 is called 'XX9'; known: PA1, PF1" in err


def test_an_unknown_profile_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The line names the profiles there are."""
    assert run(["requirements", "show", "--profile", "nosuch"]) == 2
    assert "'nosuch'; known: lpm-17" in capsys.readouterr().err


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


def test_a_profile_of_ones_own_is_shown_by_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the source of its own targets."""
    path = tmp_path / "mine.yaml"
    path.write_text(PROFILE)
    assert run(["requirements", "show", "PA1", "--profile", str(path)]) == 0
    assert "PA1    r            <=        9        6        3 mmag  a plan" in capsys.readouterr().out.splitlines()


def test_what_a_camera_answers_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own document, gate and waivers; of one metric only what concerns it."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "mine.yaml").write_text(PROFILE)
    shipped = files("obs_registry") / "cameras" / "hsc.yaml"
    head = shipped.read_text().partition("requirements:")[0].replace("name: hsc", "name: hsc2")
    waiver = "{metric: PA1, bands: [r, i], reason: a ghost, ticket: DM-1, expires: 2027-01-31}"
    (tmp_path / "hsc2.yaml").write_text(f"{head}requirements:\n  profile: mine\n  waivers: [{waiver}]\n")
    arguments = ["requirements", "show", "--camera", "hsc2", "--registry", str(tmp_path)]
    assert run([*arguments, "PA1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:4] == ["hsc2 fails below minimum", "hsc2 has PA1 in r i waived until 2027-01-31: a ghost (DM-1)"]
    assert "PA1    r            <=        9        6        3 mmag  a plan" in lines
    assert run([*arguments, "AM1"]) == 0
    assert "waived" not in capsys.readouterr().out
    assert run(["requirements", "show", "--camera", "nosuch"]) == 2
    assert "no camera is called 'nosuch'; known: ctio0m9" in capsys.readouterr().err


def test_the_doctor_finds_our_documents_sound(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, and a line that counts."""
    assert run(["requirements", "doctor"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith("notes")
    assert "error" not in last


def test_the_doctor_ends_with_one_on_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And names file, line and the correct value."""
    path = tmp_path / "mine.yaml"
    path.write_text(PROFILE.replace("minimum: 9", "minimum: 4"))
    assert run(["requirements", "doctor", str(path), "--rule", "ladder-order"]) == 1
    found = "targets must get harder from minimum to stretch (<=), got minimum 4, design 6, stretch 3"
    assert capsys.readouterr().out.splitlines() == [
        f"error [ladder-order] PA1: {found}",
        f"    {path}:8 -> minimum 8, design 5, stretch 3",
        "",
        "1 error",
    ]


def a_package(folder: Path) -> Path:
    """Write a metrics package in which the same unit is spelled twice."""
    (folder / "metrics").mkdir()
    (folder / "metrics" / "drp.yaml").write_text("share: {unit: '%'}\n")
    (folder / "specs" / "drp").mkdir(parents=True)
    spec = '---\nname: share.s{}\nthreshold: {{value: 1, unit: percent, operator: "<="}}\n'
    (folder / "specs" / "drp" / "share.yaml").write_text("".join(spec.format(number) for number in range(9)))
    return folder


def test_the_doctor_groups_what_is_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A package is counted first; three of a kind are shown, all with --all."""
    path = str(a_package(tmp_path))
    assert run(["requirements", "doctor", path]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 files, 9 documents, 0 partials, 9 specifications, 1 metrics\n")
    assert "warning [unit-spelling] 9 times: " in out
    assert "and 6 more (--all lists them)" in out
    assert run(["requirements", "doctor", path, "--all"]) == 0
    assert capsys.readouterr().out.count("drp.share.s") == 9


def test_the_doctor_speaks_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every fault with its parts, however many are alike."""
    assert run(["requirements", "doctor", str(a_package(tmp_path)), "--json", "--rule", "unit-spelling"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["counts"]["specifications"] == 9
    assert len(document["faults"]) == 9
    first = document["faults"][0]
    assert (first["line"], first["rule"], first["severity"]) == (3, "unit-spelling", "warning")
    assert first["correct"] == "unit: '%'"


def test_the_doctor_compares_with_the_document_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of one's own is one, too."""
    own = tmp_path / "own.yaml"
    own.write_text(PROFILE)
    other = tmp_path / "other.yaml"
    other.write_text(PROFILE.replace("minimum: 9", "minimum: 10"))
    assert run(["requirements", "doctor", str(other), "--against", str(own), "--rule", "document-value"]) == 0
    assert "LPM-17 has minimum 9, design 6, stretch 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: must be a metrics package of lsst.verify, a requirements document or a folder"),
        (["--rule", "nosuch"], "no rule of the doctor is called 'nosuch'; known: bands, base,"),
        (["--against", "nosuch"], "no requirements profile is called 'nosuch'"),
    ],
)
def test_a_request_that_is_wrong_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2: a slip must not look like a sound file."""
    assert run(["requirements", "doctor", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message in captured.err


def test_the_rules_that_are_known_are_those_there_are() -> None:
    """Every name a rule gives to its faults is known to --rule."""
    import re

    from qa.requirements.doctor import RULE_NAMES

    folder = files("qa.requirements")
    modules = [one for place in ("doctor", "verify") for one in (folder / place).iterdir() if one.name.endswith(".py")]
    text = "".join(one.read_text() for one in [*modules, folder / "loader.py"])
    quoted = set(re.findall(r'"([a-z]+(?:-[a-z]+)*)"', text))
    assert quoted >= RULE_NAMES


def a_whole_ladder(folder: Path) -> Path:
    """Write a metrics package with one whole ladder."""
    (folder / "metrics").mkdir(parents=True)
    (folder / "specs" / "drp").mkdir(parents=True)
    (folder / "metrics" / "drp.yaml").write_text("PA1: {description: Repeatability., unit: mmag}\n")
    specs = [
        f"name: {level}\nmetric: PA1\nthreshold: {{operator: '<=', unit: mmag, value: {value}}}\n"
        for level, value in (("minimum", 8), ("design", 5), ("stretch", 3))
    ]
    (folder / "specs" / "drp" / "PA1.yaml").write_text("---\n".join(specs))
    return folder


def test_a_metrics_package_is_imported_into_a_new_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file is never written over; JSON has the document and what was left out."""
    package, out = a_whole_ladder(tmp_path / "package"), tmp_path / "survey.yaml"
    assert run(["requirements", "import", str(package), "--output", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["document"]["requirements"][0]["targets"] == [{"minimum": 8.0, "design": 5.0, "stretch": 3.0}]
    assert run(["requirements", "doctor", str(out)]) == 0
    capsys.readouterr()
    assert run(["requirements", "import", str(package), "--output", str(out)]) == 2
    assert "must be a new file, and it exists" in capsys.readouterr().err


def test_what_is_no_metrics_package_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what was required."""
    assert run(["requirements", "import", str(tmp_path)]) == 2
    assert "must be a metrics package, a folder with metrics and specs, found none" in capsys.readouterr().err
