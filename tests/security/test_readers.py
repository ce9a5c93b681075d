"""Whatever is in a file, reading it gives a value or one clear line: no traceback, no hang.

The files are valid ones, damaged as text or as a tree of values. `OBSQA_FUZZ` is the number of cases for each reader.
"""

from __future__ import annotations

import json
import os
import random
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci.bisect.packages import read_packages
from ci.notify.site import read_site
from obs_registry.errors import RegistryError
from obs_registry.loader import load_registry
from qa.baselines import files as baselines
from qa.baselines.book import ledger
from qa.changes import load as load_state
from qa.engines.jobfile import read_job as read_step
from qa.errors import ObsqaError, RequestError
from qa.foreign import benchmarks, bundles, jobs
from qa.journal import FILE_NAME, Journal, read_record
from qa.judging import acknowledged
from qa.model import Lane, Plan, Scope, Stage, Step, StepOutcome, StepStatus, Trigger
from qa.record import Judged, Measured, RunFinished, RunStarted, StepFinished, StepStarted
from qa.requirements.loader import read as read_requirements
from qa.requirements.verify.package import load_package
from qa.suites import junit
from qa.suites import metrics as suite_metrics
from qa.testing import NOW, Clock, a_measurement
from qa.twins.recipe import load_recipe

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = int(os.environ.get("OBSQA_FUZZ", "60"))
ROOT = Path(__file__).resolve().parents[2]
LONG = 200

HOSTILE = [
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "a\nb",
    "\x1b[2J",
    "\x00",
    "\ud800",
    "NaN",
    "!!python/object/apply:os.system [true]",
    "&a [*a, *a]",
    "{{7*7}}",
    "9" * 5000,
    "[" * 5000,
    "- " * 3000,
    "2026-13-45",
    "1e999",
    "<<: *x",
    "? {a: b}\n: c",
    "\N{RIGHT-TO-LEFT OVERRIDE}",
    "\N{ZERO WIDTH NO-BREAK SPACE}",
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(HOSTILE[:10]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)


def _journal(folder: Path) -> bytes:
    steps = tuple(Step("testcam", "twin", stage) for stage in Stage)
    outcome = StepOutcome(steps[0], StepStatus.DONE, 1.0, 1.0, 100.0)
    with Journal(folder / FILE_NAME, Clock()) as journal:
        journal.append(RunStarted(Plan("20260301T010000Z", Lane.NIGHTLY, Trigger(), NOW, steps), {"host": "here"}))
        journal.append(StepStarted(steps[0]))
        journal.append(StepFinished(outcome))
        journal.append(Measured("testcam", "twin", (a_measurement(),), ("a caveat",)))
        journal.append(Judged(()))
        journal.append(RunFinished(0))
    return (folder / FILE_NAME).read_bytes()


def _first_entries(path: Path) -> str:
    """Return the head of the ledger and a few moves of its first entry: a long file is damaged in dull places."""
    return "".join(path.read_text().splitlines(keepends=True)[:16])


def _some_baselines(path: Path) -> bytes:
    """Return the first ten baselines of a file, as a file."""
    body = json.loads(path.read_text())
    return _json(body | {"accepted": body["accepted"][:10]})


JOB = {
    "blobs": [{"identifier": "b1", "name": "m", "data": {"x": {"value": [1.0, 2.0], "unit": "mas", "label": "x"}}}],
    "measurements": [
        {"identifier": "i", "metric": "validate_drp.AM1", "unit": "marcsec", "value": 5.0, "blob_refs": ["b1"]}
    ],
    "meta": {"instrument": "HSC", "filter": "HSC-R", "date": "2018-01-01T00:00:00+00:00", "tract": 8766},
    "specs": [],
}
BUNDLE = {"stellar": [{"metric": "psf_fwhm", "value": 0.7, "unit": "arcsec"}], "__reference_package": "lsst_distrib"}
BENCHMARK = {
    "benchmarks": [{"name": "t", "stats": {"median": 2.0, "iqr": 0.1, "rounds": 3}}],
    "machine_info": {"cpu": {"brand_raw": "x"}},
    "datetime": "2026-01-01T00:00:00",
}
ACKNOWLEDGED = {
    "document": "acknowledged",
    "schema": 1,
    "acknowledged": [],
}
SITE = {"document": "subscriptions", "schema": 1, "people": []}
STATE = {
    "last": "2026-01-01T00:00:00Z",
    "epoch": "",
    "missing": False,
    "level": {"count": 1, "values": [1.0], "nights": ["2026-01-01T00:00:00Z"]},
    "schema": 2,
}
PACKAGES = {"schema": 1, "packages": {"afw": {"repository": str(ROOT)}}}
METRICS = {"PA1": {"description": "Repeatability", "unit": "mmag", "reference": {"doc": "LPM-17"}, "tags": ["a"]}}
SPECIFICATION = {
    "name": "design",
    "metric": "PA1",
    "threshold": {"operator": "<=", "unit": "mmag", "value": 5.0},
    "tags": ["design"],
}


SUITE_METRICS = {
    "schema": 1,
    "metrics": [{"name": "query_latency", "value": 1.5, "unit": "s", "stderr": 0.1, "direction": "lower", "n": 3}],
}
JUNIT = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="a" tests="3" failures="1" errors="0" skipped="1" time="2.5">
<testcase classname="a.b" name="one" time="1.0"/>
<testcase classname="a.b" name="two" time="1.5"><failure message="1 != 2">traceback &amp; more</failure></testcase>
<testcase classname="a.b" name="three"><skipped/></testcase>
</testsuite></testsuites>
"""


def _yaml(value: object) -> bytes:
    return yaml.safe_dump(value, sort_keys=False).encode()


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _at(folder: Path, *parts: str) -> Path:
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _package(folder: Path) -> None:
    _at(folder, "metrics", "validate_drp.yaml").write_bytes(_yaml(METRICS))
    package = load_package(folder)
    if package.faults:
        raise RequestError(package.faults[0].message)


# For each reader: what it reads, where that lies, and how it is read.
READERS: dict[str, tuple[Callable[[Path], bytes], tuple[str, ...], Callable[[Path], object]]] = {
    "registry": (
        lambda _: (ROOT / "obs_registry/cameras/latiss.yaml").read_bytes(),
        ("latiss.yaml",),
        lambda folder: load_registry(shipped=folder, plugins=False),
    ),
    "requirements": (
        lambda _: (ROOT / "qa/requirements/lpm-17-elsewhere.yaml").read_bytes(),
        ("lpm-17-elsewhere.yaml",),
        lambda folder: read_requirements(folder / "lpm-17-elsewhere.yaml"),
    ),
    "specifications": (
        lambda _: _yaml(SPECIFICATION),
        ("specs", "validate_drp", "PA1.yaml"),
        _package,
    ),
    "baselines": (
        lambda _: _some_baselines(ROOT / "regression_data/baselines/hsc/twin-quick.json"),
        ("baselines", "hsc", "twin-quick.json"),
        lambda folder: baselines.load(folder, "hsc", "twin-quick"),
    ),
    "ledger": (
        lambda _: _first_entries(ROOT / "regression_data/ledger.yaml").encode(),
        ("ledger.yaml",),
        ledger,
    ),
    "acknowledgements": (lambda _: _yaml(ACKNOWLEDGED), ("acknowledged.yaml",), acknowledged.load),
    "journal": (_journal, (FILE_NAME,), read_record),
    "job": (lambda _: _json(JOB), ("job.json",), lambda folder: jobs.read_job(folder / "job.json")),
    "bundle": (lambda _: _json(BUNDLE), ("bundle.json",), lambda folder: bundles.read(folder / "bundle.json")),
    "benchmark": (lambda _: _json(BENCHMARK), ("b.json",), lambda folder: benchmarks.read(folder / "b.json")),
    "junit": (lambda _: JUNIT, ("junit.xml",), lambda folder: junit.read(folder / "junit.xml")),
    "suite": (
        lambda _: _json(SUITE_METRICS),
        ("metrics.json",),
        lambda folder: suite_metrics.read(folder / "metrics.json", Scope("qserv", "tests")),
    ),
    "state": (lambda _: _json(STATE), ("state.json",), lambda folder: load_state((folder / "state.json").read_bytes())),
    "subscriptions": (lambda _: _yaml(SITE), ("site.yaml",), lambda folder: read_site(folder / "site.yaml")),
    "recipe": (
        lambda _: (ROOT / "regression_data/skies/latiss-quick.yaml").read_bytes(),
        ("latiss-quick.yaml",),
        lambda folder: load_recipe(folder / "latiss-quick.yaml"),
    ),
    "packages": (lambda _: _yaml(PACKAGES), ("packages.yaml",), lambda at: read_packages(at / "packages.yaml")),
    "step": (
        lambda _: _json({"document": "job", "schema": 1, "job": {"camera": {}, "dataset": "twin", "stage": "draw"}}),
        ("job.json",),
        lambda folder: read_step(folder / "job.json"),
    ),
}


# Readers whose files are also damaged as a tree of values, with half of the cases; all others are damaged as text.
TREES = [name for name, one in READERS.items() if not one[1][-1].endswith("xml")]


@st.composite
def _edits(draw: st.DrawFn) -> list[tuple[float, int, bytes]]:
    """Draw where to cut how much and what to put there; places are shares of the length."""
    piece = st.one_of(
        st.binary(max_size=6),
        st.sampled_from([text.encode("utf-8", "surrogatepass") for text in HOSTILE]),
    )
    edit = st.tuples(st.floats(0, 1), st.sampled_from([0, 0, 1, 2, 10, LONG, 10**6]), piece)
    return draw(st.lists(edit, min_size=1, max_size=3))


def _damaged(text: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for share, length, piece in edits:
        start = int(share * len(text))
        text = text[:start] + piece + text[start + length :]
    return text


def _changed(value: Any, rng: random.Random, new: Any) -> Any:
    """Put `new` at a random place of a tree of values."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        match rng.randrange(6):
            case 0:
                return {one: value[one] for one in value if one != key}
            case 1:
                return value | {str(new)[:20]: value[key]}
        return value | {key: _changed(value[key], rng, new)}
    if isinstance(value, list) and value and rng.random() < 0.85:
        at = rng.randrange(len(value))
        return [*value[:at], _changed(value[at], rng, new), *value[at + rng.randrange(2) :]]
    return new


def _reads_or_says_so(folder: Path, name: str, text: bytes) -> None:
    """Write the file and read it: what is raised may only be one of obsqa's own errors."""
    _, parts, read = READERS[name]
    _at(folder, *parts).write_bytes(text)
    with suppress(ObsqaError, RegistryError):
        read(folder)


@pytest.mark.parametrize("name", READERS)
def test_what_is_whole_is_read(name: str, tmp_path: Path) -> None:
    """The files that are damaged below are read as they are (but for the job of a step, which is short of facts)."""
    make, parts, read = READERS[name]
    _at(tmp_path, *parts).write_bytes(make(tmp_path))
    with pytest.raises(ObsqaError) if name == "step" else nullcontext():
        read(tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_a_file_damaged_anywhere_is_read_or_refused(name: str, tmp_path: Path) -> None:
    """Cuts, foreign bytes, control characters and endless nesting in the text of a file give a value or a line."""
    whole = READERS[name][0](tmp_path)

    @settings(
        max_examples=CASES // 2 if name in TREES else CASES, suppress_health_check=list(HealthCheck), database=None
    )
    @given(edits=_edits())
    def damage(edits: list[tuple[float, int, bytes]]) -> None:
        _reads_or_says_so(tmp_path, name, _damaged(whole, edits))

    damage()


@pytest.mark.parametrize("name", TREES)
def test_a_wrong_value_anywhere_is_read_or_refused(name: str, tmp_path: Path) -> None:
    """A value of another kind at any place of a file gives a value or a line."""
    text = READERS[name][0](tmp_path)
    is_yaml = READERS[name][1][-1].endswith("yaml")
    trees = [yaml.safe_load(text)] if is_yaml else [json.loads(line) for line in _documents(name, text)]

    @settings(max_examples=CASES - CASES // 2, suppress_health_check=list(HealthCheck), database=None)
    @given(new=VALUES, seed=st.integers(0, 2**32), which=st.integers(0, len(trees) - 1))
    def change(new: Any, seed: int, which: int) -> None:
        rng = random.Random(seed)  # noqa: S311 - damage, not secrets
        put = [_changed(tree, rng, new) if number == which else tree for number, tree in enumerate(trees)]
        dumped = yaml.safe_dump(put[0], sort_keys=False) if is_yaml else "\n".join(map(json.dumps, put)) + "\n"
        _reads_or_says_so(tmp_path, name, dumped.encode("utf-8", "surrogatepass"))

    change()


def _documents(name: str, text: bytes) -> list[bytes]:
    """Return the JSON documents of a file: the lines of a journal, else the whole."""
    if name == "journal":
        return text.splitlines()
    return [text]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefghijklmno", "bcdefghijklmnop", strict=True)
)


@pytest.mark.parametrize("name", [name for name, one in READERS.items() if one[1][-1].endswith("yaml")])
def test_a_file_that_grows_without_end_is_refused(name: str, tmp_path: Path) -> None:
    """Aliases of aliases (a thousand bytes that stand for 10^14 values) are refused, and not unfolded."""
    _, parts, read = READERS[name]
    _at(tmp_path, *parts).write_text(BOMB)
    with pytest.raises((ObsqaError, RegistryError)) as raised:
        read(tmp_path)
    assert len(str(raised.value)) < 10_000
