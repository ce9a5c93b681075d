"""A night survives what machines do to it: the numbers are those of a whole night, and each fault is one clear line."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ci.testing.home import PATIENCE, Place, measured
from qa.journal import FILE_NAME, read_entries, read_record
from qa.model import Stage, StepStatus
from qa.record import StepFinished

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.pipeline
NIGHT = ("nightly", "--quick", "--camera", "latiss", "--jobs", "2")
KILLS = int(os.environ.get("OBSQA_KILLS", "20"))
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Let nights be interrupted also where this suite runs in the background, which shells make deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a place where one whole night has run and its values were accepted."""
    here = Place.without_baselines(tmp_path_factory.mktemp("faults"))
    assert here.run(*NIGHT)[0] in {0, 1}
    assert here.run("baseline", "accept", "latest", "--why", "first night", "--waiver", "a tiny data set")[0] == 0
    return here


def _done_twice(run: Path) -> list[str]:
    """Return the steps that a run finished more than once."""
    ends = (entry.body for entry in read_entries(run / FILE_NAME))
    counts = Counter(
        one.outcome.step.key for one in ends if isinstance(one, StepFinished) and one.outcome.status is StepStatus.DONE
    )
    return [str(key) for key, count in counts.items() if count > 1]


def _is_whole(place: Place, run: Path) -> None:
    """Insist that a run measured what the whole night did, and did no step twice."""
    assert measured(run) == measured(place.runs[0])
    assert _done_twice(run) == []


def _wait_for(place: Place, before: int, stage: Stage, text: str = "") -> Path:
    """Wait until a new run is in the midst of a stage, and return it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for run in place.runs[before:]:
            log = run / "latiss" / "twin-quick" / "logs" / f"{stage}.log"
            if log.is_file() and text in log.read_text():
                return run
        time.sleep(0.02)
    pytest.fail(f"the night never came to {stage}")


def _killed_somewhere(place: Place, longest: float, rng: random.Random) -> float:
    """Begin a night and kill it at a random moment before its end; return the moment in seconds."""
    while True:
        process = place.start(*NIGHT, "--new")
        moment = rng.uniform(0.5, longest)
        try:
            process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return moment


def test_kill_9_at_random_moments_costs_nothing(place: Place) -> None:
    """Killed at 20 random moments and taken up again, all 20 nights measure the same bits and do no step twice."""
    rng = random.Random(20)  # noqa: S311 - moments, not secrets
    began = time.monotonic()
    assert place.run(*NIGHT, "--new")[0] == 0
    longest = time.monotonic() - began
    whole = 0
    for number in range(KILLS):
        before = len(place.runs)
        moment = _killed_somewhere(place, longest, rng)
        code, _, err = place.run(*NIGHT)
        run = place.runs[-1]
        print(f"{number + 1}: killed after {moment:.1f} s of {longest:.1f}, {len(place.runs) - before} runs")  # noqa: T201
        assert code == 0, err
        _is_whole(place, run)
        whole += 1
        for old in place.runs[2:-1]:
            shutil.rmtree(old)
    assert whole == KILLS


def _children(pid: int) -> list[int]:
    """Return the children of a process, whichever of its threads began them."""
    with contextlib.suppress(OSError):
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
        return [int(one) for text in lists for one in text.split()]
    return []


def _busy_leaf(pid: int) -> int | None:
    """Return the descendant without children that has used most CPU: a worker in the midst of its work."""
    leaves, rest = [], [pid]
    while rest:
        one = rest.pop()
        below = _children(one)
        rest += below
        with contextlib.suppress(OSError):
            used = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()[11]
            leaves += [(int(used), one)] if not below and one != pid else []
    return max(leaves)[1] if leaves else None


def test_a_killed_worker_costs_only_its_quantum(place: Place) -> None:
    """A worker killed in the midst of the processing, as by a machine short of memory: its quantum is done again."""
    before = len(place.runs)
    process = place.start(*NIGHT, "--new")
    _wait_for(place, before, Stage.PROCESS, "Executed 2 quanta")
    worker = _busy_leaf(process.pid)
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert measured(place.runs[-1]) == measured(place.runs[0])


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_an_aborted_build_leaves_a_report_of_what_there_is(place: Place, signum: int) -> None:
    """As a CI server ends its jobs: exit code 130, a report that says incomplete, and the next night goes on."""
    before = len(place.runs)
    process = place.start(*NIGHT, "--new")
    run = _wait_for(place, before, Stage.PROCESS, "Executed 2 quanta")
    process.send_signal(signum)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err.strip().splitlines()[-1] == "obsqa: interrupted; what was finished is kept"
    assert f"report of what there is: {run / 'report' / 'index.html'}" in err
    assert "incomplete" in (run / "report" / "index.html").read_text().lower()
    assert (run / "report" / "junit.xml").is_file()
    assert read_record(run).finished is None
    assert place.run(*NIGHT)[0] == 0
    _is_whole(place, run)


def test_of_two_nights_at_once_one_says_so(place: Place) -> None:
    """The second is told that the first is at work, and harms it in no way."""
    before = len(place.runs)
    first = place.start(*NIGHT, "--new")
    _wait_for(place, before, Stage.PROCESS)
    code, _, err = place.run(*NIGHT)
    assert code == 3
    assert "another obsqa is working on this run; wait for it or end it" in err
    assert "Traceback" not in err
    _, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, err
    assert len(place.runs) == before + 1
    _is_whole(place, place.runs[-1])


def test_two_nights_at_once_that_both_want_to_be_new_are_both_whole(place: Place) -> None:
    """They share the cache and the history, and each has a run of its own."""
    before = len(place.runs)
    nights = [place.start(*NIGHT, "--new") for _ in range(2)]
    for night in nights:
        _, err = night.communicate(timeout=PATIENCE)
        assert night.returncode == 0, err
    assert len(place.runs) == before + 2
    for run in place.runs[before:]:
        _is_whole(place, run)


def test_a_damaged_cache_is_drawn_again(place: Place) -> None:
    """A byte that the disk turned in a cached exposure is found by its hash; the exposure is drawn anew, not used."""
    raw = max((place.folder / "cache").rglob("*.fits*"), key=lambda path: path.stat().st_size)
    whole = raw.read_bytes()
    middle = len(whole) // 2
    raw.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    code, _, err = place.run(*NIGHT, "--new")
    assert code == 0, err
    assert raw.read_bytes() == whole
    _is_whole(place, place.runs[-1])


def test_a_journal_cut_in_mid_line_is_continued(place: Place) -> None:
    """The torn line of a machine that lost its power is dropped, and with it at most one step."""
    before = len(place.runs)
    process = place.start(*NIGHT, "--new")
    run = _wait_for(place, before, Stage.PROCESS)
    process.kill()
    process.communicate()
    journal = run / FILE_NAME
    journal.write_bytes(journal.read_bytes()[:-17])
    code, _, err = place.run(*NIGHT)
    assert code == 0, err
    assert place.runs[-1] == run
    assert measured(run) == measured(place.runs[0])


def test_a_damaged_history_costs_a_line_and_not_the_night(place: Place) -> None:
    """The database can be lost, or be no database any more: the night is judged and reported all the same."""
    database = place.folder / "runs" / "history.sqlite"
    kept = database.read_bytes()
    for name in ("history.sqlite-wal", "history.sqlite-shm"):
        (place.folder / "runs" / name).unlink(missing_ok=True)
    database.write_bytes(b"no database\n" * 1000)
    code, _, err = place.run(*NIGHT, "--new")
    assert code in {0, 1}, err
    assert "warning: " in err
    assert "Traceback" not in err
    _is_whole(place, place.runs[-1])
    for name in ("history.sqlite-wal", "history.sqlite-shm"):
        (place.folder / "runs" / name).unlink(missing_ok=True)
    database.write_bytes(kept)


def test_a_clock_set_back_loses_nothing(place: Place) -> None:
    """A night that is older than the last one by the clock is judged and reported; the numbers are the same."""
    if not FAKETIME.is_file():
        pytest.skip("libfaketime is not installed")
    clock = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "-3d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    known = set(place.runs)
    code, _, err = replace(place, environ=clock).run(*NIGHT, "--new")
    assert code in {0, 1}, err
    assert "Traceback" not in err
    (run,) = set(place.runs) - known
    _is_whole(place, run)
    code, _, err = place.run(*NIGHT, "--new")
    assert code == 0, err
    shutil.rmtree(run)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of 24 MiB, or skip."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_said_and_the_night_goes_on_when_there_is_room(place: Place, small_disk: Path) -> None:
    """It names the disk, nothing finished is lost, and with room the next night ends the work."""
    environ = {"OBSQA_RUNS": str(small_disk)}
    here = replace(place, environ=environ)
    code, _, err = here.run(*NIGHT)
    assert code in {3, 4}, err
    assert "disk full" in err.lower() or "no space" in err.lower()
    assert "Traceback" not in err
    subprocess.run(["mount", "-o", "remount,size=900m", small_disk], check=True)
    code, _, err = here.run(*NIGHT)
    assert code in {0, 1}, err
    newest = max(path.parent for path in small_disk.glob(f"*/{FILE_NAME}"))
    assert measured(newest) == measured(place.runs[0])


def test_servers_that_are_gone_cost_a_line_each(place: Place) -> None:
    """No database, no object store: the night is whole, warns of each, and no password is seen anywhere."""
    secret = "pl4nted-s3cret"  # noqa: S105 - planted to be looked for
    environ = {
        "OBSQA_STORE": f"postgresql://qa:{secret}@127.0.0.1:9/none",
        "OBSQA_ARTIFACTS": "s3://nowhere/reports",
        "S3_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": secret,
    }
    code, out, err = replace(place, environ=environ).run(*NIGHT, "--new")
    assert code == 0, err
    assert err.count("warning: ") >= 2
    assert "Traceback" not in err
    assert secret not in out + err
    run = place.runs[-1]
    _is_whole(place, run)
    texts = (path.read_bytes() for path in run.rglob("*") if path.is_file() and path.stat().st_size < 10**7)
    assert not any(secret.encode() in text for text in texts)
