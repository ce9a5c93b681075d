"""What a decision rests on: who makes it, and the rules that results answer to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from ci.decisions import decision, processors, rules
from ci.settings import Settings
from qa import baselines
from qa.baselines.noise import Spread
from qa.errors import RequestError
from qa.journal import FILE_NAME, Journal, read_record
from qa.model import Lane, Plan, Trigger
from qa.record import RunStarted
from qa.requirements import load
from qa.requirements.waivers import Waiver
from qa.testing import a_measurement

if TYPE_CHECKING:
    from pathlib import Path

    from qa.record import RunRecord

WHO = "A. Person <a@example.org>"
CAMERA = """\
schema: 1
name: testcam
title: Test camera
package: {name: obs_testcam, repository: "https://example.org/obs_testcam"}
instrument:
  name: TESTCAM
  detectors: 4
  detector_size: [2048, 4096]
  pixel_um: 10.0
  plate_scale: 20.0
  pixel_scale: 0.2
  filters: {r_1: r}
requirements:
  waivers:
  - {metric: PA1, reason: bad sky, expires: 2099-01-01}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the folders of a world with one camera of its own."""
    (tmp_path / "cameras").mkdir()
    (tmp_path / "cameras" / "testcam.yaml").write_text(CAMERA)
    return Settings(tmp_path / "runs", tmp_path, tmp_path / "regression_data", (tmp_path / "cameras",))


def a_run(settings: Settings, name: str, cpu: str) -> RunRecord:
    """Write the start of a run on a processor."""
    when = datetime(2026, 3, 1, tzinfo=UTC)
    folder = settings.runs / name
    with Journal(folder / FILE_NAME, lambda: when) as journal:
        plan = Plan(name, Lane.NIGHTLY, Trigger(), when, ())
        journal.append(RunStarted(plan, {"machine": "x86_64", "cpu": cpu}))
    return read_record(folder)


def test_a_decision_is_of_now() -> None:
    """To the second, in UTC, by the one who is named."""
    made = decision(WHO, "x", ticket="DM-1", expires=date(2099, 1, 1), reference=True)
    assert (made.who, made.why, made.ticket, made.expires, made.reference) == (WHO, "x", "DM-1", date(2099, 1, 1), True)
    assert made.when.tzinfo is UTC
    assert made.when.microsecond == 0
    assert decision(WHO, "x").reference is None


@pytest.mark.parametrize("text", ["", " "])
def test_a_decision_says_something(text: str) -> None:
    """Or is none."""
    with pytest.raises(RequestError, match="--why must give a reason"):
        decision(WHO, text)


def test_the_rules_of_a_camera_are_those_of_its_file(settings: Settings) -> None:
    """Profile and waivers."""
    made = rules(settings, [a_measurement(camera="testcam")])
    assert made.waivers["testcam"] == (Waiver("PA1", "bad sky", date(2099, 1, 1)),)
    assert made.requirements["testcam"].ladder("PA1", "r") == load().ladder("PA1", "r")
    assert made.keep_spreads


def test_a_camera_that_left_the_registry_answers_to_the_default(settings: Settings) -> None:
    """And has no waivers."""
    made = rules(settings, [a_measurement(camera="goneaway")], keep_spreads=False)
    assert made.requirements["goneaway"].ladder("PA1", "r") == load().ladder("PA1", "r")
    assert made.waivers == {}
    assert not made.keep_spreads


def test_a_learned_spread_holds_on_the_processor_it_was_accepted_on(settings: Settings) -> None:
    """Runs on another one, and those nobody knows, are not of the same."""
    one = a_measurement(camera="testcam")
    first, other = a_run(settings, "first", "fast"), a_run(settings, "other", "slow")
    made = rules(settings, [one], record=first)
    root = settings.regression_data
    baselines.accept(root, [one], run="first", decision=decision(WHO, "x"), rules=made)
    assert rules(settings, [one], record=first).same_processor == frozenset()
    spread = Spread(one.metric, one.scope, one.unit, 0.0, 3)
    baselines.learn(root, [spread], decision=decision(WHO, "x"))
    assert rules(settings, [one], record=first).same_processor == {"first"}
    assert rules(settings, [one], record=other).same_processor == frozenset()
    assert rules(settings, [one]).same_processor == frozenset()
    elsewhere = replace(settings, runs=settings.runs / "elsewhere")
    assert rules(elsewhere, [one], record=first).same_processor == {"first"}
    assert rules(elsewhere, [one], record=other).same_processor == frozenset()


def test_a_baseline_that_says_nothing_of_its_processor_needs_the_folder_of_its_run(settings: Settings) -> None:
    """As those do that were accepted before there was such a thing; learning their spread anew makes up for that."""
    one = a_measurement(camera="testcam")
    first = a_run(settings, "first", "fast")
    root, elsewhere = settings.regression_data, replace(settings, runs=settings.runs / "elsewhere")
    silent = replace(rules(settings, [one], record=first), processor="")
    baselines.accept(root, [one], run="first", decision=decision(WHO, "x"), rules=silent)
    spread = Spread(one.metric, one.scope, one.unit, 0.0, 3)
    baselines.learn(root, [spread], decision=decision(WHO, "x"))
    assert rules(settings, [one], record=first).same_processor == {"first"}
    assert rules(elsewhere, [one], record=first).same_processor == frozenset()
    known = processors(settings, [])
    assert known == {"first": "x86_64, fast"}
    (made,) = baselines.learn(root, [spread], decision=decision(WHO, "x"), processors=known)
    assert rules(elsewhere, [one], record=first).same_processor == {"first"}
    baselines.undo(root, decision=decision(WHO, "x"), entry_id=made.id)
    assert rules(elsewhere, [one], record=first).same_processor == frozenset()


def test_of_runs_that_are_gone_or_damaged_the_processor_is_not_known(settings: Settings) -> None:
    """Of those at hand it is, and a run that does not tell all of it tells nothing."""
    one = a_measurement(camera="testcam")
    made = replace(rules(settings, [one]), processor="")
    baselines.accept(settings.regression_data, [one], run="gone", decision=decision(WHO, "x"), rules=made)
    first = a_run(settings, "first", "fast")
    assert processors(settings, [first, a_run(settings, "mute", "")]) == {
        "gone": "",
        "first": "x86_64, fast",
        "mute": "",
    }
    (settings.runs / "gone").mkdir()
    (settings.runs / "gone" / FILE_NAME).write_text("nonsense\n{}\n")
    assert processors(settings, []) == {"gone": ""}
