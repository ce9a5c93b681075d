"""Made-up incidents with a known cause: a few cameras, some nights, and what happened to their values and facts.

Values are drawn, facts are drawn, and what is wrong with a night is done to the values by its kind. Nothing here knows
how attribution works: verdicts come from `qa.judging.compare` as on any night.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from qa.blame import CameraFacts, Rerun, Trial
from qa.judging.compare import compare_all
from qa.judging.policy import Policy
from qa.judging.spread import default_tolerance
from qa.metrics import catalogue
from qa.model import Baseline, Lane, Level, Measurement, Plan, Scope, Stage, Step, Trigger, Unmeasured
from qa.record import RunRecord

if TYPE_CHECKING:
    from qa.judging.judged import Cause
    from qa.model import Comparison, Result

    Key = tuple[str, Scope]

DEFINITIONS = catalogue()
SCIENCE = (
    *("PA1", "PF1", "AM1", "AA1", "TE1", "psf_fwhm", "D1", "Z1", "astrometric_residual", "zero_point_gradient"),
    *("coadd_depth", "coadd_fwhm", "coadd_psf_chi2", "completeness_50_stars", "false_detection_rate"),
    *("photometric_bias", "star_purity", "duplicate_fraction"),
)
RESOURCES = ("cpu_per_megapixel", "peak_memory")
TASKS = ("isr", "characterize", "coadd")
BANDS = ("r", "i")
CAMERAS = {
    "hsc": "obs_subaru",
    "decam": "obs_decam",
    "megaprime": "obs_cfht",
    "lsstcam": "obs_lsst",
    "latiss": "obs_lsst",
}
ALL = tuple(CAMERAS)
FACTS = {name: CameraFacts(frozenset({package, f"{package}_data"})) for name, package in CAMERAS.items()}
STACK = ("afw", "meas_base", "meas_algorithms", "pipe_tasks", "numpy")
POLICY = Policy(None, gate=Level.MINIMUM)
BEGIN = datetime(2026, 3, 1, 1, tzinfo=UTC)
HARDWARE = ("host", "cpu", "threads")


@dataclass(slots=True)
class World:
    """A site: its cameras' series, how its values scatter, how often it changes, and the facts of the present night."""

    random: np.random.Generator
    facts: dict[str, str]
    level: dict[Key, float]
    stderr: dict[Key, float]
    baselines: dict[Key, Baseline]
    exact: bool
    tails: float
    stack_rate: float
    machine: float = 1.0
    gone: set[Key] = field(default_factory=set)
    nights: list[RunRecord] = field(default_factory=list)
    spread: dict[Key, float] = field(default_factory=dict)

    def touch(self, fact: str) -> None:
        """Change a fact."""
        self.facts[fact] = f"{self.random.integers(2**48):012x}"


@dataclass(frozen=True, slots=True)
class Made:
    """What was made: the night, the runs before it, and which series moved by which cause."""

    kind: str
    record: RunRecord
    earlier: tuple[RunRecord, ...]
    truth: tuple[tuple[Cause, frozenset[Key]], ...]
    by_stack: frozenset[Key]
    trials: tuple[Trial, ...] = ()
    reruns: tuple[Rerun, ...] = ()


def a_world(random: np.random.Generator) -> World:
    """Make a site: some give the same bits every night, some scatter, a few of them with outliers."""
    facts = {f"package {name}": "1.0" for name in (*STACK, *dict.fromkeys(CAMERAS.values()))}
    facts |= {
        "packages": str(len(facts) + 1),
        "revision": "1",
        "host": "a",
        "cpu": "x",
        "threads": "1",
        "os": "linux",
        "python": "3.12",
        "machine": "m",
    }
    for camera in CAMERAS:
        facts |= {f"{kind} {camera}/twin": "1" for kind in ("data", "config", "calibrations", "refcat")}
        facts[f"container {camera}"] = "sha256:1"
    exact, tails = bool(random.random() < 0.5), float(random.choice([0.0, 5.0]))
    world = World(random, facts, {}, {}, {}, exact, tails, float(random.choice([0.15, 0.4, 0.8])))
    for camera in CAMERAS:
        for key in _series(camera):
            _start(world, key)
    return world


def _series(camera: str) -> list[Key]:
    science = [(name, Scope(camera, "twin", band, 0)) for name in SCIENCE for band in BANDS]
    return science + [(name, Scope(camera, "twin", task=task)) for name in RESOURCES for task in TASKS]


def _start(world: World, key: Key) -> None:
    value = float(10 ** world.random.uniform(-1, 2))
    is_resource = key[0] in RESOURCES
    world.level[key] = value
    world.stderr[key] = 0.0 if is_resource else value * float(10 ** world.random.uniform(-2.5, -1))
    first = _measurement(world, key, value)
    assumed = default_tolerance(first, DEFINITIONS[key[0]])
    # Spreads are known to a fifth or so, from few repeats.
    world.spread[key] = (
        0.2 * value if is_resource else 0.0 if world.exact else assumed / world.random.uniform(0.85, 1.2)
    )
    world.baselines[key] = Baseline(key[0], key[1], value, first.unit, first.stderr, assumed, "first")


def _measurement(world: World, key: Key, value: float) -> Measurement:
    unit = DEFINITIONS[key[0]].unit
    count = 40 if "visit_summary" in DEFINITIONS[key[0]].reads else 400
    return Measurement(key[0], key[1], float(value), unit, count, world.stderr[key] or None)


def night(world: World, *, ran: frozenset[str]) -> RunRecord:
    """Measure and judge a night as the world is now; `ran` are the cameras that took part."""
    random, number = world.random, len(world.nights)
    busy = float(np.exp(random.normal(0, 0.1)))
    comparisons: list[Comparison] = []
    for camera in sorted(ran):
        keys = _series(camera)
        results = [_result(world, key, busy) for key in keys]
        accepted = {key: world.baselines[key] for key in keys}
        comparisons += compare_all(results, (), accepted, definitions=DEFINITIONS, policy=POLICY)
    steps = tuple(Step(camera, "twin", Stage.MEASURE) for camera in sorted(ran))
    when = BEGIN + timedelta(days=number)
    plan = Plan(f"{when:%Y%m%dT%H%M%SZ}", Lane.NIGHTLY, Trigger(), when, steps)
    record = RunRecord(plan, dict(world.facts), when, comparisons=tuple(comparisons))
    world.nights.append(record)
    return record


def _result(world: World, key: Key, busy: float) -> Result:
    if key in world.gone:
        return Unmeasured(*key, "the task failed")
    value = world.level[key]
    if key[0] in RESOURCES:
        factor = world.machine * busy if key[0] == "cpu_per_megapixel" else 1 + 0.1 * (world.machine - 1)
        return _measurement(world, key, value * factor * np.exp(world.random.normal(0, 0.15 if factor != 1 else 0.02)))
    heavy = np.sqrt(1 - 2 / world.tails) if world.tails else 0.0  # to unit variance
    shock = heavy * world.random.standard_t(world.tails) if world.tails else world.random.normal()
    return _measurement(world, key, value + world.spread[key] * shock)


def quiet_changes(world: World, *, stack: bool | None = None) -> None:
    """Change what changes all the time and does no harm; `stack` forces, or forbids, a change of the stack."""
    random = world.random
    if stack or (stack is None and random.random() < world.stack_rate):
        for name in random.choice(STACK, size=random.integers(1, 4), replace=False):
            world.touch(f"package {name}")
    if stack is None or stack:
        for package in dict.fromkeys(CAMERAS.values()):
            if random.random() < 0.05:
                world.touch(f"package {package}")
        if random.random() < 0.05:
            world.touch("host")
            world.machine = float(np.exp(random.normal(0, 0.15)))


def some_cameras(world: World, *, sure: tuple[str, ...] = ()) -> frozenset[str]:
    """Choose who takes part in a night: most do."""
    return frozenset(name for name in CAMERAS if name in sure or world.random.random() < 0.8) | frozenset(
        sure or ["hsc"]
    )


def spoil(world: World, cameras: tuple[str, ...], *, share: float | None = None, crash: bool = False) -> frozenset[Key]:
    """Move part of the metrics of cameras, by a few spreads to hundreds, some of them for the better."""
    random = world.random
    names = [name for name in SCIENCE if random.random() < (share or random.beta(0.8, 1.5))] or [
        str(random.choice(SCIENCE))
    ]
    moved = set()
    for camera in cameras:
        for key in _series(camera):
            # Not all bands and not all cameras notice all of it.
            if key[0] not in names or (random.random() < 0.25 and len(names) > 1):
                continue
            if crash and random.random() < 0.5:
                world.gone.add(key)
            else:
                shift(world, key, float(10 ** random.uniform(0.7, 2.3)))
            moved.add(key)
    return frozenset(moved)


def shift(world: World, key: Key, spreads: float) -> None:
    """Move the level of a series by so many spreads of its baseline, mostly for the worse."""
    sign = {"lower": 1, "higher": -1, "zero": 1}[DEFINITIONS[key[0]].direction.value]
    sign = sign if world.random.random() < 0.8 else -sign
    world.level[key] += sign * spreads * max(world.baselines[key].tolerance, 1e-6 * abs(world.level[key]))
