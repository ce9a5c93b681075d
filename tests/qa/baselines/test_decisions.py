"""Baselines move only by decision: acceptance, the ledger, and undoing."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa import baselines
from qa.baselines import BelowMinimumError, CannotUndoError, Choice, DisagreementError
from qa.baselines.acceptance import Rules, Selection
from qa.baselines.ledger import Absent, Decision, Entry, Value
from qa.baselines.noise import Spread
from qa.errors import DocumentError, UnknownNameError
from qa.metrics import catalogue
from qa.model import Baseline, Measurement, Result, Scope, Unmeasured
from qa.requirements import load
from qa.requirements.waivers import Waiver

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SCOPE = Scope("hsc", "twin", "r", 0)
RULES = Rules(definitions=catalogue(), requirements={"hsc": load(), "decam": load()})
DECISION = Decision(who="A. Person <a@example.org>", when=datetime(2026, 3, 1, tzinfo=UTC), why="first: 50% better")
WAIVED = DECISION.model_copy(update={"waiver": "the sky is that bad", "expires": date(2026, 6, 1)})
REASON = "half a degree has no pairs at 200 arcmin"


def a_result(value: float | None, metric: str = "PA1", *, band: str = "r", camera: str = "hsc") -> Result:
    """Measure a value, or say why there is none."""
    scope = Scope(camera, "twin", band, 0)
    if value is None:
        return Unmeasured(metric, scope, REASON)
    return Measurement(metric, scope, value, catalogue()[metric].unit, 100, 0.1)


def accept(
    root: Path,
    results: Sequence[Result],
    *,
    metrics: Sequence[str] = (),
    decision: Decision = DECISION,
    run: str = "20260301T000000Z",
    rules: Rules = RULES,
    selection: Selection | None = None,
) -> tuple[Entry, ...]:
    """Accept results of any camera under LPM-17."""
    return baselines.accept(
        root,
        results,
        run=run,
        decision=decision,
        rules=rules,
        selection=selection or Selection(tuple(metrics)),
    )


def contents(root: Path) -> str:
    """Return the text of the baselines of the twin of HSC."""
    return baselines.path_of(root, "hsc", "twin").read_text()


def test_what_is_accepted_is_loaded_again(tmp_path: Path) -> None:
    """A value keeps every bit, with error, assumed spread and run; an absence keeps its reason."""
    accept(tmp_path, [a_result(4.1 / 3), a_result(None, "AM3")])
    value = Baseline("PA1", SCOPE, 4.1 / 3, "mmag", 0.1, 0.01, "20260301T000000Z")
    absent = Unmeasured("AM3", SCOPE, REASON)
    assert baselines.load(tmp_path, "hsc", "twin") == {("PA1", SCOPE): value, ("AM3", SCOPE): absent}


def test_without_a_file_nothing_is_accepted(tmp_path: Path) -> None:
    """The first night has no baselines and no ledger."""
    assert baselines.load(tmp_path, "hsc", "twin") == {}
    assert baselines.load_all(tmp_path) == {}
    assert baselines.ledger(tmp_path) == ()


def test_one_metric_a_line_sorted(tmp_path: Path) -> None:
    """Each accepted metric and scope is one line of valid JSON, in the order of metric and band."""
    accept(tmp_path, [a_result(4.0), a_result(1.0, "PF1"), a_result(4.5, band="i"), a_result(None, "AM3")])
    lines = [line.rstrip(",") for line in contents(tmp_path).splitlines() if '"metric"' in line]
    assert [(line["metric"], line["band"]) for line in map(json.loads, lines)] == [
        ("AM3", "r"),
        ("PA1", "i"),
        ("PA1", "r"),
        ("PF1", "r"),
    ]
    assert json.loads(contents(tmp_path))["schema"] == 1


def test_a_change_of_one_metric_changes_one_line(tmp_path: Path) -> None:
    """The difference that a reviewer sees is the metric's line alone."""
    accept(tmp_path, [a_result(4.0), a_result(1.0, "PF1")])
    before = contents(tmp_path).splitlines()
    accept(tmp_path, [a_result(4.5), a_result(1.0, "PF1")])
    after = contents(tmp_path).splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    assert '"PA1"' in changed[0]


def test_the_ledger_says_who_why_and_what(tmp_path: Path) -> None:
    """An entry holds the decision and, for each baseline, old, new, sigma, level and margin spent."""
    accept(tmp_path, [a_result(4.0)])
    decision = DECISION.model_copy(update={"ticket": "DM-1", "expires": date(2026, 6, 1)})
    (entry,) = accept(tmp_path, [a_result(5.0)], decision=decision)
    assert baselines.ledger(tmp_path)[-1] == entry
    (move,) = entry.moves
    assert isinstance(move.old, Value)
    assert isinstance(move.new, Value)
    assert (entry.decision, move.old.value, move.new.value) == (decision, 4.0, 5.0)
    assert (move.sigma, move.level, move.margin_left, move.margin_spent) == (100.0, "design", 3.0, 1.0)


def test_the_ledger_is_appended_to(tmp_path: Path) -> None:
    """What was written stays as it is, one line for each baseline moved."""
    accept(tmp_path, [a_result(4.0), a_result(None, "AM3")])
    before = (tmp_path / "ledger.yaml").read_text()
    accept(tmp_path, [a_result(5.0)])
    after = (tmp_path / "ledger.yaml").read_text()
    assert after.startswith(before)
    assert sum("metric: " in line for line in after.splitlines()) == 3


def test_steady_results_keep_their_baseline(tmp_path: Path) -> None:
    """Accepting night after night does not let a baseline creep."""
    accept(tmp_path, [a_result(4.0)])
    assert accept(tmp_path, [a_result(4.02)]) == ()
    assert len(baselines.ledger(tmp_path)) == 1


def test_a_named_metric_is_moved_even_when_steady(tmp_path: Path) -> None:
    """Naming is asking."""
    accept(tmp_path, [a_result(4.0), a_result(1.0, "PF1")])
    (entry,) = accept(tmp_path, [a_result(4.02), a_result(1.5, "PF1")], metrics=["PA1"])
    assert [move.place.metric for move in entry.moves] == ["PA1"]


def test_a_lost_metric_keeps_its_baseline_unless_named(tmp_path: Path) -> None:
    """An absence is not accepted in passing."""
    accept(tmp_path, [a_result(4.0)])
    assert accept(tmp_path, [a_result(None)]) == ()
    (entry,) = accept(tmp_path, [a_result(None)], metrics=["PA1"])
    assert entry.moves[0].new == Absent(absent=REASON)


def test_a_metric_that_is_gone_can_be_accepted_as_absent(tmp_path: Path) -> None:
    """A baseline of which a run says nothing becomes an absence when it is named."""
    accept(tmp_path, [a_result(4.0), a_result(1.0, "PF1")])
    (entry,) = accept(tmp_path, [a_result(4.0)], metrics=["PF1"])
    assert entry.moves[0].new == Absent(absent="nothing was reported")


def test_below_the_minimum_needs_a_waiver(tmp_path: Path) -> None:
    """The refusal says how far, and nothing of the run is written."""
    results = [a_result(4.0), a_result(30.0, "PF1", camera="decam")]
    with pytest.raises(BelowMinimumError, match=r"PF1 of decam/twin/r/t0: .*misses minimum \(at most 20 %.*--waiver"):
        accept(tmp_path, results)
    assert not list(tmp_path.iterdir())
    assert len(accept(tmp_path, results, decision=WAIVED)) == 2
    assert baselines.ledger(tmp_path)[0].decision.waiver == "the sky is that bad"


def test_a_known_deficit_may_shrink_without_a_waiver_and_not_grow(tmp_path: Path) -> None:
    """Better is no breach, worse is one more."""
    accept(tmp_path, [a_result(10.0)], decision=WAIVED)
    accept(tmp_path, [a_result(9.0)])
    with pytest.raises(BelowMinimumError):
        accept(tmp_path, [a_result(9.5)])


def test_an_unknown_metric_is_refused(tmp_path: Path) -> None:
    """The line names the metrics there are."""
    with pytest.raises(UnknownNameError, match="'PX9'; known: PA1"):
        accept(tmp_path, [a_result(4.0)], metrics=["PX9"])


def test_undo_restores_what_was(tmp_path: Path) -> None:
    """Every byte of the baselines comes back, and the ledger keeps both entries."""
    accept(tmp_path, [a_result(4.0), a_result(None, "AM3")])
    before = contents(tmp_path)
    (entry,) = accept(tmp_path, [a_result(5.0), a_result(2.0, "PF1")])
    undone = baselines.undo(tmp_path, decision=DECISION)
    assert contents(tmp_path) == before
    assert (undone.action, undone.undoes) == ("undo", entry.id)
    assert len(baselines.ledger(tmp_path)) == 3


def test_undo_goes_back_entry_by_entry(tmp_path: Path) -> None:
    """Until nothing is left to undo."""
    for value in (4.0, 4.5, 5.0):
        accept(tmp_path, [a_result(value)])
    for _ in range(3):
        baselines.undo(tmp_path, decision=DECISION)
    assert baselines.load(tmp_path, "hsc", "twin") == {}
    with pytest.raises(CannotUndoError, match="found none"):
        baselines.undo(tmp_path, decision=DECISION)


def test_an_entry_is_undone_once(tmp_path: Path) -> None:
    """A second time is refused, also by name."""
    (entry,) = accept(tmp_path, [a_result(4.0)])
    baselines.undo(tmp_path, decision=DECISION, entry_id=entry.id)
    with pytest.raises(CannotUndoError, match="must not be undone already"):
        baselines.undo(tmp_path, decision=DECISION, entry_id=entry.id)


def test_an_entry_moved_on_since_is_not_undone(tmp_path: Path) -> None:
    """Undoing the older of two changes of one metric would lose the newer."""
    (entry,) = accept(tmp_path, [a_result(4.0)])
    accept(tmp_path, [a_result(5.0)])
    with pytest.raises(CannotUndoError, match=r"PA1 r t0 .* was moved again since"):
        baselines.undo(tmp_path, decision=DECISION, entry_id=entry.id)


def test_an_unknown_entry_is_named(tmp_path: Path) -> None:
    """With those that can be undone."""
    (entry,) = accept(tmp_path, [a_result(4.0)])
    with pytest.raises(UnknownNameError, match=entry.id):
        baselines.undo(tmp_path, decision=DECISION, entry_id="feedbeef")


def test_a_decision_made_again_has_a_new_name(tmp_path: Path) -> None:
    """Accepting, undoing and accepting the same gives three entries of different names."""
    accept(tmp_path, [a_result(4.0)])
    baselines.undo(tmp_path, decision=DECISION)
    accept(tmp_path, [a_result(4.0)])
    assert len({entry.id for entry in baselines.ledger(tmp_path)}) == 3


VALUES = st.one_of(st.none(), st.floats(0, 8))


@settings(deadline=None, max_examples=30)  # each example writes and syncs six files
@given(
    first=st.dictionaries(st.sampled_from(["PA1", "PA2", "PF1"]), VALUES, min_size=1),
    second=st.dictionaries(st.sampled_from(["PA1", "PA2", "PF1"]), VALUES, min_size=1),
)
def test_accept_and_undo_is_a_round_trip(
    tmp_path_factory: pytest.TempPathFactory, first: dict[str, float | None], second: dict[str, float | None]
) -> None:
    """Whatever was accepted before and after, undoing gives back what was, and the ledger reads back as written."""
    root = tmp_path_factory.mktemp("regression_data")
    made = accept(root, [a_result(value, metric) for metric, value in first.items()])
    before = baselines.load(root, "hsc", "twin")
    assert set(before) == {(metric, SCOPE) for metric in first}
    later = accept(root, [a_result(value, metric) for metric, value in second.items()], metrics=list(second))
    undone = [baselines.undo(root, decision=DECISION) for _ in later]  # there is none where nothing changed
    assert baselines.load(root, "hsc", "twin") == before
    assert baselines.ledger(root) == (*made, *later, *undone)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('"schema": 1', '"schema": 2', "found Input should be 1 at schema"),
        ('"value": 4.0', '"value": NaN', "found "),
        ('"value": 4.0', '"value": "four"', "found "),
        ('"stderr": 0.1', '"stderr": -0.1', "found "),
        ('"unit": "mmag"', '"units": "mmag"', "found "),
        ('"camera": "hsc"', '"camera": "decam"', "found baselines of decam/twin"),
        ('{"accepted"', "<<<<<<< ours\n{", "found a merge conflict; resolve it"),
        ('{"accepted"', "nonsense", "found text that is not JSON"),
    ],
)
def test_a_file_edited_into_nonsense_is_refused(tmp_path: Path, old: str, new: str, found: str) -> None:
    """The line names the file, what was required and what was found."""
    accept(tmp_path, [a_result(4.0)])
    path = baselines.path_of(tmp_path, "hsc", "twin")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(DocumentError, match=rf"twin.json.*must be baselines of hsc/twin, schema 1.*{found}"):
        baselines.load(tmp_path, "hsc", "twin")


def test_a_line_given_twice_is_refused(tmp_path: Path) -> None:
    """A merge that kept both sides has two values of one metric."""
    accept(tmp_path, [a_result(4.0)])
    path = baselines.path_of(tmp_path, "hsc", "twin")
    (line,) = [line for line in path.read_text().splitlines() if '"PA1"' in line]
    path.write_text(path.read_text().replace(line, f"{line},\n{line}"))
    with pytest.raises(DocumentError, match="two lines of PA1 of hsc/twin/r/t0"):
        baselines.load(tmp_path, "hsc", "twin")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("entries: [", "ledger.yaml:2: must be a ledger"),
        ("- PA1", "must be a ledger of schema 1, found"),
        ("document: ledger\nschema: 1\nentries:\n- id: x\n  who: me\n", "Field required at entries.0"),
        ("document: ledger\nschema: 1\nentries:\n- PA1\n", "at entries.0"),
        ("document: ledger\nschema: 1\nentries:\n- moves: [PA1]\n", "at entries.0"),
        ("document: ledger\n>>>>>>> theirs\n", "ledger.yaml:2: .*found a merge conflict; resolve it"),
    ],
)
def test_a_ledger_edited_into_nonsense_is_not_appended_to(tmp_path: Path, text: str, found: str) -> None:
    """It is refused, and stays as it was."""
    path = tmp_path / "ledger.yaml"
    path.write_text(text)
    with pytest.raises(DocumentError, match=found):
        accept(tmp_path, [a_result(4.0)])
    assert path.read_text() == text


def test_git_sees_one_line(tmp_path: Path) -> None:
    """`git diff` of an accepted change of one metric shows one line taken and one line given."""
    accept(tmp_path, [a_result(4.0), a_result(1.0, "PF1")])
    old = tmp_path / "old.json"
    old.write_text(contents(tmp_path))
    accept(tmp_path, [a_result(1.5, "PF1")])
    new = baselines.path_of(tmp_path, "hsc", "twin")
    command = ["git", "diff", "--no-index", "--numstat", str(old), str(new)]
    counted = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert counted.split()[:2] == ["1", "1"]


def test_a_result_without_a_definition_cannot_be_accepted(tmp_path: Path) -> None:
    """Nobody could say which way it gets worse."""
    unknown = Measurement("PX9", SCOPE, 1.0, "mmag", 100)
    with pytest.raises(UnknownNameError, match="no metric is called 'PX9'"):
        accept(tmp_path, [unknown])


def test_what_the_registry_waives_is_accepted_and_the_line_says_so(tmp_path: Path) -> None:
    """No waiver of the decision is needed for it, and for nothing else."""
    rules = replace(RULES, waivers={"hsc": (Waiver("PF1", "bad flats", date(2026, 4, 1)),)})
    (entry,) = accept(tmp_path, [a_result(30.0, "PF1")], rules=rules)
    assert entry.moves[0].waived == "in the registry until 2026-04-01: bad flats"
    assert baselines.ledger(tmp_path) == (entry,)
    with pytest.raises(BelowMinimumError, match="1 would not"):
        accept(tmp_path, [a_result(40.0, "PF1"), a_result(9.0)], rules=rules)
    later = DECISION.model_copy(update={"when": datetime(2026, 4, 2, tzinfo=UTC)})
    with pytest.raises(BelowMinimumError):
        accept(tmp_path, [a_result(40.0, "PF1")], rules=rules, decision=later)


def test_a_preview_is_what_accepting_does(tmp_path: Path) -> None:
    """And writes nothing, not even where it would be refused."""
    accept(tmp_path, [a_result(4.0)])
    before = (tmp_path / "ledger.yaml").read_bytes()
    results = [a_result(5.0), a_result(30.0, "PF1")]
    found = baselines.proposals(tmp_path, results, run="20260301T000000Z", rules=RULES, today=date(2026, 3, 1))
    assert [one.refused for one in found] == [False, True]
    assert (tmp_path / "ledger.yaml").read_bytes() == before
    (entry,) = accept(tmp_path, results, decision=WAIVED)
    assert tuple(one.move for one in found) == entry.moves


def test_an_incident_is_accepted_by_its_members(tmp_path: Path) -> None:
    """Of several cameras at once, and nothing else of theirs."""
    results = [a_result(4.0), a_result(1.0, "PF1"), a_result(4.0, camera="decam")]
    members = frozenset({("PA1", SCOPE), ("PA1", Scope("decam", "twin", "r", 0))})
    made = accept(tmp_path, results, selection=Selection(members=members))
    assert [(one.camera, [move.place.metric for move in one.moves]) for one in made] == [
        ("hsc", ["PA1"]),
        ("decam", ["PA1"]),
    ]


def test_a_new_reference_has_a_line_even_where_nothing_moves(tmp_path: Path) -> None:
    """Naming what is accepted already makes no entry, unless it is to be the reference."""
    accept(tmp_path, [a_result(4.0)])
    assert accept(tmp_path, [a_result(4.0)], metrics=["PA1"]) == ()
    decision = DECISION.model_copy(update={"reference": True})
    (entry,) = accept(tmp_path, [a_result(4.0)], metrics=["PA1"], decision=decision)
    assert baselines.ledger(tmp_path)[-1] == entry
    assert entry.decision.reference is True


def test_what_has_expired_is_taken_back(tmp_path: Path) -> None:
    """Day by day, the latest first, and as far as it still holds."""
    accept(tmp_path, [a_result(4.0), a_result(1.0, "PF1")])
    before = contents(tmp_path)
    until = DECISION.model_copy(update={"expires": date(2026, 6, 1)})
    (first,) = accept(tmp_path, [a_result(5.0), a_result(2.0, "PF1")], decision=until)
    (second,) = accept(tmp_path, [a_result(6.0)], decision=until)
    assert baselines.expire(tmp_path, decision=DECISION, today=date(2026, 6, 1)) == ()
    made = baselines.expire(tmp_path, decision=DECISION, today=date(2026, 6, 2))
    assert [(one.action, one.undoes) for one in made] == [("expire", second.id), ("expire", first.id)]
    assert [len(one.moves) for one in made] == [1, 2]
    assert contents(tmp_path) == before
    assert baselines.expire(tmp_path, decision=DECISION, today=date(2026, 6, 2)) == ()


def test_what_expired_cannot_be_undone_again(tmp_path: Path) -> None:
    """It is taken back already."""
    (entry,) = accept(tmp_path, [a_result(4.0)], decision=WAIVED)
    baselines.expire(tmp_path, decision=DECISION, today=date(2027, 1, 1))
    with pytest.raises(CannotUndoError, match="must not be undone already, and it is"):
        baselines.undo(tmp_path, decision=DECISION, entry_id=entry.id)


def test_baselines_are_let_go_by_name_or_pattern(tmp_path: Path) -> None:
    """One entry a data set, and undoing gives them back."""
    accept(tmp_path, [a_result(4.0), a_result(1.0, "PF1"), a_result(4.5, band="i"), a_result(4.0, camera="decam")])
    before = contents(tmp_path)
    made = baselines.drop(tmp_path, Choice(metrics=("P[A]*",), bands=("r",)), decision=DECISION)
    assert [(one.camera, one.action, len(one.moves)) for one in made] == [("decam", "drop", 1), ("hsc", "drop", 1)]
    assert {(key[0], key[1].band) for key in baselines.load(tmp_path, "hsc", "twin")} == {("PF1", "r"), ("PA1", "i")}
    baselines.undo(tmp_path, decision=DECISION, entry_id=made[1].id)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("choice", "count"),
    [
        (Choice(), 4),
        (Choice(cameras=("hsc",)), 3),
        (Choice(cameras=("h*", "d*")), 4),
        (Choice(datasets=("twin",)), 4),
        (Choice(metrics=("PA1",)), 2),
        (Choice(tasks=("warp",)), 1),
        (Choice(bands=("r",)), 3),
    ],
)
def test_what_a_choice_means(tmp_path: Path, choice: Choice, count: int) -> None:
    """An empty part leaves it open; a baseline without a task is of no task."""
    warp = Measurement("peak_memory", Scope("hsc", "twin", task="warp"), 100.0, "MiB", 1)
    accept(tmp_path, [a_result(4.0), a_result(1.0, "PF1"), warp, a_result(4.0, camera="decam")])
    assert len(baselines.droppable(tmp_path, choice)) == count


def test_letting_go_of_what_is_not_there_is_refused(tmp_path: Path) -> None:
    """The line names what was asked for and what there is."""
    accept(tmp_path, [a_result(4.0)])
    with pytest.raises(UnknownNameError, match="no baseline is called 'hsc warp'; known: PA1"):
        baselines.drop(tmp_path, Choice(cameras=("hsc",), tasks=("warp",)), decision=DECISION)


def test_what_was_taken_from_a_file_by_hand_can_be_let_go(tmp_path: Path) -> None:
    """And what was added to one; other changes by hand are still refused."""
    accept(tmp_path, [a_result(4.0), a_result(1.0, "PF1"), a_result(5.0, "AM1")])
    path = baselines.path_of(tmp_path, "hsc", "twin")
    path.write_text(path.read_text().replace('"PF1"', '"PF2"'))
    with pytest.raises(DisagreementError, match="PF2 of"):
        baselines.drop(tmp_path, Choice(metrics=("PF1",)), decision=DECISION)
    baselines.drop(tmp_path, Choice(metrics=("PF*",)), decision=DECISION)
    assert baselines.disagreements(tmp_path) == ()
    assert {key[0] for key in baselines.load(tmp_path, "hsc", "twin")} == {"PA1", "AM1"}


def test_learned_spreads_are_written_and_kept(tmp_path: Path) -> None:
    """The value stays; learning the same again changes nothing; accepting keeps what was learned."""
    accept(tmp_path, [a_result(4.0), a_result(None, "AM3"), a_result(1.0, "PF1")])
    spreads = [
        Spread("PA1", SCOPE, "mmag", 0.0, 5),
        Spread("AM3", SCOPE, "mas", 0.0, 5),
        Spread("AM1", SCOPE, "mas", 1.0, 5),
    ]
    (entry,) = baselines.learn(tmp_path, spreads, decision=DECISION)
    assert (entry.action, [move.place.metric for move in entry.moves]) == ("noise", ["PA1"])
    assert baselines.load(tmp_path, "hsc", "twin")["PA1", SCOPE] == Baseline(
        "PA1", SCOPE, 4.0, "mmag", 0.1, 0.0, "20260301T000000Z", learned=True
    )
    assert baselines.learn(tmp_path, spreads, decision=DECISION) == ()
    accept(tmp_path, [a_result(5.0)])
    now = baselines.load(tmp_path, "hsc", "twin")["PA1", SCOPE]
    assert isinstance(now, Baseline)
    assert (now.value, now.tolerance, now.learned) == (5.0, 0.0, True)
    forgetful = replace(RULES, keep_spreads=False)
    accept(tmp_path, [a_result(5.0)], metrics=["PA1"], rules=forgetful)
    now = baselines.load(tmp_path, "hsc", "twin")["PA1", SCOPE]
    assert isinstance(now, Baseline)
    assert (now.tolerance, now.learned) == (0.01, False)


def test_a_spread_is_learned_in_the_unit_of_the_baseline(tmp_path: Path) -> None:
    """0.001 mag are 1 mmag."""
    accept(tmp_path, [a_result(4.0)])
    baselines.learn(tmp_path, [Spread("PA1", SCOPE, "mag", 0.001, 5)], decision=DECISION)
    now = baselines.load(tmp_path, "hsc", "twin")["PA1", SCOPE]
    assert isinstance(now, Baseline)
    assert now.tolerance == pytest.approx(1.0)


def test_a_learned_spread_can_be_undone(tmp_path: Path) -> None:
    """Every byte comes back."""
    accept(tmp_path, [a_result(4.0)])
    before = contents(tmp_path)
    baselines.learn(tmp_path, [Spread("PA1", SCOPE, "mmag", 0.5, 5)], decision=DECISION)
    baselines.undo(tmp_path, decision=DECISION)
    assert contents(tmp_path) == before
