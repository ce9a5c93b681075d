"""What changed between two runs."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from qa.model import Change, Comparison, Lane, Level, Measurement, Plan, Scope, Stage, Status, Step, Trigger, Unmeasured
from qa.provenance.difference import changed_facts, difference
from qa.record import Measured, RunRecord
from qa.testing import NOW, a_measurement

SCOPE = Scope("hsc", "twin", "r", 0)
FACTS = {"package a": "1", "data hsc/twin": "1", "data decam/twin": "1", "container decam": "x", "host": "h"}


def a_run(
    name: str, *results: Measurement | Unmeasured, status: Status = Status.PASS, camera: str = "hsc", **more: str
) -> RunRecord:
    """Build the record of a run of one data set."""
    plan = Plan(name, Lane.NIGHTLY, Trigger(), NOW, (Step(camera, "twin", Stage.MEASURE),))
    judged = tuple(Comparison(one, None, None, Change.NEW, Level.NOT_APPLICABLE, status, None, "") for one in results)
    facts = FACTS | {key.replace("_", " ", 1).replace("_", "/"): value for key, value in more.items()}
    measured = {(camera, "twin"): Measured(camera, "twin", results)}
    return RunRecord(plan, facts, NOW, measured=measured, comparisons=judged)


ONE = a_measurement(5.0, camera="hsc")


def test_a_run_does_not_differ_from_itself() -> None:
    """No fact, no metric, no verdict."""
    found = difference(a_run("1", ONE), a_run("1", ONE))
    assert (found.facts, found.verdicts, found.gone, found.come, found.incomparable) == ((), (), (), (), ())
    assert all(move.same for move in found.moves)


def test_software_comes_first_and_other_cameras_are_counted() -> None:
    """Facts are told in the order of suspicion; those of cameras that neither run took do not concern it."""
    other = a_run("2", ONE, host="i", data_hsc_twin="2", data_decam_twin="2", container_decam="y", package_a="2")
    found = difference(a_run("1", ONE), other)
    assert [one.fact for one in found.facts] == ["package a", "data hsc/twin", "host"]
    assert found.elsewhere == 2
    alone = a_run("2", ONE, camera="decam", data_decam_twin="2", container_decam="y")
    found = difference(a_run("1", ONE), alone)
    assert [one.fact for one in found.facts] == ["data decam/twin", "container decam"]
    assert (found.gone, found.come) == (("hsc/twin",), ("decam/twin",))


def test_a_verdict_that_changed_is_told() -> None:
    """With what it was and what it is, also where a metric was judged in one run only."""
    (one,) = difference(a_run("1", ONE), a_run("2", ONE, status=Status.WARN)).verdicts
    assert (one.metric, one.before, one.after) == ("PA1", "pass, not-applicable", "warn, not-applicable")
    (one,) = difference(a_run("1"), a_run("2", ONE)).verdicts
    assert (one.before, one.after) == (None, "pass, not-applicable")


def test_nothing_is_left_out_in_silence() -> None:
    """Another unit, an unknown metric, and why a value is missing."""
    other = replace(ONE, unit="mag", value=0.005)
    strange = replace(ONE, metric="nobody_knows")
    found = difference(a_run("1", ONE, strange), a_run("2", other))
    assert {(one.metric, one.reason) for one in found.incomparable} == {
        ("PA1", "5 mmag -> 0.005 mag; the unit is another"),
        ("nobody_knows", "5 mmag -> -; this version knows no such metric"),
    }
    gone = difference(a_run("1", ONE), a_run("2", Unmeasured("PA1", ONE.scope, "too few stars")))
    assert gone.reasons[gone.moves[0].metric, gone.moves[0].scope] == "too few stars"
    assert gone.moves[0].after is None


def test_a_child_is_told() -> None:
    """Of its own parent only."""
    child = a_run("2", ONE)
    child = replace(child, plan=replace(child.plan, parent="1"))
    assert difference(a_run("1", ONE), child).child
    assert not difference(a_run("0", ONE), child).child


def test_only_what_is_wanted_is_compared() -> None:
    """Metrics and their verdicts; the facts stay."""
    other = a_run("2", replace(ONE, value=6.0), status=Status.WARN, package_a="2")
    found = difference(a_run("1", ONE), other, wanted=lambda metric, _scope: metric == "PA2")
    assert (found.moves, found.verdicts) == ((), ())
    assert len(found.facts) == 1


FACT_NAMES = st.sampled_from(sorted(FACTS)) | st.text(min_size=1, max_size=8)


@given(st.dictionaries(FACT_NAMES, st.text(max_size=3)), st.dictionaries(FACT_NAMES, st.text(max_size=3)))
def test_every_fact_that_differs_is_told_or_counted(before: dict[str, str], after: dict[str, str]) -> None:
    """And the way back tells the same facts the other way round."""
    there, hidden = changed_facts(before, after, {"hsc/twin"})
    back, hidden_back = changed_facts(after, before, {"hsc/twin"})
    differ = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert len(there) + hidden == len(differ)
    assert hidden == hidden_back
    assert [(one.fact, one.before, one.after) for one in there] == [(one.fact, one.after, one.before) for one in back]
