"""The main job, for real: a camera's small data set from nothing to report, killed, continued and repeated."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from ci.testing.home import PATIENCE, Place, measured
from qa.journal import read_record
from qa.metrics import catalogue
from qa.model import Change, Stage

pytestmark = pytest.mark.pipeline
NIGHT = ("nightly", "--quick", "--camera", "latiss", "--jobs", "1")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a place where one night has run and its values were accepted."""
    here = Place.without_baselines(tmp_path_factory.mktemp("night"))
    code, _, err = here.run(*NIGHT)
    assert code in {0, 1}, err
    accepted, _, err = here.run("baseline", "accept", "latest", "--why", "first night", "--waiver", "a tiny data set")
    assert accepted == 0, err
    return here


def test_a_night_leaves_a_whole_run(place: Place) -> None:
    """From nothing: drawn, ingested, processed by pipetask, measured, judged, reported, remembered."""
    run = place.runs[0]
    record = read_record(run)
    assert record.completed("latiss")
    assert [outcome.step.stage for outcome in record.outcomes.values()] == list(Stage)
    for name in ("plan.json", "provenance.json", "comparisons.json", "report/index.html", "report/summary.md"):
        assert (run / name).is_file()
    assert "<testsuites" in (run / "report" / "junit.xml").read_text()
    assert (place.folder / "runs" / "history.sqlite").is_file()


def test_the_second_night_is_the_same_and_draws_nothing(place: Place) -> None:
    """The same seed on the same machine gives the same bits, judged steady; the pixels come from the cache."""
    drawn = sorted(path.stat().st_mtime_ns for path in (place.folder / "cache").rglob("*.fits*"))
    code, out, err = place.run(*NIGHT)
    assert code == 0, err
    assert out.rstrip().endswith("report/index.html")
    assert sorted(path.stat().st_mtime_ns for path in (place.folder / "cache").rglob("*.fits*")) == drawn
    first, second = place.runs[0], place.runs[-1]
    assert measured(first) == measured(second)
    science = [one for one in read_record(second).comparisons if catalogue()[one.metric].family != "resources"]
    assert {one.change for one in science} == {Change.STEADY}


def test_history_and_status_tell_of_both_nights(place: Place) -> None:
    """Every night adds a point to each series, and the state of the cameras is known."""
    code, out, _ = place.run("history", "psf_fwhm", "--json")
    assert code == 0
    assert len({point["run"] for point in json.loads(out)}) == len(place.runs)
    code, out, _ = place.run("status", "--json")
    cameras = {row["camera"]: row for row in json.loads(out)["cameras"]}
    assert cameras["latiss"]["last_measured_on_coadds"]
    assert not cameras["latiss"]["overdue"]


@pytest.mark.parametrize("stage", [Stage.INGEST, Stage.CALIBRATIONS, Stage.PROCESS])
def test_a_killed_night_is_finished_by_the_next(place: Place, stage: Stage) -> None:
    """Kill -9 at any moment costs at most the step that was running; the numbers are those of a whole night."""
    before = len(place.runs)
    process = place.start(*NIGHT, "--new")
    _wait_for(place, before, stage)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    done = {key for key, one in read_record(place.runs[-1]).outcomes.items() if one}
    code, _, err = place.run(*NIGHT)
    assert code == 0, err
    assert "was cut off" in err
    assert len(place.runs) == before + 1
    assert not any(f"{key}: done" in err for key in done)
    assert measured(place.runs[-1]) == measured(place.runs[0])


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_night_says_so_and_is_finished_by_the_next(place: Place, signum: int) -> None:
    """Ctrl-C, and the signal by which servers end their jobs, are one line and an exit code of their own."""
    before = len(place.runs)
    process = place.start(*NIGHT, "--new")
    _wait_for(place, before, Stage.PROCESS)
    process.send_signal(signum)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err.strip().splitlines()[-1] == "obsqa: interrupted; what was finished is kept"
    assert "Traceback" not in err
    assert place.run(*NIGHT)[0] == 0
    assert len(place.runs) == before + 1
    assert measured(place.runs[-1]) == measured(place.runs[0])


def _wait_for(place: Place, before: int, stage: Stage) -> None:
    """Wait until a new run is in the midst of a stage."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        runs = place.runs[before:]
        log = runs[0] / "latiss" / "twin-quick" / "logs" / f"{stage}.log" if runs else None
        if log and log.is_file() and (stage is not Stage.PROCESS or "Executed 3 quanta" in log.read_text()):
            return
        time.sleep(0.02)
    pytest.fail(f"the night never came to {stage}")


def test_a_broken_camera_file_harms_no_other_camera(place: Place) -> None:
    """A fault in one file is told with its line; the others are processed, and the night is incomplete."""
    registry = place.folder / "registry"
    registry.mkdir()
    (registry / "broken.yaml").write_text("schema: 1\nname: broken\nlease: never\n")
    code, _, err = place.run("nightly", "--quick", "--camera", "latiss", "--camera", "broken", "--registry", "registry")
    assert code == 4, err
    assert "broken.yaml:1" in err
    assert read_record(place.runs[-1]).completed("latiss")


def test_an_unknown_camera_is_answered_with_the_known_ones(place: Place) -> None:
    """A misspelt camera is a wrong request, and nothing is begun."""
    before = len(place.runs)
    code, _, err = place.run("nightly", "--camera", "hcs")
    assert code == 2
    assert "no camera is called 'hcs'; known: ctio0m9, decam, hsc" in err
    assert len(place.runs) == before
