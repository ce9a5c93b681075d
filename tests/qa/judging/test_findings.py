"""The states of a finding over the nights."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.judging.findings import (
    ACCEPTANCE,
    OUTAGE,
    REMEMBERED,
    VALUE,
    WAIVER,
    Seen,
    advance,
    excuse,
    in_incidents,
    outage,
    seen_in,
    standing_shifts,
)
from qa.judging.judged import Acknowledgement, Cause, Finding, FindingState, Forecast, Incident, Shift, ShiftKind
from qa.judging.validity import Validity
from qa.model import Baseline, Change, Comparison, Level, Measurement, Scope, Status, Unmeasured

NIGHT = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
SCOPE = Scope("hsc", "twin", "r", 0)
BASELINE = Baseline("PA1", SCOPE, 4.0, "mmag", 0.1, 0.01, "run")
FAIL, WARN, PASS = Status.FAIL, Status.WARN, Status.PASS
OPEN, KNOWN, FIXED = FindingState.OPEN, FindingState.ACKNOWLEDGED, FindingState.FIXED
REOPENED, UNCONFIRMED = FindingState.REOPENED, FindingState.UNCONFIRMED


def night(number: int) -> datetime:
    """Return when a night was planned."""
    return NIGHT + timedelta(days=number)


def judged(
    status: Status = FAIL,
    change: Change = Change.STEP,
    *,
    sigma: float | None = 10.0,
    metric: str = "PA1",
    scope: Scope = SCOPE,
) -> Comparison:
    """Judge a value."""
    result = Measurement(metric, scope, 5.0, "mmag", 100, 0.1)
    return Comparison(result, BASELINE, None, change, Level.MINIMUM, status, sigma, f"It is a {change}.")


def absent(status: Status = FAIL, change: Change = Change.MISSING, *, scope: Scope = SCOPE) -> Comparison:
    """Judge an absence."""
    result = Unmeasured("PA1", scope, "no stars")
    return Comparison(result, BASELINE, None, change, Level.NOT_APPLICABLE, status, None, "It is missing.")


WELL = judged(PASS, Change.STEADY, sigma=0.0)


def leave(
    finding: Finding, *, since: int = 0, until: int = 5, why: str = "the catalogue is being mended."
) -> Acknowledgement:
    """Acknowledge a finding in the morning after a night."""
    return Acknowledgement(finding.id, "A Person", night(since) + timedelta(hours=8), night(until).date(), why)


def one(findings: tuple[Finding, ...]) -> Finding:
    """Return the only finding there is."""
    (found,) = findings
    return found


def over(*nights: Comparison, leaves: tuple[Acknowledgement, ...] = (), confirm: int = 1) -> list[tuple[Finding, ...]]:
    """Judge one series night after night."""
    history: list[tuple[Finding, ...]] = [()]
    for number, comparison in enumerate(nights):
        history.append(
            advance(history[-1], [comparison], when=night(number), acknowledgements=leaves, confirm={"hsc": confirm})
        )
    return history[1:]


def test_what_fails_is_an_open_finding() -> None:
    """It says which series, what, since when and how badly."""
    found = one(advance((), [judged()], when=NIGHT))
    assert (found.metric, found.scope, found.kind, found.state) == ("PA1", SCOPE, "step", OPEN)
    assert (found.first, found.last, found.since, found.nights) == (NIGHT, NIGHT, NIGHT, 1)
    assert (found.reason, found.status, found.sigma, found.known) == ("It is a step.", FAIL, 10.0, False)
    assert (found.incident, found.acknowledgement, found.forecast, found.shift) == (None, None, None, None)


def test_what_passes_is_none() -> None:
    """Nothing is wrong, nothing is found."""
    assert advance((), [WELL], when=NIGHT) == ()


def test_a_warning_is_a_finding_too() -> None:
    """With its own status."""
    assert one(advance((), [judged(WARN)], when=NIGHT)).status is WARN


@pytest.mark.parametrize(
    ("comparison", "kind", "known"),
    [
        (judged(), "step", False),
        (judged(change=Change.DRIFT), "drift", False),
        (judged(change=Change.STEADY), "below-gate", False),
        (judged(WARN, Change.STEADY), "below-gate", True),
        (judged(WARN, Change.IMPROVED), "below-gate", True),
        (replace(judged(change=Change.NEW), baseline=None), "below-gate", False),
        (replace(judged(WARN, Change.NEW), baseline=None), "below-gate", False),
        (absent(), "missing", False),
        (absent(WARN), "missing", False),
    ],
)
def test_the_kind_says_what_is_wrong(comparison: Comparison, kind: str, known: bool) -> None:  # noqa: FBT001 - a table
    """A deficit that was accepted is known from the first night on."""
    found = one(advance((), [comparison], when=NIGHT))
    assert (found.kind, found.known) == (kind, known)


def test_ids_are_stable_and_tell_series_and_topics_apart() -> None:
    """The id of a value does not depend on the kind of change, that of an absence is another."""
    first, second = one(advance((), [judged()], when=NIGHT)), one(advance((), [judged(WARN, Change.DRIFT)], when=NIGHT))
    assert first.id == second.id == "fb91f754"
    others = [judged(metric="PA2"), judged(scope=replace(SCOPE, band="i")), absent()]
    assert len({first.id, *(item.id for item in seen_in(others))}) == 4


def test_an_outage_is_one_finding_of_its_camera_whatever_fell_out() -> None:
    """The data set may be another one the next night."""
    first, second = outage(Validity("hsc", "twin", "process failed")), outage(Validity("hsc", "deep", "no disk"))
    assert first.id == second.id != outage(Validity("decam", "twin", "process failed")).id
    assert first == Seen(OUTAGE, Scope("hsc", "twin"), OUTAGE, OUTAGE, FAIL, "process failed")
    assert outage(Validity("hsc", "twin", "x"), status=WARN).status is WARN


def test_a_finding_stays_open_and_becomes_known() -> None:
    """The second night counts on, and says that tonight did not bring it."""
    first, second = map(one, over(judged(), judged(WARN, Change.DRIFT, sigma=11.0)))
    assert (second.state, second.known, second.nights) == (OPEN, True, 2)
    assert (second.first, second.last, second.since) == (night(0), night(1), night(0))
    assert (second.kind, second.sigma, second.status, second.reason) == ("drift", 11.0, WARN, "It is a drift.")
    assert second.id == first.id


def test_what_is_well_again_is_fixed_and_remembered() -> None:
    """The night that found it mended is noted; a forecast is void."""
    found = one(over(judged(), WELL)[1])
    assert (found.state, found.since, found.last, found.known) == (FIXED, night(1), night(0), True)
    again = one(advance((replace(found, known=False),), [WELL], when=night(2)))
    assert again == replace(found, known=False)


def test_a_fixed_finding_that_comes_back_is_reopened() -> None:
    """It counts on from where it was."""
    *_, last, after = map(one, over(judged(), WELL, WELL, judged(), judged()))
    assert (last.state, last.since, last.first, last.nights) == (REOPENED, night(3), night(0), 2)
    assert (after.state, after.since, after.nights, after.known) == (REOPENED, night(3), 3, True)
    assert last.known is False


@pytest.mark.parametrize(("days", "kept"), [(90, 1), (91, 0)])
def test_a_fixed_finding_is_forgotten_after_a_quarter(days: int, kept: int) -> None:
    """Not before."""
    fixed = over(judged(), WELL)[1]
    assert timedelta(days=90) == REMEMBERED
    assert len(advance(fixed, [WELL], when=night(1 + days))) == kept


def test_a_fixed_finding_without_a_date_is_kept() -> None:
    """A journal from before the date was noted loses nothing."""
    fixed = replace(one(over(judged(), WELL)[1]), since=None)
    assert advance((fixed,), [WELL], when=night(1000)) == (fixed,)


@pytest.mark.parametrize("absence", [absent(), absent(PASS, Change.STEADY)])
def test_an_absence_mends_no_value(absence: Comparison) -> None:
    """What is not measured tonight is not known to be well."""
    open_ = over(judged())[0]
    kept = [item for item in advance(open_, [absence], when=night(1)) if item.kind == "step"]
    assert kept == list(open_)


def test_an_absence_is_fixed_by_a_value_or_by_being_accepted() -> None:
    """Both ways."""
    missing = over(absent())[0]
    assert one(advance(missing, [WELL], when=night(1))).state is FIXED
    assert one(advance(missing, [absent(PASS, Change.STEADY)], when=night(1))).state is FIXED


def test_what_was_not_judged_stays_as_it_was() -> None:
    """A camera that did not run, or another of its data sets, says nothing of a series."""
    open_ = over(judged())[0]
    for other in ([], [judged(PASS, scope=Scope("decam", "twin"))], [judged(PASS, scope=Scope("hsc", "deep"))]):
        assert advance(open_, other, when=night(1)) == open_


def test_what_is_owed_no_longer_is_fixed() -> None:
    """The data set was judged, and the metric is neither measured nor expected nor accepted."""
    assert one(advance(over(judged())[0], [judged(PASS, metric="PA2")], when=night(1))).state is FIXED


@pytest.mark.parametrize("topic", [OUTAGE, WAIVER, ACCEPTANCE])
def test_what_concerns_a_camera_is_fixed_when_the_camera_is_judged_without_it(topic: str) -> None:
    """Whatever the data set."""
    wrong = Seen("PA1", Scope("hsc", "twin"), topic, topic, FAIL, "It is over.")
    open_ = advance((), [], when=night(0), more=[wrong])
    assert one(open_).kind == topic
    assert one(advance(open_, [], when=night(1), more=[wrong])).nights == 2
    assert advance(open_, [judged(PASS, scope=Scope("decam", "twin"))], when=night(1)) == open_
    assert one(advance(open_, [judged(PASS, scope=Scope("hsc", "deep"))], when=night(1))).state is FIXED


def test_two_nights_confirm() -> None:
    """Where a camera asks for two nights, the first one does not cry."""
    first, second, third = map(one, over(judged(), judged(), judged(), confirm=2))
    assert (first.state, second.state, third.state) == (UNCONFIRMED, OPEN, OPEN)
    assert (first.known, second.known, third.known) == (False, False, True)
    assert second.since == night(1)


def test_three_nights_confirm() -> None:
    """As many as are asked for."""
    states = [one(found).state for found in over(*[judged()] * 4, confirm=3)]
    assert states == [UNCONFIRMED, UNCONFIRMED, OPEN, OPEN]


def test_other_cameras_are_confirmed_at_once() -> None:
    """The number of nights is a camera's own."""
    assert one(advance((), [judged()], when=NIGHT, confirm={"decam": 2})).state is OPEN


def test_what_is_not_confirmed_is_forgotten() -> None:
    """And starts anew when it comes again."""
    found = over(judged(), WELL, judged(), confirm=2)
    assert found[1] == ()
    assert one(found[2]).state is UNCONFIRMED


def test_a_known_deficit_needs_no_confirmation() -> None:
    """It was accepted with its baseline."""
    assert one(over(judged(WARN, Change.STEADY), confirm=2)[0]).state is OPEN


def test_what_was_confirmed_once_needs_no_second_confirmation() -> None:
    """A fixed finding that comes back is reopened at once."""
    assert one(over(judged(), judged(), WELL, judged(), confirm=2)[3]).state is REOPENED


def test_an_acknowledged_finding_stands_until_its_day() -> None:
    """On that day it still does; the day after it is reopened, and stays so."""
    first = one(over(judged())[0])
    found = [one(item) for item in over(*[judged()] * 8, leaves=(leave(first, until=5),))]
    assert [item.state for item in found] == [KNOWN] * 6 + [REOPENED] * 2
    assert found[1].acknowledgement == leave(first, until=5)
    assert (found[6].since, found[7].since, found[3].since) == (night(6), night(6), night(0))
    assert found[6].acknowledgement == leave(first, until=5)


def test_who_acknowledges_tonights_finding_has_seen_tonights_value() -> None:
    """Judged again after the acknowledgement, the night that got worse is acknowledged."""
    first, worse = judged(sigma=5.0), judged(sigma=50.0)
    before = over(first)[0]
    morning = leave(one(before), since=1)
    assert one(advance(before, [worse], when=night(1), acknowledgements=[morning])).state is KNOWN
    evening = leave(one(before), since=0)
    assert one(advance(before, [worse], when=night(1), acknowledgements=[evening])).state is OPEN


@pytest.mark.parametrize(("sigma", "state"), [(13.0, KNOWN), (13.5, REOPENED), (None, KNOWN), (1.0, KNOWN)])
def test_an_acknowledged_finding_that_gets_worse_is_reopened(sigma: float | None, state: FindingState) -> None:
    """By more than three spreads beyond what was acknowledged, however slowly it goes."""
    acknowledged = advance(
        over(judged())[0], [judged()], when=night(1), acknowledgements=[ok := leave(one(over(judged())[0]))]
    )
    middle = advance(acknowledged, [judged(sigma=12.0)], when=night(2), acknowledgements=[ok])
    assert (one(middle).state, one(middle).sigma) == (KNOWN, 10.0)
    last = one(advance(middle, [judged(sigma=sigma)], when=night(3), acknowledgements=[ok]))
    assert last.state is state
    assert last.known


def test_without_a_sigma_before_nothing_is_worse() -> None:
    """An absence has none."""
    before = (replace(one(over(judged())[0]), sigma=None),)
    assert one(advance(before, [judged()], when=night(1), acknowledgements=[leave(before[0])])).state is KNOWN


def test_an_acknowledged_warning_that_fails_is_reopened() -> None:
    """Who let a warning stand did not let a failure stand; that acknowledgement is spent, and a new one is needed."""
    first = over(judged(WARN))[0]
    ok = leave(one(first))
    second = advance(first, [judged(WARN)], when=night(1), acknowledgements=[ok])
    third = advance(second, [judged(FAIL)], when=night(2), acknowledgements=[ok])
    fourth = advance(third, [judged(WARN)], when=night(3), acknowledgements=[ok])
    assert [one(item).state for item in (second, third, fourth)] == [KNOWN, REOPENED, REOPENED]
    assert (one(second).status, one(third).status) == (WARN, FAIL)
    new = leave(one(first), since=4, until=9)
    again = advance(fourth, [judged(FAIL)], when=night(4), acknowledgements=[new])
    assert one(again).state is KNOWN
    better = advance(again, [judged(WARN)], when=night(5), acknowledgements=[new])
    assert (one(better).state, one(better).status) == (KNOWN, FAIL)


def test_an_acknowledged_finding_that_was_fixed_needs_a_new_acknowledgement() -> None:
    """A finding that comes back is reopened."""
    ok = leave(one(over(judged())[0]), until=20)
    states = [one(found).state for found in over(judged(), WELL, judged(), judged(), leaves=(ok,))]
    assert states == [KNOWN, FIXED, REOPENED, REOPENED]


def test_a_withdrawn_acknowledgement_reopens() -> None:
    """It is as if its day had come."""
    first = over(judged())[0]
    second = advance(first, [judged()], when=night(1), acknowledgements=[leave(one(first))])
    assert one(advance(second, [judged()], when=night(2))).state is REOPENED


def test_the_last_acknowledgement_of_a_finding_counts() -> None:
    """The file is read from the top."""
    first = over(judged())[0]
    two = [leave(one(first), until=9), leave(one(first), until=0)]
    assert one(advance(first, [judged()], when=night(1), acknowledgements=two)).state is OPEN
    assert one(advance(first, [judged()], when=night(1), acknowledgements=two[::-1])).state is KNOWN


def test_an_unconfirmed_finding_can_be_acknowledged() -> None:
    """Somebody knows what it is."""
    ok = leave(one(over(judged())[0]))
    assert one(over(judged(), leaves=(ok,), confirm=2)[0]).state is KNOWN


@given(st.lists(st.sampled_from([judged(), judged(WARN), WELL, absent(), judged(sigma=90.0)]), min_size=1, max_size=12))
def test_a_night_judged_again_gives_the_same(nights: list[Comparison]) -> None:
    """Nothing is counted twice: the findings follow from those of the night before and from tonight."""
    ok = leave(one(over(judged())[0]), until=6)
    found = over(*nights, leaves=(ok,))
    before = found[-2] if len(found) > 1 else ()
    for _ in range(2):
        again = advance(before, [nights[-1]], when=night(len(nights) - 1), acknowledgements=[ok])
        assert again == found[-1]


@given(
    st.permutations(
        [judged(), judged(metric="PA2"), judged(scope=Scope("decam", "twin")), absent(scope=Scope("a", "b"))]
    )
)
def test_the_order_of_cameras_changes_nothing(comparisons: list[Comparison]) -> None:
    """A permutation of the comparisons gives the same findings, ordered by camera and metric."""
    found = advance((), comparisons, when=NIGHT)
    assert [(item.scope.camera, item.metric) for item in found] == [
        ("a", "PA1"),
        ("decam", "PA1"),
        ("hsc", "PA1"),
        ("hsc", "PA2"),
    ]
    assert advance(found, [], when=night(1)) == found


def a_shift(kind: ShiftKind = ShiftKind.DRIFT, *, after: float = 5.0, found: int = 0, sigma: float = 6.0) -> Shift:
    """Make a change of the history."""
    return Shift("PA1", SCOPE, kind, night(-9), night(found), 4.0, after, sigma, 0.001)


def test_a_finding_keeps_the_shift_that_opened_it() -> None:
    """A drift or step of the history stands on after the night that found it."""
    first = advance((), [judged(WARN, Change.DRIFT)], when=night(0), shifts=[a_shift()])
    assert one(first).shift == a_shift()
    second = advance(first, [judged(WARN, Change.DRIFT)], when=night(1))
    assert standing_shifts(second) == (a_shift(),)
    assert standing_shifts(advance(second, [WELL], when=night(2))) == ()


def test_the_latest_shift_counts() -> None:
    """The one found last, in whatever order they come."""
    early, late = a_shift(found=0, after=5.0), a_shift(found=1, after=6.0, sigma=5.0)
    for order in ([early, late], [late, early]):
        assert one(advance((), [judged(WARN, Change.DRIFT)], when=NIGHT, shifts=order)).shift == late


def test_a_spike_is_over_after_its_night() -> None:
    """It has a name of its own and does not stand on."""
    found = advance((), [judged(WARN)], when=NIGHT, shifts=[a_shift(ShiftKind.SPIKE)])
    assert one(found).kind == "spike"
    assert standing_shifts(found) == ()
    assert one(advance((), [judged(WARN, Change.STEADY)], when=NIGHT, shifts=[a_shift(ShiftKind.SPIKE)])).shift is None


def test_an_unconfirmed_drift_stands_on() -> None:
    """Otherwise it could never be confirmed."""
    found = advance((), [judged(WARN)], when=NIGHT, shifts=[a_shift(ShiftKind.STEP)], confirm={"hsc": 2})
    assert standing_shifts(found) == (a_shift(ShiftKind.STEP),)


def test_a_forecast_is_of_tonight() -> None:
    """It is attached to the finding of its series, and renewed or dropped each night."""
    ahead = Forecast(Level.DESIGN, date(2026, 4, 1), date(2026, 3, 20), None)
    first = advance((), [judged()], when=night(0), forecasts={("PA1", SCOPE): ahead})
    assert one(first).forecast == ahead
    assert one(advance(first, [judged()], when=night(1))).forecast is None
    assert one(advance(first, [WELL], when=night(1))).forecast is None


def an_incident(*members: tuple[str, Scope]) -> Incident:
    """Make an incident."""
    return Incident("i1", Cause.ALGORITHM, members, (), (), {}, "something changed")


def test_a_finding_names_the_incident_that_opened_it() -> None:
    """The night that opened it says which; later nights change nothing."""
    first = in_incidents(advance((), [judged()], when=night(0)), [an_incident(("PA1", SCOPE))], night(0))
    assert one(first).incident == "i1"
    second = advance(first, [judged()], when=night(1))
    other = replace(an_incident(("PA1", SCOPE)), id="i2")
    assert one(in_incidents(second, [other], night(1))).incident == "i1"
    fixed = advance(second, [WELL], when=night(2))
    assert one(in_incidents(fixed, [other], night(2))).incident == "i1"
    back = advance(fixed, [judged()], when=night(3))
    assert one(in_incidents(back, [other], night(3))).incident == "i2"
    assert one(in_incidents(back, [an_incident(("PA2", SCOPE))], night(3))).incident == "i1"


def test_an_unconfirmed_finding_names_its_incident() -> None:
    """It may be the first of many."""
    found = advance((), [judged()], when=NIGHT, confirm={"hsc": 2})
    assert one(in_incidents(found, [an_incident(("PA1", SCOPE))], NIGHT)).incident == "i1"


def test_what_is_acknowledged_only_warns_and_says_who_knows() -> None:
    """Until when and why."""
    first = over(judged())[0]
    found = advance(first, [judged()], when=night(1), acknowledgements=[leave(one(first))])
    excused = one_comparison(excuse([judged()], found))
    assert excused.status is WARN
    assert excused.reason == "It is a step; acknowledged by A Person until 2026-03-06: the catalogue is being mended."


def test_what_is_not_confirmed_only_warns() -> None:
    """And says what it waits for."""
    found = advance((), [judged()], when=NIGHT, confirm={"hsc": 2})
    excused = one_comparison(excuse([judged()], found))
    assert (excused.status, excused.reason) == (WARN, "It is a step; it fails when the next night confirms it.")


def test_nothing_else_is_excused() -> None:
    """An open finding fails, and a warning stays as it is."""
    found = advance((), [judged()], when=NIGHT)
    assert excuse([judged()], found) == (judged(),)
    first = over(judged())[0]
    known = advance(first, [judged()], when=night(1), acknowledgements=[leave(one(first))])
    assert excuse([judged(WARN)], known) == (judged(WARN),)
    assert excuse([judged(metric="PA2")], known) == (judged(metric="PA2"),)
    assert excuse([judged()], [replace(one(known), acknowledgement=None)]) == (judged(),)


def one_comparison(comparisons: tuple[Comparison, ...]) -> Comparison:
    """Return the only comparison there is."""
    (found,) = comparisons
    return found


def test_what_is_seen_says_its_topic() -> None:
    """A value in whatever state is of one topic."""
    assert one_seen(seen_in([judged(PASS), judged(WARN, Change.STEADY)])).topic == VALUE


def one_seen(seen: tuple[Seen, ...]) -> Seen:
    """Return the only thing seen."""
    (found,) = seen
    return found


def test_an_outage_names_tonights_data_set() -> None:
    """Whichever fell out."""
    first = advance((), [], when=night(0), more=[outage(Validity("hsc", "twin", "no disk"))])
    second = advance(first, [], when=night(1), more=[outage(Validity("hsc", "deep", "no disk"))])
    assert one(second).scope == Scope("hsc", "deep")


def test_an_absence_is_told_with_its_status_and_reason() -> None:
    """Its topic is its kind."""
    found = one_seen(seen_in([absent(WARN)]))
    assert (found.topic, found.kind, found.status, found.reason) == ("missing", "missing", WARN, "It is missing.")


def test_who_acknowledges_in_the_very_moment_has_seen_it() -> None:
    """The moment at which the night was planned included."""
    before = over(judged(sigma=5.0))[0]
    ok = replace(leave(one(before)), when=night(1))
    assert one(advance(before, [judged(sigma=50.0)], when=night(1), acknowledgements=[ok])).state is KNOWN


def test_bands_are_in_order() -> None:
    """Of one metric and camera."""
    both = [judged(scope=replace(SCOPE, band=band)) for band in ("r", "g")]
    assert [item.scope.band for item in advance((), both, when=NIGHT)] == ["g", "r"]
