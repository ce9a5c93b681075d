"""The verb `baseline`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ci.cli import run
from qa.journal import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NIGHTS = ("20260301T000000Z", "20260302T000000Z")


def accepted(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, object]]:
    """Return what `baseline show --json` says."""
    assert run(["baseline", "show", "--json", *options]) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_a_first_accept_makes_the_baselines(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every camera of the run, values and absences, under git's identity."""
    assert run(["baseline", "accept", NIGHTS[0], "--why", "the first night"]) == 0
    out = capsys.readouterr().out
    assert "accept  hsc/twin  A. Person <a@example.org>: the first night" in out
    assert "PA1 r t0                         nothing -> 4 mmag" in out
    assert "AM3 r t0                         nothing -> absent" in out
    assert len(accepted(capsys)) == 3
    assert (place / "regression_data" / "ledger.yaml").is_file()


@pytest.mark.usefixtures("place")
def test_latest_camera_and_metric_narrow_it_down(capsys: pytest.CaptureFixture[str]) -> None:
    """Only what is named moves."""
    assert run(["baseline", "accept", "latest", "--camera", "hsc", "--metric", "PA1", "--why", "x"]) == 0
    capsys.readouterr()
    (one,) = accepted(capsys)
    assert (one["metric"], one["value"], one["run"]) == ("PA1", 4.8, NIGHTS[1])


def test_a_run_may_be_given_as_a_path(place: Path) -> None:
    """A run directory from elsewhere is as good."""
    assert run(["baseline", "accept", str(place / "runs" / NIGHTS[0]), "--why", "x"]) == 0


def test_below_the_minimum_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what, how far and what to do; nothing is written; a waiver lets it pass."""
    assert run(["baseline", "accept", NIGHTS[1], "--why", "x"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "PA1 of decam/twin/r/t0: PA1 is 30 mmag" in err
    assert "--waiver" in err
    assert not (place / "regression_data").exists()
    assert run(["baseline", "accept", NIGHTS[1], "--why", "x", "--waiver", "bad flats"]) == 0


@pytest.mark.usefixtures("place")
def test_undo_is_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    """And the ledger shows both."""
    run(
        [
            "baseline",
            "accept",
            NIGHTS[0],
            "--camera",
            "hsc",
            "--why",
            "x",
            "--ticket",
            "DM-1",
            "--expires",
            "2099-06-01",
        ]
    )
    assert run(["baseline", "undo", "--why", "by mistake"]) == 0
    capsys.readouterr()
    assert accepted(capsys) == []
    assert run(["baseline", "show", "--ledger"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert ["accept" in lines[0], "undo of" in lines[1], "by mistake" in lines[1]] == [True, True, True]


@pytest.mark.usefixtures("place")
def test_the_ledger_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    """With ticket, expiry and moves."""
    run(
        [
            "baseline",
            "accept",
            NIGHTS[0],
            "--camera",
            "hsc",
            "--why",
            "x",
            "--ticket",
            "DM-1",
            "--expires",
            "2099-06-01",
        ]
    )
    capsys.readouterr()
    assert run(["baseline", "show", "--ledger", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["decision"]["ticket"], entry["decision"]["expires"]) == ("DM-1", "2099-06-01")


@pytest.mark.usefixtures("place")
def test_show_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Value, error, spread and run, or why it is absent; a hint when there is nothing."""
    assert run(["baseline", "show"]) == 0
    assert "no baselines; accept" in capsys.readouterr().out
    run(["baseline", "accept", NIGHTS[0], "--camera", "hsc", "--why", "x"])
    capsys.readouterr()
    assert run(["baseline", "show", "--metric", "PA1"]) == 0
    assert f"4 +- 0.1 mmag  (spread 0.01 mmag, run {NIGHTS[0]})" in capsys.readouterr().out
    assert run(["baseline", "show", "--camera", "hsc"]) == 0
    assert "accepted as not measurable: too few pairs" in capsys.readouterr().out


@pytest.mark.usefixtures("place")
def test_accepting_the_same_again_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """And says so."""
    run(["baseline", "accept", NIGHTS[0], "--why", "x"])
    capsys.readouterr()
    assert run(["baseline", "accept", NIGHTS[0], "--why", "x"]) == 0
    assert capsys.readouterr().out == "nothing to change\n"


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["latest", "--why", " "], "--why must give a reason"),
        (["nosuch", "--why", "x"], "nosuch"),
        (["latest", "--why", "x", "--camera", "lsst"], "'lsst'; known: decam, hsc"),
        (["latest", "--why", "x", "--metric", "PX9"], "'PX9'; known: AM3, PA1"),
        (["latest"], "Missing option '--why'"),
    ],
)
def test_wrong_requests(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and a line that says what is wrong."""
    assert run(["baseline", "accept", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_run_without_measurements(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to accept."""
    (place / "runs" / "20260303T000000Z").mkdir()
    (place / "runs" / "20260303T000000Z" / FILE_NAME).touch()
    assert run(["baseline", "accept", "latest", "--why", "x"]) == 2
    assert "found no measurements.json" in capsys.readouterr().err


def test_without_an_identity_the_option_is_named(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A ledger without a name is none; --who gives it."""
    monkeypatch.setenv("PATH", str(place))
    assert run(["baseline", "accept", NIGHTS[0], "--why", "x"]) == 2
    assert "give --who" in capsys.readouterr().err
    assert run(["baseline", "accept", NIGHTS[0], "--why", "x", "--who", "B. Person <b@example.org>"]) == 0
    assert "B. Person <b@example.org>: x" in capsys.readouterr().out


@pytest.mark.usefixtures("place")
def test_a_preview_writes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It needs no reason, and shows old and new, spreads, level and margin, and what they come to."""
    run(["baseline", "accept", NIGHTS[0], "--why", "x"])
    before = (place / "regression_data" / "ledger.yaml").read_bytes()
    capsys.readouterr()
    assert run(["baseline", "accept", NIGHTS[1], "--camera", "h*", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "would accept  hsc/twin",
        f"  {'PA1 r t0':32} 4 mmag -> 4.8 mmag  +80 spreads  design  spends 0.8 of margin (20% of what was left)",
        "1 baseline: 1 worse, 1 spending requirement margin",
    ]
    assert (place / "regression_data" / "ledger.yaml").read_bytes() == before


@pytest.mark.usefixtures("place")
def test_a_preview_shows_what_would_be_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole table first, then the refusal; with a waiver there is none."""
    assert run(["baseline", "accept", NIGHTS[1], "--dry-run"]) == 2
    shown = capsys.readouterr()
    assert "below minimum: needs --waiver" in shown.out
    assert "4.8 mmag" in shown.out
    assert "1 would not" in shown.err
    assert run(["baseline", "accept", NIGHTS[1], "--dry-run", "--waiver", "x", "--json"]) == 0
    decam, hsc = json.loads(capsys.readouterr().out)
    assert [one["refused"] for one in decam["moves"]] == [True]
    assert [one["camera"] for one in (decam, hsc)] == ["decam", "hsc"]


@pytest.mark.usefixtures("place")
def test_a_preview_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Says so."""
    run(["baseline", "accept", NIGHTS[0], "--why", "x"])
    capsys.readouterr()
    assert run(["baseline", "accept", NIGHTS[0], "--dry-run"]) == 0
    assert capsys.readouterr().out == "nothing to change\n"


@pytest.mark.usefixtures("place")
def test_the_members_of_an_incident_are_accepted(
    journaled: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """By the beginning of its name, in all its cameras; the journal's results count."""
    run(["baseline", "accept", NIGHTS[0], "--why", "x"])
    values = {"hsc": {"PA1": 5.0, "PA2": 6.0}, "decam": {"PA1": 5.0, "PA2": 6.0}}
    journaled("20260303T000000Z", values, incidents={"3fa1": ("PA1",), "3fb2": ("PA2",)})
    capsys.readouterr()
    assert run(["baseline", "accept", "latest", "--cause", "3fa", "--why", "wanted"]) == 0
    capsys.readouterr()
    assert {(one["metric"], one["value"]) for one in accepted(capsys) if "value" in one} == {("PA1", 5.0)}
    known = "known: 3fa1 (algorithm), 3fb2 (algorithm)"
    for cause, kind in (("3f", "single incident"), ("feed", "incident")):
        assert run(["baseline", "accept", "latest", "--cause", cause, "--why", "wanted"]) == 2
        assert f"no {kind} of this run is called '{cause}'; {known}" in capsys.readouterr().err
    assert run(["baseline", "accept", "latest", "--cause", "algorithm", "--dry-run"]) == 0
    assert "PA2 r t0" in capsys.readouterr().out


@pytest.mark.usefixtures("place")
def test_a_run_without_a_journal_has_no_incidents(capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to pick."""
    assert run(["baseline", "accept", NIGHTS[0], "--cause", "feed", "--why", "x"]) == 2
    assert "known: none" in capsys.readouterr().err


def test_a_faulty_file_of_another_camera_does_not_matter(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And that of the camera concerned does: nobody knows what it answers to."""
    folder = place / "cameras"
    folder.mkdir()
    (folder / "another.yaml").write_text("nonsense")
    (folder / "newcam.yaml").write_text("nonsense")
    assert run(["baseline", "accept", NIGHTS[0], "--registry", str(folder), "--why", "x"]) == 0
    (place / "runs" / NIGHTS[0] / "hsc").rename(place / "runs" / NIGHTS[0] / "newcam")
    path = place / "runs" / NIGHTS[0] / "newcam" / "twin" / "measurements.json"
    path.write_text(path.read_text().replace('"hsc"', '"newcam"'))
    capsys.readouterr()
    assert run(["baseline", "accept", NIGHTS[0], "--registry", str(folder), "--why", "x"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("obsqa: newcam: its file must be without fault to accept its results, found ")
    assert err.count("\n") == 1


@pytest.mark.usefixtures("place")
def test_options_that_are_in_the_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    """Ticket, waiver, day and new reference are on the entry's line."""
    options = ["--ticket", "DM-1", "--waiver", "bad sky", "--expires", "2099-01-01", "--new-reference"]
    assert run(["baseline", "accept", NIGHTS[0], "--camera", "hsc", "--why", "x", *options]) == 0
    out = capsys.readouterr().out
    assert "x; ticket DM-1; until 2099-01-01; waiver: bad sky; the new reference\n" in out
    assert out.endswith("2 baselines: 2 new\n")


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--expires", "2020-01-01"], "--expires must not be before today"),
        (["--ticket", " "], "--ticket must give something, got an empty text"),
        (["--waiver", ""], "--waiver must give something, got an empty text"),
        (["--who", ""], "--who must give something, got an empty text"),
        (["--metric", "PX*"], "no metric of this run is called 'PX*'"),
    ],
)
def test_options_that_say_nothing(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Are refused in one line."""
    assert run(["baseline", "accept", NIGHTS[0], "--why", "x", *options]) == 2
    assert message in capsys.readouterr().err
