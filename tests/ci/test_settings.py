from __future__ import annotations

import os
from pathlib import Path

import pytest

from ci.settings import Settings
from qa.errors import DocumentError


def test_the_environment_names_the_folders(tmp_path: Path) -> None:
    """Each folder can be named by a variable."""
    environ = {
        "OBSQA_RUNS": "/runs",
        "OBSQA_CACHE": "/cache",
        "OBSQA_REGRESSION_DATA": "/data",
        "OBSQA_REGISTRY": os.pathsep.join(["/one", "/two"]),
    }
    settings = Settings.from_environment(environ, cwd=tmp_path)
    assert settings == Settings(Path("/runs"), Path("/cache"), Path("/data"), (Path("/one"), Path("/two")))


def test_the_environment_names_a_shared_history_and_a_place_for_reports(tmp_path: Path) -> None:
    """Empty variables name nothing, as a parent that wants none sets them."""
    environ = {"OBSQA_STORE": "postgresql://user:planted@host/db", "OBSQA_ARTIFACTS": "s3://bucket"}
    settings = Settings.from_environment(environ, cwd=tmp_path)
    assert (settings.store, settings.artifacts) == ("postgresql://user:planted@host/db", "s3://bucket")
    assert "planted" not in repr(settings)
    settings = Settings.from_environment(dict.fromkeys(environ, ""), cwd=tmp_path)
    assert (settings.store, settings.artifacts) == ("", "")


def test_what_needs_no_regression_data_fetches_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A history is shown, too, where published baselines cannot be reached."""
    monkeypatch.setenv("OBSQA_REGRESSION_DATA", (tmp_path / "nothing").as_uri())
    monkeypatch.setenv("OBSQA_RUNS", str(tmp_path))
    assert Settings.without_data().runs == tmp_path
    pytest.importorskip("lsst.resources")
    with pytest.raises(DocumentError, match=r"manifest\.json: must be the manifest"):
        Settings.from_environment()


def test_defaults_are_beside_the_user(tmp_path: Path) -> None:
    """Runs go to the working folder, pixels to the user's cache, and a checkout's own baselines are used."""
    (tmp_path / "regression_data" / "skies").mkdir(parents=True)
    settings = Settings.from_environment({}, cwd=tmp_path)
    assert settings.runs == tmp_path / "runs"
    assert settings.cache.name == "obsqa"
    assert settings.regression_data == tmp_path / "regression_data"


def test_elsewhere_the_packaged_data_are_used(tmp_path: Path) -> None:
    """Without a checkout the baselines that came with obsqa hold."""
    assert (Settings.from_environment({}, cwd=tmp_path).regression_data / "skies").is_dir()


def test_options_win_over_the_environment(tmp_path: Path) -> None:
    """What is given on the command line counts, and registries add up."""
    settings = Settings.from_environment({"OBSQA_REGISTRY": "/one"}, cwd=tmp_path)
    changed = settings.override(runs=Path("/other"), registry=(Path("/two"),))
    assert changed.runs == Path("/other")
    assert changed.registry == (Path("/one"), Path("/two"))
    assert settings.override().runs == settings.runs
