from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ci.assemble import night_of
from ci.console import LineConsole
from ci.lanes import Context, open_run
from ci.settings import Settings
from qa.baselines.ledger import HEADER, Absent, Decision, Move, Place, make_entry, to_text
from qa.engines.recorded import RecordedEngine
from qa.journal import FILE_NAME, Journal, read_record
from qa.judging.judged import Cause, Finding, FindingState, Incident
from qa.model import Lane, Scope, Trigger
from qa.record import Judged
from qa.testing import Clock, MemoryStore, a_camera

if TYPE_CHECKING:
    from pathlib import Path


def a_context(folder: Path, *names: str) -> Context:
    """Build a context of test cameras."""
    return Context(
        settings=Settings(runs=folder / "runs", cache=folder, regression_data=folder),
        cameras=[a_camera(name) for name in names],
        engine=RecordedEngine({}),
        store=MemoryStore(),
        clock=Clock(),
        console=LineConsole(),
        provenance={},
    )


def begin(context: Context) -> Path:
    """Begin a night."""
    return open_run(context, lane=Lane.NIGHTLY, trigger=Trigger(), fresh=True)


def test_the_cameras_of_the_night_before_are_known(tmp_path: Path) -> None:
    """What ran the last time is compared with what runs now."""
    begin(a_context(tmp_path, "one", "two"))
    context = a_context(tmp_path, "one")
    folder = begin(context)
    assert night_of(context, folder, read_record(folder)).previous_cameras == ("one", "two")


def test_a_damaged_journal_of_an_earlier_night_costs_no_report(tmp_path: Path) -> None:
    """The last readable night counts."""
    begin(a_context(tmp_path, "one", "two"))
    context = a_context(tmp_path, "one")
    (begin(context) / FILE_NAME).write_text("garbage\n")
    folder = begin(context)
    assert night_of(context, folder, read_record(folder)).previous_cameras == ("one", "two")


def test_a_report_holds_the_ledger_and_outlives_one_that_cannot_be_read(tmp_path: Path) -> None:
    """Every decision is shown; a ledger with a merge conflict costs its page."""
    context = a_context(tmp_path, "one")
    folder = begin(context)
    decision = Decision(who="Ada Example", when=context.clock(), why="first values")
    move = Move(place=Place(metric="PA1", band="r"), old=None, new=Absent(absent="no stars"))
    entry = make_entry("accept", "one", "twin", decision=decision, moves=(move,), after="")
    (tmp_path / "ledger.yaml").write_text(HEADER + to_text(entry))
    assert [one.id for one in night_of(context, folder, read_record(folder)).ledger] == [entry.id]
    (tmp_path / "ledger.yaml").write_text("<<<<<<< ours\n")
    assert night_of(context, folder, read_record(folder)).ledger == ()


def test_an_incident_of_an_earlier_night_is_found_by_its_findings(tmp_path: Path) -> None:
    """The run in which a finding opened tells of its incident, which the later ones do not repeat."""
    context = a_context(tmp_path, "one")
    scope = Scope("one", "twin", "r")
    incident = Incident("i", Cause.ALGORITHM, (("PA1", scope),), (), (), {}, "it moved")
    first, second = begin(context), begin(context)
    opened = read_record(first).plan.created
    finding = Finding("f", "PA1", scope, "step", FindingState.OPEN, opened, opened, 2, "", incident="i", since=opened)
    with Journal(first / FILE_NAME, context.clock) as journal:
        journal.append(Judged((), incidents=(incident, replace(incident, id="other")), findings=(finding,)))
    record = replace(read_record(second), findings=(finding,))
    night = night_of(context, second, record)
    assert night.earlier == (incident,)
    fixed = replace(finding, state=FindingState.FIXED)
    assert night_of(context, second, replace(record, findings=(fixed,))).earlier == ()
