from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ci.cron import LOCK, NightRunningError, NoLogError, alone, under_cron
from ci.settings import Settings
from ci.testing.home import Place
from obs_registry.errors import Fault, RegistryError
from qa.errors import EngineError
from qa.journal import read_record, runs_under

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 3, 1, 1, 2, 3, tzinfo=UTC)
PATIENCE = 90.0

SERVICE = """schema: 1
name: archive
title: Alert archive
package: {{name: alert_archive, repository: https://example.org/alert_archive}}
sponsor: {{team: archive team, contact: archive@example.org, deputy: deputy@example.org}}
lease: {{granted: 2026-01-01, until: 2027-12-31}}
datasets:
  - {{name: queries, kind: suite, lane: nightly, command: [sh, "{script}"], results: ["*.xml"]}}
"""
PASSES = """echo '<testsuite><testcase name="a"/></testsuite>' >junit.xml"""


def _place(folder: Path, script: str) -> Place:
    """Make a place whose registry has one service, with this script for its suite."""
    services = folder / "registry" / "services"
    services.mkdir(parents=True)
    (folder / "suite.sh").write_text(script)
    (services / "archive.yaml").write_text(SERVICE.format(script=folder / "suite.sh"))
    (folder / "regression_data" / "skies").mkdir(parents=True)
    return Place(folder, {"OBSQA_REGISTRY": str(folder / "registry")})


def _settings(folder: Path) -> Settings:
    return Settings(runs=folder / "runs", cache=folder / "cache", regression_data=folder)


def _until(true: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)


NIGHT = ("nightly", "--cron", "--camera", "archive", "--budget", "1")


def test_a_night_of_a_clock_is_silent_when_it_passes_and_has_a_log_of_its_own(tmp_path: Path) -> None:
    """All that it prints is in the log, and the run says what asked for it."""
    place = _place(tmp_path, PASSES)
    assert place.run(*NIGHT) == (0, "", "")
    (log,) = (tmp_path / "runs" / "logs").glob("night-*Z.log")
    assert "archive/queries/measure: done" in log.read_text()
    assert "report/index.html" in log.read_text()
    (run,) = runs_under(tmp_path / "runs")
    record = read_record(run)
    assert record.plan.trigger.kind == "cron"
    assert record.plan.budget_hours == 1.0
    assert (tmp_path / "runs" / LOCK).read_text() == ""


def test_a_night_that_fails_says_one_line_which_cron_mails(tmp_path: Path) -> None:
    """With the exit code of the night and where its log is."""
    script = (
        """echo '<testsuite><testcase name="a"><failure message="no"/></testcase></testsuite>' >junit.xml; exit 1"""
    )
    code, out, err = _place(tmp_path, script).run(*NIGHT)
    assert (code, out) == (1, "")
    assert err.startswith("obsqa: the night ended with exit code 1; log: ")
    assert err.count("\n") == 1


def test_a_night_never_overlaps_itself(tmp_path: Path) -> None:
    """The second one says who is at it and ends with the code of infrastructure; the first goes on undisturbed."""
    place = _place(tmp_path, f"while [ ! -e {tmp_path}/go ]; do sleep 0.1; done; {PASSES}")
    first = place.start(*NIGHT)
    lock = tmp_path / "runs" / LOCK
    try:
        _until(lambda: lock.is_file() and f"process {first.pid} " in lock.read_text(), first)
        code, _, err = place.run(*NIGHT)
        assert code == 3
        assert f"found process {first.pid} on " in err
        assert err.count("\n") == 1
    finally:
        (tmp_path / "go").touch()
        out, err = first.communicate(timeout=PATIENCE)
    assert (first.returncode, out, err) == (0, "", "")
    assert len(runs_under(tmp_path / "runs")) == 1


def test_a_night_that_is_told_to_end_lets_go_of_the_lock_and_is_continued(tmp_path: Path) -> None:
    """With the exit code of an interruption; the next night does what is left."""
    place = _place(tmp_path, f"touch {tmp_path}/begun; [ -e {tmp_path}/go ] || sleep 60; {PASSES}")
    first = place.start(*NIGHT)
    try:
        _until((tmp_path / "begun").exists, first)
        first.terminate()
        first.communicate(timeout=PATIENCE)
    finally:
        first.kill()
    assert first.returncode == 130
    (tmp_path / "go").touch()
    assert place.run(*NIGHT)[0] == 0
    assert len(runs_under(tmp_path / "runs")) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EngineError("no engine"), 3),
        (RegistryError([Fault("a.yaml", 1, "name", "x", "y")]), 2),
        (ZeroDivisionError("a bug"), 3),
    ],
)
def test_what_cuts_a_night_short_is_an_exit_code_and_an_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    """Nobody watches: a bug must be heard of, too."""
    told: list[list[str]] = []
    monkeypatch.setattr("ci.notify.send_alarm", lambda _settings, _subject, lines: told.append(list(lines)) or ())

    def night() -> int:
        raise error

    assert under_cron(_settings(tmp_path), night, now=lambda: NOW) == code
    assert len(told) == 1
    assert str(error).splitlines()[0] in told[0][0]
    assert (tmp_path / "runs" / "logs" / "night-20260301T010203Z.log").is_file()


def test_a_night_that_cannot_begin_is_an_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The night before has not ended, which somebody should look into."""
    told: list[list[str]] = []
    monkeypatch.setattr(
        "ci.notify.send_alarm", lambda _settings, _subject, lines: told.append(list(lines)) or ("lost",)
    )
    with alone(tmp_path / "runs" / LOCK, NOW), pytest.raises(NightRunningError) as caught:
        under_cron(_settings(tmp_path), lambda: 0)
    assert told == [[str(caught.value)]]
    assert f"process {os.getpid()} on " in str(caught.value)
    assert "since 2026-03-01 01:02:03 UTC" in str(caught.value)


def test_what_stands_in_a_lock_is_told_in_printable_characters(tmp_path: Path) -> None:
    """Whoever wrote it."""
    lock = tmp_path / LOCK
    with alone(lock, NOW):
        lock.write_bytes(b"\x1b[31mred\n\xff" + b"x" * 9999)
        with pytest.raises(NightRunningError) as caught, alone(lock, NOW):
            pass
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


def test_a_lock_of_a_process_that_is_gone_holds_nobody_up(tmp_path: Path) -> None:
    """Whatever still stands in it."""
    (tmp_path / LOCK).write_text("process 1 on elsewhere, since long ago")
    with alone(tmp_path / LOCK, NOW):
        assert str(os.getpid()) in (tmp_path / LOCK).read_text()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """In one line, before anything is done."""
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(NoLogError, match="must be a file that can be written"):
        under_cron(_settings(tmp_path), lambda: 0)


def test_a_cron_daemon_begins_a_night(tmp_path: Path, unavailable: Callable[[str, str], None]) -> None:
    """A real one, from a line of a crontab, with the bare environment that cron gives."""
    busybox = shutil.which("busybox")
    applets = subprocess.run([str(busybox), "--list"], check=True, capture_output=True).stdout if busybox else b""
    if b"crond" not in applets.split():
        unavailable("cron", "busybox with crond is not on PATH")
    if os.geteuid() != 0:
        unavailable("cron", "only root can start a cron daemon")
    place = _place(tmp_path, PASSES)
    tab = tmp_path / "tabs"
    tab.mkdir()
    obsqa = Path(sysconfig.get_path("scripts")) / "obsqa"
    settings = {**place.environ, "OBSQA_REGRESSION_DATA": f"{tmp_path}/regression_data", "OBSQA_CACHE": f"{tmp_path}/c"}
    line = " ".join([*(f"{name}={value}" for name, value in settings.items()), str(obsqa), *NIGHT])
    (tab / "root").write_text(f"* * * * * {line} --runs {tmp_path}/runs\n")
    (tab / "root").chmod(0o600)
    daemon = subprocess.Popen(
        [str(busybox), "crond", "-f", "-c", str(tab), "-L", str(tmp_path / "crond.log")],
        env={"PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
    )
    try:
        _until(lambda: any((one / "report" / "index.html").is_file() for one in runs_under(tmp_path / "runs")))
    finally:
        daemon.terminate()
        daemon.wait(PATIENCE)
    _until(lambda: (tmp_path / "runs" / LOCK).read_text() == "")
    assert read_record(runs_under(tmp_path / "runs")[0]).plan.trigger.kind == "cron"
