from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

STRICT = "[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a camera package's checkout with a test of its own."""
    (tmp_path / "pytest.ini").write_text(STRICT)
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    return tmp_path


def in_package(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a camera package, with no plugin but ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environ = {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OBSQA_RUNS": str(package / "runs")}
    command = [sys.executable, "-m", "pytest", "-p", "ci.suite.plugin", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=package, env=environ, capture_output=True, text=True, check=False)


def test_other_sessions_pay_nothing(package: Path) -> None:
    """Without an option of ours nothing of obsqa is imported but the plugin's few lines."""
    (package / "test_own.py").write_text(
        "import sys\n\n\ndef test_own():\n"
        "    packages = {'ci', 'qa', 'reports', 'obs_registry'}\n"
        "    ours = {name for name in sys.modules if name.partition('.')[0] in packages}\n"
        "    assert ours == {'ci', 'ci.suite', 'ci.suite.plugin'}\n"
        "    assert 'numpy' not in sys.modules\n"
    )
    done = in_package(package)
    assert done.returncode == 0, done.stdout


def test_a_camera_that_does_not_exist_is_told_in_a_line(package: Path) -> None:
    """The session ends with code 2 and the names there are."""
    done = in_package(package, "--obsqa-camera", "nosuch")
    assert done.returncode == 2
    assert "no camera is called 'nosuch'; known: " in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (("--obsqa-budget", "soon"), "--budget must be a time span such as 90m or 2h, got 'soon'"),
        (("--obsqa-camera", "sdss"), "sdss: retired"),
    ],
)
def test_a_wrong_option_is_told_in_a_line(package: Path, option: tuple[str, str], told: str) -> None:
    """What was required and what was found, with code 2."""
    done = in_package(package, "--obsqa", *option)
    assert (done.returncode, told in done.stdout + done.stderr) == (2, True), done.stdout + done.stderr


def test_a_change_that_concerns_no_camera_passes(package: Path) -> None:
    """A retired camera's package changed: nothing is checked, and that is well."""
    done = in_package(package, "--obsqa-changed", "legacy-obs_sdss")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no camera is concerned" in done.stdout + done.stderr
    assert not (package / "runs").exists()


@pytest.mark.pipeline
def test_a_packages_own_tests_and_the_checks_are_one_session(package: Path) -> None:
    """The checks come behind the package's own tests, whatever its settings; nothing is run to list them."""
    done = in_package(package, "--obsqa-camera", "hsc", "--collect-only", "-q")
    lines = [line for line in done.stdout.splitlines() if "::" in line]
    assert done.returncode == 0, done.stdout
    assert lines[0] == "test_own.py::test_own"
    assert any(line.endswith("test_headers.py::test_headers_translate[hsc]") for line in lines)
    assert any(line.endswith("test_metrics.py::test_metric[hsc-PA1-r-t0]") for line in lines)
    assert any(line.endswith("test_speed.py::test_speed[hsc-isr]") for line in lines)
    assert not list((package / "runs").glob("2*"))


@pytest.mark.pipeline
def test_a_budget_and_an_expression_choose(package: Path) -> None:
    """With ten seconds there is no processing; what does not fit is counted as deselected."""
    done = in_package(package, "--obsqa-camera", "hsc", "--obsqa-budget", "10s", "--collect-only", "-q")
    assert "test_filters_map_to_bands[hsc]" in done.stdout
    assert "test_metric" not in done.stdout
    done = in_package(package, "--obsqa-camera", "hsc", "-k", "isr", "--collect-only", "-q")
    names = {line.partition("::")[2] for line in done.stdout.splitlines() if "::" in line}
    assert "test_speed[hsc-isr]" in names
    assert all("isr" in name for name in names)


@pytest.mark.pipeline
def test_a_budget_that_is_used_up_leaves_the_run_incomplete(package: Path) -> None:
    """What took longer than was foreseen stops no check that runs; those that have not begun are told and lacking."""
    (package / "test_own.py").write_text("import time\n\n\ndef test_own():\n    time.sleep(11)\n")
    asked = ("--obsqa-camera", "latiss", "--obsqa-budget", "10s", "-k", "own or filters", "-rs")
    done = in_package(package, *asked)
    assert "the budget of 10\u00a0s is used up" in done.stdout, done.stdout + done.stderr
    assert "1 passed, 1 skipped" in done.stdout
    summary = next((package / "runs").glob("*/report/summary.md")).read_text().replace("\u00a0", " ")
    assert "was not run: filters_map_to_bands: the budget of 10 s is used up" in summary.replace("\\", "")
    assert done.returncode == 4


def test_workers_of_xdist_are_refused(package: Path) -> None:
    """The checks share one run: in a line, with what to do."""
    pytest.importorskip("xdist")
    done = in_package(package, "-p", "xdist", "--obsqa-camera", "latiss", "-n", "2")
    assert done.returncode == 2
    assert "leave out -n; the run itself uses every core" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
