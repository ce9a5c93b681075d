# ruff: noqa: E402 - what needs the optional extra is imported behind its guard
import subprocess
import sys
from pathlib import Path

import pytest

butler_module = pytest.importorskip("lsst.daf.butler")

from qa.drp.command import has_run, pipetask, process_command, process_environment
from qa.drp.harvest import harvest
from qa.drp.ingest import ingest
from qa.errors import DocumentError
from qa.model import Result

pytestmark = pytest.mark.pipeline


def test_command_is_an_argument_list(processed: Path) -> None:
    """It names repository, data and run; nothing goes through a shell."""
    command = process_command(processed, run="other")
    assert Path(command[0]) == pipetask()
    assert command[command.index("--butler-config") + 1] == str(processed)
    assert command[command.index("--data-query") + 1] == "instrument='HSC' and skymap='hsc_tiny'"
    assert "--extend-run" not in command


def test_run_that_was_begun_is_continued(processed: Path) -> None:
    """A run that exists is extended unless a fresh one is asked for."""
    assert has_run(processed, "obsqa")
    assert "--extend-run" in process_command(processed, run="obsqa")
    assert "--extend-run" not in process_command(processed, run="obsqa", resume=False)


def test_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    """The message names the file that is missing."""
    with pytest.raises(DocumentError, match=r"ingest\.json: must be a document 'ingested'"):
        process_command(tmp_path, run="obsqa")


def test_libraries_are_held_to_one_thread() -> None:
    """Cameras run side by side: none may take all cores."""
    environment = process_environment({"PATH": "/bin", "OMP_NUM_THREADS": "8"})
    assert environment["PATH"] == "/bin"
    assert environment["OMP_NUM_THREADS"] == environment["NUMBA_NUM_THREADS"] == "1"


def measured(repo: Path, out: Path) -> tuple[Result, ...]:
    """All results of a run but what it cost."""
    results = harvest(repo, "obsqa", "hsc", "tiny", out).results
    return tuple(result for result in results if result.scope.band is not None)


def test_killed_run_is_finished_with_the_same_results(
    twin: Path, processed: Path, tmp_path: Path, run_pipeline: object
) -> None:
    """After `kill -9` the same command does what is left, and what is measured is equal to the last bit."""
    assert callable(run_pipeline)
    repo = tmp_path / "butler"
    ingest(twin, repo)
    assert run_pipeline(repo, until="calexp") == -9
    kept = {path: path.stat().st_mtime_ns for path in (repo / "obsqa" / "post_isr").rglob("*.fits")}
    assert kept
    assert run_pipeline(repo) == 0
    finished = {path: path.stat().st_mtime_ns for path in (repo / "obsqa" / "post_isr").rglob("*.fits")}
    # The quantum at work when the signal came may have to be done again; no other.
    assert len([path for path in kept if finished[path] != kept[path]]) <= 1
    assert len(finished) == 8
    assert measured(repo, tmp_path / "a") == measured(processed, tmp_path / "b")


def test_registry_that_a_killed_process_left_half_written_is_read(tmp_path: Path) -> None:
    """What the killed process had not committed is undone, and the question is answered."""
    script = (
        "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "db.execute('CREATE TABLE collection (name TEXT)'); db.execute(\"INSERT INTO collection VALUES ('kept')\"); "
        "db.execute('PRAGMA cache_size = 1'); db.execute('BEGIN'); "
        "db.executemany('INSERT INTO collection VALUES (?)', [('x' * 4000,)] * 500); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "gen3.sqlite3")], check=False)
    assert (tmp_path / "gen3.sqlite3-journal").stat().st_size > 0
    assert has_run(tmp_path, "kept")
    assert not has_run(tmp_path, "x" * 4000)
