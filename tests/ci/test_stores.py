"""Nights over a shared history that comes and goes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ci.cli import run
from ci.console import LineConsole
from ci.lanes import Context
from ci.settings import Settings
from ci.stores import keep, night_store, open_store
from qa.engines.recorded import RecordedEngine
from qa.foreign.testing import a_job, a_measurement_of
from qa.model import Scope
from qa.store import SqlStore, StoreError
from qa.stores.sync import check
from qa.testing import Clock, a_record
from qa.testing.runs import write_run

if TYPE_CHECKING:
    from pathlib import Path

SERIES = ("PA1", Scope("testcam", "twin", "r", 0))


@pytest.fixture
def settings(tmp_path: Path, postgres: str) -> Settings:
    """Return settings with a shared history."""
    return Settings(runs=tmp_path / "runs", cache=tmp_path, regression_data=tmp_path, store=postgres)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for a server that is gone."""
    monkeypatch.setattr("qa.stores.connect.PAUSES", (0.01,))


def test_a_night_brings_in_what_earlier_ones_could_not(settings: Settings) -> None:
    """From the journals into the history beside the runs, and from there into the shared one."""
    write_run(settings.runs, a_record("a"))
    said: list[str] = []
    night_store(settings, said.append).save(a_record("b", day=1))
    shared = SqlStore.open(settings.store)
    assert [point.run_id for point in shared.history()[SERIES]] == ["a", "b"]
    assert said == [f"history {shared.name}: brought in runs that it lacked (1), the last a"]
    assert shared.digests() == SqlStore.beside(settings.runs).digests()


def test_a_night_without_a_server_is_a_night(settings: Settings, postgres_server: Any, quick: None) -> None:
    """It goes on with the history beside the runs, says so in a line, and the next one makes up for it."""
    night_store(settings, lambda _: None).save(a_record("a"))
    postgres_server.stop()
    said: list[str] = []
    try:
        store = night_store(settings, said.append)
        store.save(a_record("b", day=1))
        assert [point.run_id for point in store.history()[SERIES]] == ["a", "b"]
        with pytest.raises(StoreError, match="refused"):
            open_store(settings)
    finally:
        postgres_server.start()
    (line,) = said
    assert line.startswith("warning: history postgresql://127.0.0.1:")
    assert "refused; the run folders are complete without it" in line.replace("Connection refused", "refused")
    night_store(settings, said.append)
    assert [point.run_id for point in open_store(settings).history()[SERIES]] == ["a", "b"]
    assert "brought in runs that it lacked (1), the last b" in said[1]


def test_a_server_that_goes_in_the_middle_of_a_night_costs_a_line(
    settings: Settings, postgres_server: Any, quick: None
) -> None:
    """What is saved afterwards is in the history beside the runs."""
    said: list[str] = []
    store = night_store(settings, said.append)
    store.save(a_record("a"))
    postgres_server.stop()
    try:
        store.save(a_record("b", day=1))
        assert store.last_coadds() == {"testcam": a_record("b", day=1).started}
    finally:
        postgres_server.start()
    assert len(said) == 1
    assert list(open_store(settings).digests()) == ["a"]
    assert list(SqlStore.beside(settings.runs).digests()) == ["a", "b"]


def test_runs_of_two_machines_that_begin_in_one_second_are_two(tmp_path: Path, postgres: str) -> None:
    """Where a history is shared, the names of runs carry a tag of their machine and folder."""
    here, there = (
        Settings(runs=tmp_path / name, cache=tmp_path, regression_data=tmp_path, store=postgres) for name in "ab"
    )
    assert here.tag != there.tag
    assert len(here.tag) == 6
    assert Settings(runs=tmp_path, cache=tmp_path, regression_data=tmp_path).tag == ""


def test_settings_do_not_show_where_the_history_is(settings: Settings) -> None:
    """A traceback that prints them prints no password."""
    assert "word" not in repr(settings)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what writes a Job of a day."""
    monkeypatch.setenv("OBSQA_REGRESSION_DATA", str(tmp_path / "regression_data"))

    def write(day: int) -> str:
        made = a_job(measurements=[a_measurement_of("validate_drp.PA1", 4.0 + day, "mmag")], blobs=[])
        made["meta"] = made["meta"] | {"env": {"date": f"2020-02-{day:02}T00:00:00+00:00"}}
        path = tmp_path / f"{day}.json"
        path.write_text(json.dumps(made))
        return str(path)

    return write


def test_runs_judged_while_the_server_is_gone_come_in_later(
    job: Any,
    tmp_path: Path,
    postgres: str,
    postgres_server: Any,
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The whole way, from a file through judgement and report, with the server there, gone, and there again."""
    monkeypatch.setenv("OBSQA_STORE", postgres)
    runs = ["--runs", str(tmp_path / "runs")]
    assert run(["import", "verify", job(1), *runs]) == 0
    postgres_server.stop()
    try:
        capsys.readouterr()
        assert run(["import", "verify", job(2), *runs]) == 0
        gone = capsys.readouterr()
        assert run(["store", "sync", *runs]) == 3
        one_line = capsys.readouterr().err
    finally:
        postgres_server.start()
    assert gone.err.count("the run folders are complete without it") == 1
    assert one_line.count("\n") == 1
    assert "word" not in gone.err + gone.out + one_line
    assert run(["store", "sync", *runs]) == 0
    assert "1 run brought in" in capsys.readouterr().out
    assert run(["store", "check", *runs]) == 0
    assert check(SqlStore.open(postgres), tmp_path / "runs").runs == 2
    capsys.readouterr()
    assert run(["history", "validate_drp.PA1", *runs, "--csv"]) == 0
    assert [line.split(",")[-2] for line in capsys.readouterr().out.splitlines()[1:]] == ["5.0", "6.0"]


def test_report_and_record_are_kept_elsewhere(
    job: Any, tmp_path: Path, s3: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A night sends them when it is through, and reads them back."""
    monkeypatch.setenv("OBSQA_ARTIFACTS", f"{s3}nightly")
    runs = ["--runs", str(tmp_path / "runs")]
    assert run(["import", "verify", job(1), *runs]) == 0
    assert f"kept at {s3}nightly/20200201T000000Z/: " in capsys.readouterr().err
    assert run(["store", "verify", "20200201T000000Z"]) == 0
    assert "files as they were sent" in capsys.readouterr().out


def test_a_place_that_is_gone_costs_a_line(
    job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The night has its verdict and its report, and what to do is said."""
    pytest.importorskip("lsst.resources")
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("OBSQA_ARTIFACTS", str(tmp_path / "file" / "deeper"))
    assert run(["import", "verify", job(1), "--runs", str(tmp_path / "runs")]) == 0
    printed = capsys.readouterr()
    assert "; complete it with: obsqa store push 20200201T000000Z" in printed.err
    assert printed.out.splitlines()[-1].startswith("report: ")


def test_what_a_night_could_not_send_the_next_one_sends(
    job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The place was gone for a night; what is there already is not sent again."""
    pytest.importorskip("lsst.resources")
    runs = ["--runs", str(tmp_path / "runs")]
    (tmp_path / "file").write_text("in the way")
    for day, place in ((1, "place"), (2, "file/deeper"), (3, "place")):
        monkeypatch.setenv("OBSQA_ARTIFACTS", str(tmp_path / place))
        assert run(["import", "verify", job(day), *runs]) == 0
    kept = [line for line in capsys.readouterr().err.splitlines() if line.startswith("kept at ")]
    assert [line.split("/: ")[0][-16:] for line in kept] == [f"202002{day:02}T000000Z" for day in (1, 3, 2)]
    assert run(["store", "verify", "20200202T000000Z"]) == 0


def test_a_run_that_is_apart_is_sent_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeats and reproductions enter no history, and their reports are nobody's night."""
    settings = Settings(tmp_path, tmp_path, tmp_path, artifacts=str(tmp_path / "place"))
    context = Context(settings, [], RecordedEngine({}), None, Clock(), LineConsole(), {})
    keep(context, write_run(tmp_path / "runs", a_record()))
    assert not (tmp_path / "place").exists()
