"""A night from its measurements to its exit code."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from ci.console import LineConsole
from ci.lanes import Context, open_run, run_steps
from ci.publish import conclude, print_summary
from ci.settings import Settings
from obs_registry.model import Judging, Requirements, Waiver
from qa import baselines
from qa.baselines.acceptance import Rules, Selection
from qa.baselines.ledger import Decision
from qa.engines.base import StepReport
from qa.errors import InfrastructureError
from qa.journal import read_record
from qa.judging.acknowledged import Line, acknowledge
from qa.judging.judged import Cause, FindingState
from qa.judging.manifest import expected
from qa.judging.verdict import ExitCode
from qa.metrics import catalogue
from qa.model import Lane, Measurement, NotRun, Stage, Status, StepOutcome, StepStatus, Trigger, Unmeasured
from qa.requirements import load
from qa.testing import MemoryStore, a_camera, a_measurement

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from obs_registry.model import Camera
    from qa.engines.base import Job, Progress
    from qa.judging.judged import Finding
    from qa.model import Result
    from qa.record import RunRecord

ABSENT = "too few stars"
FIRST = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
RULES = Rules(definitions=catalogue(), requirements={"testcam": load()})


@dataclass(slots=True)
class Calendar:
    """A clock that stands still until the next night."""

    now: datetime = FIRST

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


@dataclass(slots=True)
class Sky:
    """An engine: each measuring step gives PA1 with the next value (None: the step fails), and nothing else."""

    values: list[float | None]
    n: int = 100
    ran: list[str] = field(default_factory=list)

    def run(self, job: Job, progress: Progress) -> StepReport:
        """Carry out a step."""
        self.ran.append(job.step.key)
        if job.step.stage is not Stage.MEASURE:
            return StepReport(StepOutcome(job.step, StepStatus.DONE, 1.0, 1.0, 1.0))
        value = self.values.pop(0)
        if value is None:
            text = "OSError: No space left on device"
            return StepReport(StepOutcome(job.step, StepStatus.FAILED, 1.0, 1.0, 1.0, text))
        results = (*absences(job.camera), *measurements(job.camera.name, value, self.n))
        return StepReport(StepOutcome(job.step, StepStatus.DONE, 1.0, 1.0, 1.0), results)


def measurements(camera: str, value: float, n: int) -> tuple[Measurement, ...]:
    """Measure PA1 and, on n exposures, the size of the PSF."""
    one = replace(a_measurement(value, camera=camera), stderr=0.1)
    return one, replace(one, metric="psf_fwhm", value=0.7, unit="arcsec", stderr=0.01, n=n)


def absences(camera: Camera) -> tuple[Result, ...]:
    """Return what else the camera's data set owes, as not measurable."""
    owed = sorted(expected(camera.name, camera.datasets[0], catalogue()), key=str)
    return tuple(Unmeasured(*key, ABSENT) for key in owed if key[0] not in {"PA1", "psf_fwhm"})


def accept(folder: Path, camera: Camera, value: float = 5.0) -> None:
    """Accept a value of PA1, and that all else is absent."""
    place = {"band": "r", "tract": 0, "task": None}
    values = {"stderr": 0.1, "tolerance": 0.01, "run": "r"}
    lines = [
        {"metric": "PA1", **place, "value": value, "unit": "mmag", **values},
        {"metric": "psf_fwhm", **place, "value": 0.7, "unit": "arcsec", **values},
        *({"metric": one.metric, **place, "absent": ABSENT} for one in absences(camera)),
    ]
    path = folder / "baselines" / camera.name / "twin.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = {"document": "baselines", "schema": 1, "camera": camera.name, "dataset": "twin"}
    path.write_text(json.dumps({**head, "accepted": lines}))


@dataclass(slots=True)
class World:
    """A camera, its baselines, and nights."""

    folder: Path
    context: Context
    sky: Sky
    calendar: Calendar

    def night(self, *values: float | None, n: int = 100) -> tuple[Path, RunRecord]:
        """Let a night pass in which the measuring steps give these values."""
        self.sky.values[:] = values
        self.sky.n = n
        self.calendar.now += timedelta(days=1)
        folder = open_run(self.context, lane=Lane.NIGHTLY, trigger=Trigger(), fresh=True)
        run_steps(self.context, folder)
        return folder, conclude(self.context, folder, process=True)


def a_world(folder: Path, *, camera: Camera | None = None, store: MemoryStore | None = None) -> World:
    """Make a world of one camera."""
    camera = camera or a_camera()
    accept(folder, camera)
    sky, calendar = Sky([]), Calendar()
    context = Context(
        settings=Settings(runs=folder / "runs", cache=folder, regression_data=folder),
        cameras=[camera],
        engine=sky,
        store=MemoryStore() if store is None else store,
        clock=calendar,
        console=LineConsole(),
        provenance={},
        jobs=1,
    )
    return World(folder, context, sky, calendar)


def only(record: RunRecord) -> Finding:
    """Return the only finding of a run."""
    (found,) = record.findings
    return found


def asking(confirm: object) -> Camera:
    """Make a camera that asks for confirmation."""
    return a_camera().model_copy(update={"judging": Judging.model_validate({"confirm": confirm})})


def test_two_nights_unchanged_are_green_and_the_same(tmp_path: Path) -> None:
    """To the last bit of what was judged, and without a finding."""
    world = a_world(tmp_path)
    (one, first), (two, second) = world.night(5.0), world.night(5.0)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert (one / "comparisons.json").read_bytes() == (two / "comparisons.json").read_bytes()
    assert first.findings == second.findings == ()
    assert first.incidents == second.incidents == ()


def test_a_change_is_found_known_fixed_and_reopened(tmp_path: Path) -> None:
    """Night after night, with the incident that opened it."""
    world = a_world(tmp_path)
    found = [only(record) for _, record in map(world.night, (9.0, 9.0, 5.0, 9.0))]
    assert [one.state.value for one in found] == ["open", "open", "fixed", "reopened"]
    assert [one.known for one in found] == [False, True, True, False]
    assert len({one.id for one in found}) == 1
    assert found[0].incident is not None


def test_a_change_fails_and_is_blamed(tmp_path: Path) -> None:
    """With exit code 1, and an incident whose cause is told."""
    _, record = a_world(tmp_path).night(9.0)
    assert record.exit_code == ExitCode.FAILED
    (incident,) = record.incidents
    assert incident.cause in Cause
    assert only(record).incident == incident.id


def test_a_night_judged_again_is_the_same(tmp_path: Path) -> None:
    """Also when later nights are there: findings, shifts, incidents, exit code."""
    world = a_world(tmp_path)
    world.night(9.0)
    folder, second = world.night(9.0)
    world.night(5.0)
    again = conclude(world.context, folder)
    assert again.findings == second.findings
    assert again.comparisons == second.comparisons
    assert (again.incidents, again.shifts, again.exit_code) == (second.incidents, second.shifts, second.exit_code)


def acknowledged(world: World, finding: Finding, until: date) -> None:
    """Acknowledge a finding."""
    line = Line(finding=finding.id, of="PA1", who="A Person", when=world.calendar.now, until=until, why="being mended")
    acknowledge(world.folder, line)


def test_an_acknowledged_finding_does_not_fail_until_its_day(tmp_path: Path) -> None:
    """Not the night it was found in, judged again, nor those up to the day; after it, it is reopened and fails."""
    world = a_world(tmp_path)
    folder, first = world.night(9.0)
    acknowledged(world, only(first), date(2026, 3, 3))
    assert conclude(world.context, folder).exit_code == 0
    (_, second), (_, third) = world.night(9.0), world.night(9.0)
    assert (second.exit_code, third.exit_code) == (0, 1)
    assert (only(second).state, only(third).state) == (FindingState.ACKNOWLEDGED, FindingState.REOPENED)
    failing = next(one for one in second.comparisons if one.metric == "PA1")
    assert failing.status is Status.WARN
    assert failing.reason.endswith("acknowledged by A Person until 2026-03-03: being mended.")


def test_acknowledgements_that_cannot_be_read_cost_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The night stands, and nothing is acknowledged."""
    world = a_world(tmp_path)
    (tmp_path / "acknowledged.yaml").write_text("<<<<<<< HEAD\n")
    _, record = world.night(9.0)
    assert record.exit_code == 1
    assert "acknowledged.yaml:1: must be acknowledgements of schema 1, one a line, found a merge conflict" in (
        capsys.readouterr().err
    )


def test_an_outage_is_one_finding(tmp_path: Path) -> None:
    """And is over when the camera comes through; what was open before is as it was."""
    world = a_world(tmp_path)
    _, first = world.night(9.0)
    _, second = world.night(None)
    assert second.exit_code == ExitCode.INFRASTRUCTURE
    value, out = sorted(second.findings, key=lambda one: one.kind == "outage")
    assert value == only(first)
    assert out.reason == "measure failed: the disk was full: OSError: No space left on device"
    _, third = world.night(5.0)
    assert [one.state for one in third.findings] == [FindingState.FIXED, FindingState.FIXED]
    assert third.exit_code == 0


def test_an_acknowledged_outage_does_not_fail_the_others(tmp_path: Path) -> None:
    """But a night in which nothing was measured is never green."""
    world = a_world(tmp_path)
    other = a_camera("other")
    accept(tmp_path, other)
    both = replace(world.context, cameras=[other, *world.context.cameras])
    world.context = both
    _, first = world.night(5.0, None)
    assert first.exit_code == ExitCode.INFRASTRUCTURE
    acknowledged(world, only(first), date(2026, 3, 9))
    # The camera that was not measured is the first one now.
    assert world.night(None, 5.0)[1].exit_code == 0
    world.context = replace(both, cameras=both.cameras[1:])
    assert world.night(None)[1].exit_code == ExitCode.INCOMPLETE


def test_half_the_exposures_are_an_outage_until_they_are_back(tmp_path: Path) -> None:
    """The last whole night is what is compared with, not the last one; regressions of such a night do not count."""
    world = a_world(tmp_path)
    world.night(5.0)
    for _ in range(2):
        _, record = world.night(9.0, n=50)
        assert record.exit_code == ExitCode.INCOMPLETE
        assert only(record).reason == "measured on 50% of the visits and detectors of the last time"
        assert record.incidents == ()
    assert world.night(5.0)[1].exit_code == 0


def test_other_data_are_not_half_the_exposures(tmp_path: Path) -> None:
    """Where the recipe changed, the number of exposures may."""
    world = a_world(tmp_path)
    world.night(5.0)
    world.context = replace(world.context, provenance={"data testcam/twin": "another"})
    assert world.night(5.0, n=50)[1].exit_code == 0


def test_a_camera_whose_file_is_broken_is_an_outage(tmp_path: Path) -> None:
    """The night is incomplete, however well the others did."""
    world = a_world(tmp_path)
    world.context = replace(world.context, faulty=[NotRun("curio", "registry: curio.yaml:1: a fault")])
    _, record = world.night(5.0)
    assert record.exit_code == ExitCode.INCOMPLETE
    assert (only(record).kind, only(record).scope.camera) == ("outage", "curio")


def test_two_nights_confirm_where_a_camera_asks_for_it(tmp_path: Path) -> None:
    """The first one warns, the second fails."""
    world = a_world(tmp_path, camera=asking(2))
    (_, first), (_, second) = world.night(9.0), world.night(9.0)
    assert (first.exit_code, second.exit_code) == (0, 1)
    assert only(first).state is FindingState.UNCONFIRMED


def test_a_change_that_does_not_repeat_is_noise(tmp_path: Path) -> None:
    """Processed a second time the same night, it is well: no finding, a warning, and an incident of that cause."""
    world = a_world(tmp_path, camera=asking("rerun"))
    folder, record = world.night(9.0, 5.0)
    assert (record.exit_code, record.findings) == (0, ())
    (incident,) = record.incidents
    assert incident.cause is Cause.NOISE
    moved = next(one for one in record.comparisons if one.metric == "PA1")
    assert moved.reason.endswith("; noise: a second processing tonight gave 5 mmag, which passes.")
    assert moved.status is Status.WARN
    ran = list(world.sky.ran)
    again = conclude(world.context, folder)
    assert world.sky.ran == ran
    assert (again.comparisons, again.incidents, again.exit_code) == (record.comparisons, record.incidents, 0)


def test_a_change_that_repeats_fails(tmp_path: Path) -> None:
    """The second processing shows it too."""
    _, record = a_world(tmp_path, camera=asking("rerun")).night(9.0, 9.0)
    assert (record.exit_code, only(record).state) == (1, FindingState.OPEN)


def test_a_rerun_that_fails_confirms_nothing(tmp_path: Path) -> None:
    """What failed, fails."""
    world = a_world(tmp_path, camera=asking("rerun"))
    folder, record = world.night(9.0, None)
    assert record.exit_code == 1
    assert read_record(folder / "rerun").plan.run_id == f"{record.run_id}/rerun"


def test_nothing_is_processed_again_beyond_the_budget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no time left for what the first processing took, what failed fails, and a line says why."""
    world = a_world(tmp_path, camera=asking("rerun"))
    night = FIRST + timedelta(days=1)
    steps = len(read_record(world.night(5.0)[0]).outcomes)
    for left, code in ((steps - 1, 1), (steps, 0)):
        night += timedelta(days=1)
        world.context = replace(world.context, ends=night + timedelta(seconds=left))
        folder, record = world.night(9.0, 5.0)
        assert record.exit_code == code
        assert (folder / "rerun").exists() is (code == 0)
    (line,) = [one for one in capsys.readouterr().err.splitlines() if "a second time" in one and "budget" in one]
    assert f"it took {steps} s, and of the budget {steps - 1} s are left" in line


def test_nothing_is_processed_again_without_need(tmp_path: Path) -> None:
    """Not when all is well, nor when a run is only judged again."""
    world = a_world(tmp_path, camera=asking("rerun"))
    folder, _ = world.night(5.0)
    accept(tmp_path, world.context.cameras[0], value=2.0)
    ran = len(world.sky.ran)
    assert conclude(world.context, folder).exit_code == 0
    accept(tmp_path, world.context.cameras[0], value=9.0)
    assert not (folder / "rerun").exists()
    assert len(world.sky.ran) == ran


def test_a_history_that_cannot_be_read_costs_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The night is judged without it."""

    class BrokenStore(MemoryStore):
        def states(self) -> dict[object, object]:  # type: ignore[override]
            text = "the database is away"
            raise InfrastructureError(text)

    _, record = a_world(tmp_path, store=BrokenStore()).night(5.0)
    assert (record.exit_code, record.shifts) == (0, ())
    assert "warning: the database is away" in capsys.readouterr().err


def test_a_night_without_a_store_is_judged(tmp_path: Path) -> None:
    """A history is optional."""
    world = a_world(tmp_path)
    world.context = replace(world.context, store=None)
    assert world.night(5.0)[1].exit_code == 0


def test_a_damaged_journal_of_an_earlier_night_costs_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The night before it is the one before this one."""
    world = a_world(tmp_path)
    _, first = world.night(9.0)
    damaged, _ = world.night(9.0)
    (damaged / "journal.jsonl").write_text("not a journal\n{}\n")
    _, third = world.night(9.0)
    assert only(third).nights == only(first).nights + 1
    assert f"warning: {damaged / 'journal.jsonl'}" in capsys.readouterr().err


def test_a_journal_from_before_there_were_findings_is_taken_as_one_without(tmp_path: Path) -> None:
    """Old journals load."""
    world = a_world(tmp_path)
    folder, _ = world.night(9.0)
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    for line in lines:
        for name in ("findings", "incidents", "shifts"):
            line.pop(name, None)
    (folder / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_record(folder).findings == ()
    assert only(world.night(9.0)[1]).nights == 1


def test_an_expired_waiver_is_a_finding(tmp_path: Path) -> None:
    """Also while the metric is well; it warns."""
    waiver = Waiver(metric="PA1", bands=("r",), reason="a broken shutter.", expires=date(2026, 3, 1))
    camera = a_camera().model_copy(update={"requirements": Requirements(waivers=(waiver,))})
    _, record = a_world(tmp_path, camera=camera).night(5.0)
    assert record.exit_code == 0
    assert only(record).kind == "waiver"
    assert only(record).reason == (
        "The waiver of PA1 in r expired on 2026-03-01 (a broken shutter); "
        "mend the metric, renew the waiver or remove it."
    )


def decide(
    world: World, *values: float, expires: date | None = None, reference: bool = False, only_pa1: bool = False
) -> None:
    """Let somebody accept values of PA1, one after another, and all else."""
    camera = world.context.cameras[0]
    made = Decision(who="A Person", when=FIRST, why="new optics", expires=expires, reference=reference or None)
    for value in values:
        results = (*absences(camera), *measurements(camera.name, value, 100))
        selection = Selection(("PA1",) if only_pa1 else tuple(sorted({one.metric for one in results})))
        baselines.accept(
            world.folder, results, run=f"{expires}{value}", decision=made, rules=RULES, selection=selection
        )


def a_decided_world(folder: Path) -> World:
    """Make a world in which nothing was accepted yet."""
    world = a_world(folder)
    (folder / "baselines" / "testcam" / "twin.json").unlink()
    return world


def told(world: World, night: tuple[Path, RunRecord], capsys: pytest.CaptureFixture[str]) -> Finding:
    """Return the only finding of a night: a warning on the terminal, in the JSON and on the pages of the report."""
    folder, record = night
    found = only(record)
    assert (found.status, found.state, record.exit_code) == (Status.WARN, FindingState.OPEN, 0)
    capsys.readouterr()
    print_summary(world.context, folder, as_json=True)
    (said,) = json.loads(capsys.readouterr().out)["summary"]["findings"]
    assert (said["kind"], said["reason"]) == (found.kind, found.reason)
    print_summary(world.context, folder, as_json=False)
    assert found.reason in " ".join(capsys.readouterr().out.split())
    page = html.unescape((folder / "report" / "index.html").read_text())
    assert found.reason in " ".join(page.split())
    return found


def test_an_acceptance_is_a_finding_after_its_day_and_not_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It holds on its day; from then on every night says so, until it is taken back or accepted anew."""
    world = a_decided_world(tmp_path)
    decide(world, 5.0)
    decide(world, 5.0, expires=FIRST.date() + timedelta(days=1), only_pa1=True)
    assert world.night(5.0)[1].findings == ()
    found = told(world, world.night(5.0), capsys)
    assert (found.kind, found.metric, found.known) == ("acceptance", "PA1", False)
    decide(world, 5.0, only_pa1=True)
    _, record = world.night(5.0)
    assert (only(record).state, record.exit_code) == (FindingState.FIXED, 0)


def test_small_accepted_steps_that_add_up_are_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Held against the first accepted level; no night fails by it, and a new reference ends it."""
    world = a_decided_world(tmp_path)
    decide(world, 5.0, 5.4)
    assert world.night(5.4)[1].findings == ()
    decide(world, 6.0)
    found = told(world, world.night(6.0), capsys)
    assert (found.kind, found.metric) == ("ratchet", "PA1")
    assert found.reason.startswith(
        "Its baseline crept from 5 mmag to 6 mmag since 2026-03-01, in 2 accepted steps for the worse, and 0.75 mmag"
    )
    decide(world, 6.0, reference=True)
    assert only(world.night(6.0)[1]).state is FindingState.FIXED


def test_baselines_that_nobody_decided_are_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One for a data set, however many lines of its file were edited; put right, it is over."""
    world = a_decided_world(tmp_path)
    decide(world, 5.0)
    path = tmp_path / "baselines" / "testcam" / "twin.json"
    text = path.read_text()
    path.write_text(text.replace('"value": 5.0', '"value": 5.05').replace('"value": 0.7', '"value": 0.71'))
    night = world.night(5.0)
    found = next(one for one in night[1].findings if one.kind == "undecided")
    assert (found.metric, str(found.scope), found.status) == ("baselines", "testcam/twin", Status.WARN)
    assert "PA1 of testcam/twin/r/t0 must be 5.0 +- 0.1 mmag" in found.reason
    assert found.reason.endswith("; 1 more. Put it right with obsqa baseline restore.")
    path.write_text(text)
    assert all(one.state is FindingState.FIXED for one in world.night(5.0)[1].findings)
