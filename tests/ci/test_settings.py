from __future__ import annotations

import os
from pathlib import Path

from ci.settings import Settings


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
