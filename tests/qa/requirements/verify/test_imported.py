"""A metrics package of lsst.verify as a document of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from qa.requirements.loader import read
from qa.requirements.verify import load_package
from qa.requirements.verify.imported import NothingToImportError, as_plain, import_package

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Writer = Callable[..., Path]


def test_whole_ladders_are_taken_over_and_the_file_is_one_of_ours(made_up: Writer, tmp_path: Path) -> None:
    """What is written is read back as it was; where the values are from is cited."""
    made = import_package(load_package(made_up()), name="survey", version="2")
    path = tmp_path / "survey.yaml"
    path.write_text(yaml.safe_dump(as_plain(made.document), sort_keys=False))
    assert read(path) == made.document
    (one,) = made.document.requirements
    (target,) = one.targets
    assert (one.metric, one.unit, target.bands) == ("PA1", "mmag", ("g", "r", "i"))
    assert (target.minimum, target.design, target.stretch) == (8, 5, 3)
    assert one.source.endswith("specs/drp/LPM-17-PA1.yaml")


def test_what_is_not_taken_over_has_a_reason(made_up: Writer) -> None:
    """A metric that lacks a level is named with what it lacks; milestones and single data sets are counted."""
    lonely = "name: minimum\nmetric: PF1\nthreshold: {operator: '<=', unit: percent, value: 9}\n"
    made = import_package(load_package(made_up(Lonely=lonely)), name="survey", version="1")
    assert [one.metric for one in made.document.requirements] == ["PA1"]
    assert "PF1: has no design and no stretch" in made.left_out
    assert made.special > 2


def test_a_package_without_ladders_is_refused(tmp_path: Path) -> None:
    """One line says what is wanted."""
    (tmp_path / "metrics").mkdir()
    (tmp_path / "specs" / "drp").mkdir(parents=True)
    (tmp_path / "metrics" / "drp.yaml").write_text("PA1: {description: Repeatability., unit: mmag}\n")
    spec = "name: design\nmetric: PA1\nthreshold: {operator: '<=', unit: mmag, value: 5}\n"
    (tmp_path / "specs" / "drp" / "PA1.yaml").write_text(spec)
    with pytest.raises(NothingToImportError, match="must have specifications named minimum, design and stretch"):
        import_package(load_package(tmp_path), name="survey", version="1")


def test_the_public_package_becomes_a_profile(shared_data: Path) -> None:
    """Its values are those of LPM-17; the ladder that is out of order is left out, and said to be."""
    made = import_package(load_package(shared_data / "verify" / "verify_metrics"), name="verify", version="1")
    found = {one.metric: one for one in made.document.requirements}
    assert len(found) == 17
    target = found["AM1"].targets[0]
    assert (target.minimum, target.design, target.stretch, found["AM1"].unit) == (20, 10, 5, "mas")
    assert any(line.startswith("TE2: targets must get harder") for line in made.left_out)
