from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from obs_registry.model import Stored
from qa.model import Lane, LeftOut, Plan, Stage, Trigger
from qa.plan import make_plan
from qa.testing import NOW, a_camera

if TYPE_CHECKING:
    from datetime import datetime

    from obs_registry.model import Camera


def plan_of(*cameras: Camera, lane: Lane = Lane.NIGHTLY, last_coadds: dict[str, datetime] | None = None) -> Plan:
    """Plan a run of some cameras."""
    return make_plan(cameras, run_id="run", lane=lane, trigger=Trigger(), created=NOW, last_coadds=last_coadds or {})


def test_a_camera_goes_through_all_stages_in_order() -> None:
    """Each data set of the lane is drawn, ingested, processed and measured."""
    plan = plan_of(a_camera())
    assert [(step.dataset, step.stage) for step in plan.steps] == [("twin", stage) for stage in Stage]


def stored(name: str) -> Stored:
    """Build a data set in a repository of others."""
    return Stored(
        name=name,
        kind="butler",
        lane="nightly",
        bands=("r",),
        repository="/repo",
        collections=("a",),
        pipeline="/p.yaml",
        bundles=("*_metrics",),
    )


def test_what_lies_in_a_repository_is_processed_and_measured() -> None:
    """There is nothing to draw or to ingest, and its calibrations are its own."""
    camera = a_camera().model_copy(update={"datasets": (stored("ci"),)})
    assert [step.stage for step in plan_of(camera).steps] == [Stage.PROCESS, Stage.MEASURE]


def test_a_data_set_that_cannot_be_had_is_left_out_with_the_reason() -> None:
    """The camera's other data sets run; a camera of which none can be had does not."""
    twins = a_camera()
    camera = twins.model_copy(update={"datasets": (*twins.datasets, stored("ci"))})
    missing = {("testcam", "ci"): "the environment variable CI is not set"}
    facts: dict[str, Any] = {"run_id": "run", "lane": Lane.NIGHTLY, "trigger": Trigger(), "created": NOW}
    plan = make_plan([camera], **facts, last_coadds={}, unavailable=missing)
    assert {step.dataset for step in plan.steps} == {"twin"}
    assert plan.left_out == (LeftOut("testcam", "ci", "the environment variable CI is not set"),)
    other = twins.model_copy(update={"datasets": (stored("ci"),)})
    alone = make_plan([other], **facts, last_coadds={}, unavailable=missing)
    assert (alone.cameras, alone.left_out) == ((), ())
    assert alone.not_run[0].reason == "ci: the environment variable CI is not set"


def test_a_commit_takes_the_small_data_sets() -> None:
    """The lane chooses the data sets."""
    assert {step.dataset for step in plan_of(a_camera(), lane=Lane.COMMIT).steps} == {"twin-quick"}


def test_the_longest_unmeasured_camera_comes_first() -> None:
    """Never measured comes before long ago, and long ago before recently."""
    last = {"recent": NOW - timedelta(days=1), "old": NOW - timedelta(days=6)}
    plan = plan_of(a_camera("recent"), a_camera("old"), a_camera("never"), last_coadds=last)
    assert plan.cameras == ("never", "old", "recent")


def test_the_costliest_comes_first_among_equals() -> None:
    """Two bands cost more than one, and a long job begun last makes a night long."""
    assert plan_of(a_camera("one"), a_camera("two", bands=("r", "i"))).cameras == ("two", "one")


def test_an_orphaned_camera_still_runs() -> None:
    """Without a sponsor a camera does not gate, but it runs."""
    assert plan_of(a_camera(until=date(2026, 2, 1))).cameras == ("testcam",)


def test_a_retired_camera_is_left_out_with_the_reason() -> None:
    """What is not run is said, never silence."""
    plan = plan_of(a_camera(retired=date(2026, 2, 1)))
    assert plan.steps == ()
    assert plan.not_run[0].reason == "retired on 2026-02-01"


def test_a_camera_without_data_is_left_out_with_the_reason() -> None:
    """A camera that cannot be processed is named."""
    assert plan_of(a_camera(datasets=False)).not_run[0].reason == "sponsored: no data set for the nightly lane"


def test_who_was_not_asked_for_is_told_apart() -> None:
    """A run of some cameras names the others, so that nobody takes their absence for a loss."""
    plan = make_plan(
        [a_camera("one"), a_camera("two")],
        run_id="run",
        lane=Lane.NIGHTLY,
        trigger=Trigger(),
        created=NOW,
        last_coadds={},
        asked=["two"],
    )
    assert plan.cameras == ("two",)
    assert [(one.camera, one.reason) for one in plan.not_run] == [("one", "not asked for in this run")]
