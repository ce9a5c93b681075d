"""The verb `store`."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from ci.cli import run
from ci.settings import Settings
from qa.locations import regression_data
from qa.stores.connect import connect
from qa.stores.schema import upgrade
from qa.testing import a_record
from qa.testing.runs import write_run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    """Return the option that names a folder with two runs."""
    for day, name in enumerate("ab"):
        write_run(tmp_path / "runs", a_record(name, day=day))
    return ["--runs", str(tmp_path / "runs")]


def test_a_shared_history_is_brought_up_to_date_when_it_is_asked_for(
    runs: list[str], postgres: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What to do is said by whatever meets the old tables, and that does it."""
    monkeypatch.setenv("OBSQA_STORE", postgres)
    database = connect(postgres)
    upgrade(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE obsqa_version SET version_num = '0001'")
        connection.exec_driver_sql("ALTER TABLE runs DROP COLUMN digest, DROP COLUMN host")
        connection.exec_driver_sql("DROP INDEX results_by_metric")
    assert run(["history", *runs]) == 3
    line = capsys.readouterr().err
    assert line.endswith("found revision 0001; bring it up to date for all who use it with: obsqa store migrate\n")
    assert run(["store", "migrate", *runs]) == 0
    assert capsys.readouterr().out == f"{database.name}: of revision 0002, before: 0001\n"
    assert run(["store", "migrate", *runs, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["before"] == "0002"
    assert run(["store", "sync", *runs]) == 0
    assert "2 runs brought in" in capsys.readouterr().out


def test_a_wrong_address_is_one_line(
    runs: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The request is wrong, and the address, which may hold a password, is not shown."""
    monkeypatch.setenv("OBSQA_STORE", "oracle://user:planted@host/db")
    for verb in (["store", "sync"], ["store", "migrate"], ["history"]):
        assert run([*verb, *runs]) == 2
        line = capsys.readouterr().err
        assert line.startswith("obsqa: OBSQA_STORE: must be postgresql://")
        assert "planted" not in line
        assert line.count("\n") == 1


def test_what_is_missing_is_told_and_brought_in(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing, otherwise, damaged: each run in a line, and one command mends them all."""
    assert run(["store", "check", *runs]) == 4
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"{name}: missing, though its journal is here; mend it with: obsqa store sync" for name in "ab"
    ]
    assert run(["store", "sync", *runs]) == 0
    with sqlite3.connect(tmp_path / "runs" / "history.sqlite") as connection:
        connection.execute("UPDATE results SET value = 9 WHERE run_id = 'b' AND value IS NOT NULL")
    connection.close()
    assert run(["store", "check", *runs, "--json"]) == 4
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["runs"], found["missing"], found["damaged"], found["different"]) == (2, [], ["b"], ["b"])
    assert run(["store", "sync", *runs, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["brought"] == ["b"]
    assert run(["store", "check", *runs]) == 0


def test_a_damaged_journal_is_told(runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others come in, and the end is not a success."""
    (tmp_path / "runs" / "a" / "journal.jsonl").write_text("nothing\n{}\n")
    assert run(["store", "sync", *runs]) == 4
    printed = capsys.readouterr()
    assert "1 run brought in" in printed.out
    assert "warning: " in printed.err
    assert "journal.jsonl:1" in printed.err


def test_the_history_is_written_as_parquet(runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three files, with their rows."""
    pytest.importorskip("pyarrow")
    run(["store", "sync", *runs])
    capsys.readouterr()
    assert run(["store", "export", "parquet", "--to", str(tmp_path / "out"), *runs]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}/out/runs.parquet: 2 rows",
        f"{tmp_path}/out/cameras.parquet: 2 rows",
        f"{tmp_path}/out/results.parquet: 6 rows",
    ]


def test_a_run_is_pushed_and_verified(runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was damaged since is told by name."""
    pytest.importorskip("lsst.resources")
    place = str(tmp_path / "place")
    assert run(["store", "push", "latest", "--to", place, *runs]) == 0
    assert "1 of them sent now, all read back" in capsys.readouterr().out
    assert run(["store", "verify", "b", "--at", place]) == 0
    (tmp_path / "place" / "b" / "journal.jsonl").write_text("")
    assert run(["store", "verify", "b", "--at", place, "--json"]) == 4
    (fault,) = json.loads(capsys.readouterr().out.splitlines()[-1])["faults"]
    assert "journal.jsonl" in fault
    assert run(["store", "push", "latest", *runs]) == 2
    assert "OBSQA_ARTIFACTS" in capsys.readouterr().err


def test_baselines_are_published_and_read(
    tmp_path: Path, s3: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine without a checkout is led to them by one variable; accepting there is refused in one line."""
    uri = f"{s3}regression-data"
    monkeypatch.setenv("OBSQA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OBSQA_REGRESSION_DATA", str(regression_data()))
    assert run(["store", "publish", "--to", uri]) == 0
    monkeypatch.setenv("OBSQA_REGRESSION_DATA", uri)
    copy = Settings.from_environment().regression_data
    assert copy.is_relative_to(tmp_path / "cache")
    assert run(["baseline", "show", "--camera", "hsc"]) in {0, 2}
    capsys.readouterr()
    assert run(["baseline", "restore"]) == 2
    assert capsys.readouterr().err.endswith(f"and then: obsqa store publish --to {uri}/\n")
    assert run(["store", "publish", "--to", uri]) == 2
    assert "must be a checkout, found a copy" in capsys.readouterr().err
