from datetime import date, timedelta

from reports.coverage import gaps, last_coadd, lease_sentence
from reports.night import RunStatus
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


def test_data_left_out_is_a_gap() -> None:
    """What was left out of a camera's night is told on the night's page: the first in words, the others counted."""
    (gap,) = gaps(a_night(a_camera_night(caveats=("raw 12 is truncated", "detector 3 is empty"))))
    assert gap.kind == "left-out"
    assert gap.grave
    assert gap.sentence == "Data left out: raw 12 is truncated (and 1 more)."
