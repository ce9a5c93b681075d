"""Files of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qa.pipeline_files import MOST, ROOT, pipeline_files, pipeline_path

if TYPE_CHECKING:
    from pathlib import Path


def test_a_location_may_name_variables_and_a_part(tmp_path: Path) -> None:
    """What is relative lies above obsqa's packages; an unknown variable stays as it is."""
    environ = {"PIPES": str(tmp_path)}
    assert pipeline_path("$PIPES/a.yaml#step1", environ) == tmp_path / "a.yaml"
    assert pipeline_path("qa/drp/pipelines/drp.yaml", environ) == ROOT / "qa/drp/pipelines/drp.yaml"
    assert pipeline_path("$OTHER/a.yaml", environ).name == "a.yaml"


def test_what_a_pipeline_imports_belongs_to_it(tmp_path: Path) -> None:
    """In all ways of saying so, through several files, and round in a circle."""
    (tmp_path / "a.yaml").write_text("imports:\n  - b.yaml\n  - location: $PIPES/c.yaml#part\n    include: [x]\n")
    (tmp_path / "b.yaml").write_text("imports: a.yaml\n")
    (tmp_path / "c.yaml").write_text("imports: {location: gone.yaml}\n")
    found = pipeline_files(str(tmp_path / "a.yaml"), {"PIPES": str(tmp_path)})
    assert [path.name for path in found] == ["a.yaml", "b.yaml", "c.yaml"]


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    """No file, no text, no YAML, no mapping, and more files than there can be."""
    assert pipeline_files("nowhere/x.yaml", {}) == {}
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    assert pipeline_files(str(tmp_path / "bytes.yaml"), {}) == {}
    for text in ("imports: [unclosed", "- a list", "imports: 5", ""):
        (tmp_path / "odd.yaml").write_text(text)
        assert list(pipeline_files(str(tmp_path / "odd.yaml"), {}).values()) == [text]
    names = [f"{number}.yaml" for number in range(2 * MOST)]
    for name in names:
        (tmp_path / name).write_text("")
    (tmp_path / "many.yaml").write_text("imports: [" + ", ".join(names) + "]\n")
    assert len(pipeline_files(str(tmp_path / "many.yaml"), {})) == MOST
