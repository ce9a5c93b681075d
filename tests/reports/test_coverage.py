from dataclasses import replace
from datetime import date, timedelta

from qa.model import LeftOut, Promise
from qa.plan import NO_ROOM
from reports.coverage import gaps, last_coadd, lease_sentence
from reports.night import Night, RunStatus
from reports.testing import NOW, a_camera_night, a_night


def kinds(*cameras: object, **more: object) -> list[tuple[str, str]]:
    """Return the kinds of the gaps of a night, and whose they are."""
    return [(gap.kind, gap.camera) for gap in gaps(a_night(*cameras, **more))]  # type: ignore[arg-type]


def test_a_quiet_night_has_no_gaps() -> None:
    """A sponsored camera measured tonight needs no word."""
    assert kinds(a_camera_night(), previous_cameras=("testcam",)) == []


def test_a_camera_that_disappears_shrinks_the_coverage() -> None:
    """Deleted from the registry or left out of the plan: both are told first, with the reason."""
    left_out = a_camera_night("hsc", status=RunStatus.NOT_RUN, reason="commented out")
    night = a_night(left_out, previous_cameras=("hsc", "decam"))
    assert [gap.kind for gap in gaps(night)] == ["shrank", "shrank"]
    assert any("commented out" in gap.sentence for gap in gaps(night))


def test_a_retirement_shrinks_the_coverage_once() -> None:
    """The night after it ran, a retired camera is missed; later nights are quiet."""
    retired = a_camera_night("sdss", lease="retired", status=RunStatus.NOT_RUN, reason="retired", last_coadd=None)
    assert kinds(retired, previous_cameras=("sdss",)) == [("shrank", "sdss")]
    assert kinds(retired) == []


def test_a_week_without_coadds_is_a_finding() -> None:
    """Seven days are allowed, a second more is not, and never is never."""
    week = NOW - timedelta(days=7)
    assert kinds(a_camera_night(last_coadd=week)) == []
    assert kinds(a_camera_night(last_coadd=week - timedelta(seconds=1))) == [("overdue", "testcam")]
    assert kinds(a_camera_night(last_coadd=None)) == [("overdue", "testcam")]
    assert last_coadd(a_camera_night(last_coadd=None), NOW) == "never"


def test_leases_are_told() -> None:
    """A lapsing lease and a lost sponsor are gaps that say what they mean."""
    lapsing = a_camera_night("a", lease="lapsing", lease_until=date(2026, 3, 9))
    orphaned = a_camera_night("b", lease="orphaned", lease_until=None)
    assert kinds(lapsing, orphaned) == [("orphaned", "b"), ("lapsing", "a")]
    assert "does not gate" in lease_sentence(orphaned)
    assert "9\u00a0Mar\u00a02026" in lease_sentence(lapsing)
    assert lease_sentence(a_camera_night(lease="proposed")) == "Proposed."


def test_a_data_set_that_cannot_be_had_is_told() -> None:
    """It is good to know as long as it was never there; once it ran, its absence is a loss."""
    here = a_night(a_camera_night())
    out = LeftOut("testcam", "ci_hsc", "the environment variable CI_HSC_DIR is not set")
    night = replace(here, plan=replace(here.plan, left_out=(out,)))
    (gap,) = gaps(night)
    assert (gap.kind, gap.grave) == ("not-run", False)
    assert gap.sentence == "Data set ci_hsc not run: the environment variable CI_HSC_DIR is not set."
    (lost,) = gaps(replace(night, previous_datasets=(("testcam", "ci_hsc"),)))
    assert (lost.kind, lost.grave) == ("shrank", True)
    assert "was not run tonight: the environment variable CI_HSC_DIR is not set." in lost.sentence
    (gone,) = gaps(replace(here, previous_datasets=(("testcam", "old"),)))
    assert "Data set old ran in the previous night and was not run tonight: it is not in the registry." in gone.sentence


def test_data_left_out_is_a_gap() -> None:
    """What was left out of a camera's night is told on the night's page: the first in words, the others counted."""
    (gap,) = gaps(a_night(a_camera_night(caveats=("raw 12 is truncated", "detector 3 is empty"))))
    assert gap.kind == "left-out"
    assert gap.grave
    assert gap.sentence == "Data left out: raw 12 is truncated (and 1 more)."


def test_a_broken_promise_is_told_with_its_reason() -> None:
    """Broken, about to be, or mended tonight: the report says why it could not be kept."""
    old = NOW - timedelta(days=9)
    here = a_night(a_camera_night(last_coadd=old, status=RunStatus.NOT_RUN, reason=f"{NO_ROOM} of 2 h"))
    due = old + timedelta(days=7)
    promise = Promise("testcam", old, due, 3.0, tonight=False, kept=False, reason="it takes more than a night")
    told = [gap for gap in gaps(_promising(here, promise)) if gap.kind == "promise"]
    assert [gap.sentence for gap in told] == [
        "The promise of a measurement within the week is broken: it takes more than a night."
    ]
    assert told[0].grave
    coming = replace(promise, due=NOW + timedelta(days=1))
    assert "will be broken on 2" in next(
        gap.sentence for gap in gaps(_promising(here, coming)) if gap.kind == "promise"
    )
    mended = a_night(a_camera_night(last_coadd=NOW))
    (gap,) = gaps(_promising(mended, promise))
    assert "was broken until tonight" in gap.sentence


def test_a_promise_that_is_kept_and_a_first_measurement_need_no_word() -> None:
    """Nor does a camera that was left to another night for want of room, when it ran in the one before."""
    old = NOW - timedelta(days=2)
    kept = Promise("testcam", old, old + timedelta(days=7), 1.0, tonight=True, kept=True)
    assert gaps(_promising(a_night(a_camera_night()), kept)) == ()
    first = replace(kept, last=None, due=None, kept=False, reason="it was never measured")
    assert gaps(_promising(a_night(a_camera_night(last_coadd=NOW)), first)) == ()
    waiting = a_camera_night(last_coadd=old, status=RunStatus.NOT_RUN, reason=f"{NO_ROOM} of 2 h")
    assert kinds(waiting, previous_cameras=("testcam",)) == [("not-run", "testcam")]


def test_a_service_is_not_held_to_coadds() -> None:
    """It has none: it is never overdue, and its promise is kept by running to its end."""
    service = a_camera_night(last_coadd=None, coadds=False)
    assert kinds(service) == []
    assert last_coadd(service, NOW) == "\u2013"
    first = Promise("testcam", None, None, 1.0, tonight=True, kept=False, coadds=False)
    assert gaps(_promising(a_night(service), first)) == ()


def _promising(night: Night, promise: Promise) -> Night:
    return replace(night, plan=replace(night.plan, created=NOW - timedelta(minutes=5), promises=(promise,)))
