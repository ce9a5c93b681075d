"""From a run to an archive: which value is meant, and which data show it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ci.console import LineConsole
from ci.lanes import Context
from ci.reproduce import make as module
from ci.reproduce.archive import unpack
from ci.reproduce.contents import read
from ci.reproduce.make import Wish, chosen, make
from ci.settings import Settings
from obs_registry.model import Stored
from qa.engines.recorded import RecordedEngine
from qa.errors import RequestError, UnknownNameError
from qa.journal import FILE_NAME, Journal, read_record
from qa.model import Lane, Measurement, Plan, Scope, Stage, Step, Trigger, Unmeasured
from qa.provenance.reproduction import Reproduction, answer
from qa.record import Measured, RunStarted
from qa.testing import NOW, Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from obs_registry.model import Camera
    from qa.model import Result
    from qa.provenance.reproduction import Answer

PLACE = ("hsc", "twin-quick")
OF_R = Measurement("PA1", Scope(*PLACE, "r", 0), 1.25, "mmag", 22, 0.2)
OF_I = replace(OF_R, scope=Scope(*PLACE, "i", 0))
COST = Measurement("cpu_per_megapixel", Scope(*PLACE, task="isr"), 3.0, "s", 1)
RESULTS = (OF_R, OF_I, COST, Unmeasured("PA2", Scope(*PLACE, "r", 0), "too few stars"))


def a_run(folder: Path, *results: Result, lane: Lane = Lane.COMMIT) -> Path:
    """Write the journal of a run of HSC's small twin."""
    plan = Plan("1", lane, Trigger(), NOW, tuple(Step(*PLACE, stage) for stage in Stage))
    with Journal(folder / "1" / FILE_NAME, Clock()) as journal:
        journal.append(RunStarted(plan, {"python": "3.11.7"}))
        journal.append(Measured(*PLACE, results or RESULTS))
    return folder / "1"


@pytest.fixture
def context(tmp_path: Path, hsc: Camera, recipes: Path) -> Context:
    """Return a context of HSC alone."""
    settings = Settings(runs=tmp_path, cache=tmp_path / "cache", regression_data=recipes)
    return Context(settings, [hsc], RecordedEngine({}), None, Clock(), LineConsole(), {})


@pytest.fixture
def processing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Reproduction]]:
    """Return what replaces the processing by numbers, and lists what was asked for."""

    def use(gives: Callable[[Reproduction], float]) -> list[Reproduction]:
        asked: list[Reproduction] = []

        def process(_folder: Path, what: Reproduction, _camera: Camera, **_: object) -> Answer:
            asked.append(what)
            return answer(what, replace(what.expected, value=gives(what)), facts=what.facts)

        monkeypatch.setattr(module, "process", process)
        return asked

    return use


def test_one_value_must_be_named(tmp_path: Path) -> None:
    """By metric, band, data set or task; the line lists those there are."""
    record = read_record(a_run(tmp_path))
    assert chosen(record, Wish("hsc", "PA1", "r")) == OF_R
    assert chosen(record, Wish("hsc", "cpu_per_megapixel")) == COST
    with pytest.raises(RequestError, match="there are: hsc/twin-quick/r/t0, hsc/twin-quick/i/t0; choose by --band"):
        chosen(record, Wish("hsc", "PA1"))
    with pytest.raises(RequestError, match="there are: hsc/twin-quick/r/t0, hsc/twin-quick/i/t0; choose by --band"):
        chosen(record, Wish("hsc", "PA1", "z"))
    with pytest.raises(RequestError, match="must have a value to be reproduced, found none: too few stars"):
        chosen(record, Wish("hsc", "PA2"))
    with pytest.raises(
        UnknownNameError, match="no metric of hsc in this run is called 'PA9'; known: PA1, PA2, cpu_per_megapixel"
    ):
        chosen(record, Wish("hsc", "PA9"))
    with pytest.raises(UnknownNameError, match="no camera measured in this run is called 'decam'; known: hsc"):
        chosen(record, Wish("decam", "PA1"))


def test_the_smallest_data_that_show_the_value_are_taken(
    context: Context, tmp_path: Path, processing: Callable[..., list[Reproduction]]
) -> None:
    """One band of two, once it was processed and gave the same bits; the archive holds what was processed."""
    asked = processing(lambda what: what.value)
    made = make(context, a_run(tmp_path), Wish("hsc", "PA1", "r"), out=tmp_path / "a.tar.gz")
    assert made.answer.same
    assert [len(one.exposures) for one in asked] == [13]
    assert made.whole == 18
    assert made.size == (tmp_path / "a.tar.gz").stat().st_size < 2_000_000
    found, _ = read(unpack(tmp_path / "a.tar.gz", tmp_path / "into"))
    assert found.exposures == asked[0].exposures
    assert found.here == OF_R


def test_where_less_gives_another_value_everything_is_taken(
    context: Context, tmp_path: Path, processing: Callable[..., list[Reproduction]]
) -> None:
    """The guess is proven, not believed."""
    asked = processing(lambda what: what.value + (0.5 if what.exposures else 0.0))
    made = make(context, a_run(tmp_path), Wish("hsc", "PA1", "r"), out=tmp_path / "a.tar.gz")
    assert made.answer.same
    assert [len(one.exposures) for one in asked] == [13, 0]
    assert read(unpack(tmp_path / "a.tar.gz", tmp_path / "into"))[0].exposures == ()


def test_a_value_that_does_not_come_out_again_is_still_packed(
    context: Context, tmp_path: Path, processing: Callable[..., list[Reproduction]]
) -> None:
    """As after a change of the software: with the smallest data that give what the whole gives now."""
    asked = processing(lambda _what: 2.0)
    made = make(context, a_run(tmp_path), Wish("hsc", "PA1", "r"), out=tmp_path / "a.tar.gz")
    assert not made.answer.same
    assert len(asked) == 2
    found, _ = read(unpack(tmp_path / "a.tar.gz", tmp_path / "into"))
    assert len(found.exposures) == 13
    assert found.here is not None
    assert (found.value, found.here.value) == (1.25, 2.0)


def test_costs_and_all_bands_are_measured_on_everything(
    context: Context, tmp_path: Path, processing: Callable[..., list[Reproduction]]
) -> None:
    """And so is what is asked for as a whole."""
    asked = processing(lambda what: what.value)
    run = a_run(tmp_path)
    make(context, run, Wish("hsc", "cpu_per_megapixel"), out=tmp_path / "a.tar.gz")
    make(context, run, Wish("hsc", "PA1", "r"), out=tmp_path / "b.tar.gz", whole=True)
    assert [one.exposures for one in asked] == [(), ()]


def test_what_nothing_measured_here_cannot_be_rerun(context: Context, tmp_path: Path) -> None:
    """The line says why."""
    with pytest.raises(RequestError, match="came from files"):
        make(context, a_run(tmp_path, lane=Lane.IMPORTED), Wish("hsc", "PA1", "r"))


def test_a_camera_that_left_the_registry_is_told(context: Context, tmp_path: Path) -> None:
    """Its data cannot be made again."""
    with pytest.raises(UnknownNameError, match="no camera is called 'hsc'; known: none"):
        make(replace(context, cameras=[]), a_run(tmp_path), Wish("hsc", "PA1", "r"))


def test_of_a_repository_the_query_is_narrowed(
    context: Context, tmp_path: Path, hsc: Camera, processing: Callable[..., list[Reproduction]]
) -> None:
    """To the band, within what was asked for before; a pipeline in steps has queries of its own, and stays whole."""
    body = {"name": "twin-quick", "kind": "butler", "lane": "commit", "bands": ["r", "i"], "pipeline": "p.yaml#all"}
    body |= {"repository": "/repo", "collections": ["x"], "bundles": ["metrics"], "query": "visit > 1 OR visit = 0"}
    asked = processing(lambda what: what.value)
    run = a_run(tmp_path)
    for changes in ({}, {"query": None}, {"pipeline": "p.yaml", "steps": [{"subset": "step1"}]}):
        camera = hsc.model_copy(update={"datasets": (Stored.model_validate(body | changes),)})
        make(replace(context, cameras=[camera]), run, Wish("hsc", "PA1", "r"), out=tmp_path / "a.tar.gz")
    assert [one.query for one in asked] == ["(visit > 1 OR visit = 0) AND (band = 'r')", "band = 'r'", None]
    found, camera = read(unpack(tmp_path / "a.tar.gz", tmp_path / "into"))
    assert found.query is None
    assert camera.datasets[0].kind == "butler"
