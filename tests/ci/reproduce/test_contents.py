"""What lies in the folder of a reproduction."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci.reproduce import contents
from ci.reproduce.rerun import rerun
from ci.reproduce.software import Code
from obs_registry.model import Batch, BatchService, Runtime
from qa.errors import DocumentError, RequestError
from qa.provenance.reproduction import Reproduction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from obs_registry.model import Camera


@pytest.fixture
def folder(tmp_path: Path, what: Reproduction, hsc: Camera, recipes: Path) -> Path:
    """Write a folder."""
    made = tmp_path / "made"
    made.mkdir()
    code = Code({"qa/a.py": b"one\n", "REVISION": b"abc\n"}, "abc", exact=True)
    contents.seal(made, contents.write(made, what, hsc, recipes, code=code))
    return made


def test_what_is_written_is_read_again(folder: Path, what: Reproduction, hsc: Camera) -> None:
    """The value to the last bit, and the registry entry of the one data set, without requirements."""
    found, camera = contents.read(folder)
    assert (found.value, found.expected, found.facts) == (what.value, what.expected, what.facts)
    assert camera.instrument == hsc.instrument
    assert [one.name for one in camera.datasets] == ["twin-quick"]
    assert contents.foreign_code(folder, camera) == ()
    assert (folder / "recipes" / "skies" / "hsc-quick.yaml").is_file()
    assert (folder / "software" / "qa" / "a.py").read_text() == "one\n"
    assert found.code == "abc"
    page = (folder / "README.md").read_text()
    assert "measured **1.25 mmag** (`0x1.4000000000000p+0`, n = 22, standard error 0.2)" in page
    assert "nothing was processed" in page


def test_the_script_is_a_shell_script(folder: Path) -> None:
    """That any shell can read, and that can be executed."""
    script = folder / contents.SCRIPT
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", str(script)], check=True)


def test_a_file_that_was_changed_is_refused(folder: Path) -> None:
    """Also one that is gone, or a link to another."""
    path = folder / "recipes" / "skies" / "hsc-quick.yaml"
    text = path.read_text()
    path.write_text(text.replace("seed:", "seed: 1"))
    with pytest.raises(DocumentError, match="the file that was packed, found another content"):
        contents.read(folder)
    path.unlink()
    with pytest.raises(DocumentError, match="a file of the archive, found none"):
        contents.read(folder)
    (folder / "copy.yaml").write_text(text)
    path.symlink_to(folder / "copy.yaml")
    with pytest.raises(DocumentError, match="a file of the archive, found none"):
        contents.read(folder)


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change what a folder says of itself."""
    path = folder / contents.FACTS_FILE
    body = json.loads(path.read_text())
    change(body[contents.DOCUMENT])
    path.write_text(json.dumps(body))
    return folder


def test_names_of_files_stay_in_the_folder(folder: Path) -> None:
    """Nothing else of the machine is looked at."""
    changed(folder, lambda body: body["files"].update({"../../etc/passwd": "0" * 64}))
    with pytest.raises(DocumentError, match="names of at most 240 letters that stay in the folder"):
        contents.read(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("digits", "0x1p0"),
        ("digits", "0x1p99999"),
        ("digits", "nonsense"),
        ("digits", "nan"),
        ("expected", 5),
        ("facts", [1]),
        ("files", {}),
        ("camera", "decam"),
        ("dataset", "twin"),
    ],
)
def test_a_document_that_is_wrong_costs_a_line(folder: Path, key: str, value: object) -> None:
    """Another value, no value, something else altogether."""
    changed(folder, lambda body: body.update({key: value}))
    with pytest.raises(DocumentError) as caught:
        contents.read(folder)
    assert "\n" not in str(caught.value)


def test_code_of_an_archive_is_not_run_without_trust(
    tmp_path: Path, what: Reproduction, hsc: Camera, recipes: Path
) -> None:
    """A pipeline of its own, a set-up script, an image, a batch system: each is named, and nothing is begun."""
    own = tmp_path / "own.yaml"
    own.write_text("tasks: {}\n")
    (quick,) = (one for one in hsc.datasets if one.name == "twin-quick")
    batch = Batch(service=BatchService.SLURM)
    cases = {
        "the pipeline": hsc.model_copy(update={"datasets": (quick.model_copy(update={"pipeline": str(own)}),)}),
        "the set-up script /x/setup.sh": hsc.model_copy(update={"runtime": Runtime(setup="/x/setup.sh")}),
        "the image a:b": hsc.model_copy(update={"runtime": Runtime(image="a:b")}),
        "the batch system slurm": hsc.model_copy(update={"runtime": Runtime(batch=batch)}),
    }
    for number, (named, camera) in enumerate(cases.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        contents.seal(folder, contents.write(folder, what, camera, recipes))
        with pytest.raises(RequestError, match="found " + named):
            rerun(folder, tmp_path / "work", trust=False)
        assert not (tmp_path / "work").exists()


def test_a_pipeline_from_elsewhere_goes_along(tmp_path: Path, what: Reproduction, hsc: Camera, recipes: Path) -> None:
    """And is the one that is run; one of several files is refused, for which of them are meant is not certain."""
    own = tmp_path / "own.yaml"
    own.write_text("tasks: {}\n")
    (quick,) = (one for one in hsc.datasets if one.name == "twin-quick")
    camera = hsc.model_copy(update={"datasets": (quick.model_copy(update={"pipeline": str(own)}),)})
    folder = tmp_path / "made"
    folder.mkdir()
    contents.seal(folder, contents.write(folder, what, camera, recipes))
    (found,) = contents.read(folder)[1].datasets
    assert found.pipeline == str(folder / "pipelines" / "pipeline.yaml")
    own.write_text("imports: other.yaml\n")
    (tmp_path / "other.yaml").write_text("tasks: {}\n")
    with pytest.raises(RequestError, match="a pipeline that imports no other"):
        contents.write(folder, what, camera, recipes)


def test_a_data_set_that_left_the_registry_cannot_be_packed(what: Reproduction, hsc: Camera, tmp_path: Path) -> None:
    """The line names those there are."""
    with pytest.raises(RequestError, match="must have a data set 'deep' in the registry, found: twin, twin-quick"):
        contents.write(tmp_path, replace(what, dataset="deep"), hsc, tmp_path)


def test_a_day_of_calibrations_survives(tmp_path: Path, what: Reproduction, hsc: Camera, recipes: Path) -> None:
    """With the exposures that are drawn."""
    (tmp_path / "made").mkdir()
    asked = replace(what, calibrations_as_of=date(2018, 1, 18), exposures=(137000, 136800))
    contents.seal(tmp_path / "made", contents.write(tmp_path / "made", asked, hsc, recipes))
    found, _ = contents.read(tmp_path / "made")
    assert (found.calibrations_as_of, found.exposures) == (date(2018, 1, 18), (137000, 136800))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(key=st.sampled_from([one.name for one in fields(Reproduction)]), value=JUNK)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_of_any_key_is_taken_or_costs_a_line(folder: Path, key: str, value: object) -> None:
    """No traceback, whatever an archive says of itself."""
    before = (folder / contents.FACTS_FILE).read_bytes()
    changed(folder, lambda body: body.update({key: value}))
    try:
        contents.read(folder)
    except (DocumentError, RequestError) as error:
        assert "\n" not in str(error)  # noqa: PT017 - either is right
    (folder / contents.FACTS_FILE).write_bytes(before)


@given(st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_camera_of_an_archive_is_taken_or_costs_a_line(folder: Path, content: bytes) -> None:
    """Though its digest is right."""
    (folder / contents.CAMERA_FILE).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    changed(folder, lambda body: body["files"].update({contents.CAMERA_FILE: digest}))
    with pytest.raises(DocumentError) as caught:
        contents.read(folder)
    assert "\n" not in str(caught.value)
