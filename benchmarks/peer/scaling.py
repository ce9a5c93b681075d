"""How our chain grows: CPU at 8 to 64 visits of small detectors, memory of the coadd at 8 and 64 of large ones."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import vstack

from benchmarks.peer.data import prepare, recipe_of
from benchmarks.peer.night import FACTS, REFERENCE, TRUTH, Night, open_night
from benchmarks.peer.process import ours

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qa.twins.recipe import Recipe

    Results = dict[str, dict[str, float]]

VISITS = (8, 16, 32, 64)
SMALL, SEED = 1024, 9
STEPS = ("detect", "calibrate", "coadd", "measure")
COPY = 1_000_000
"""Between the numbers of a visit and of its copy."""


def measure(folder: Path, cache: Path, *, side: int) -> Results:
    """Measure both."""
    deepest = prepare(folder / f"{SEED}-scaling", cache, seed=SEED, visits=VISITS[-1], detectors=1, side=SMALL)
    results = {str(count): _cpu(part_of(deepest, count)) for count in VISITS}
    large = prepare(folder / f"1-8x4x{side}", cache, seed=1, visits=8, detectors=4, side=side)
    if not (large.folder / "solutions.pickle").exists():
        ours("detect", large.folder)
        ours("calibrate", large.folder)
    for copies in (1, 8):
        cost = ours("coadd", repeated(large, copies).folder)
        results[f"coadd of {8 * copies}"] = {
            "cpu": cost.cpu,
            "peak": cost.peak,
            "megapixels": copies * large.megapixels,
        }
    return results


def _cpu(night: Night) -> dict[str, float]:
    costs = {step: ours(step, night.folder) for step in STEPS}
    found = {step: cost.cpu for step, cost in costs.items()}
    return found | {"megapixels": night.megapixels, "peak": max(cost.peak for cost in costs.values())}


def part_of(night: Night, count: int) -> Night:
    """Take the first visits of a set."""
    recipe = recipe_of(night)
    recipe = recipe.model_copy(update={"visits": recipe.visits[:count]})
    part = _folder(night.folder / f"first-{count}", recipe)
    for name in (REFERENCE, TRUTH, *(f"visit-{visit}{kind}.fits" for visit in part.visits for kind in ("", ".weight"))):
        _link(night.folder / name, part.folder / name)
    return part


def repeated(night: Night, copies: int) -> Night:
    """Take every calibrated visit of a set several times: memory does not ask whether pixels are new."""
    visits = [
        visit.model_copy(update={"exposure": visit.exposure + COPY * copy})
        for copy in range(copies)
        for visit in recipe_of(night).visits
    ]
    made = _folder(night.folder / f"times-{copies}", recipe_of(night).model_copy(update={"visits": tuple(visits)}))
    solutions = pickle.loads((night.folder / "solutions.pickle").read_bytes())  # noqa: S301 - our own
    tables = []
    for copy in range(copies):
        table = solutions.copy()
        table["visit"] = np.asarray(table["visit"]) + COPY * copy
        tables.append(table)
        for visit, detector in zip(solutions["visit"], solutions["detector"], strict=True):
            _link(
                night.folder / f"calexp-{visit}-{detector}.fits",
                made.folder / f"calexp-{visit + COPY * copy}-{detector}.fits",
            )
    (made.folder / "solutions.pickle").write_bytes(pickle.dumps(vstack(tables, metadata_conflicts="silent")))
    return made


def _folder(folder: Path, recipe: Recipe) -> Night:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FACTS).write_text(json.dumps(recipe.model_dump(mode="json")))
    return open_night(folder)


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    target.symlink_to(source)


def rows(results: Results) -> Iterator[str]:
    """Lines of the table."""
    yield f"{'visits':>8s} {'Mpix':>7s} " + " ".join(f"{step:>12s}" for step in STEPS) + "  CPU s (ms/Mpix)"
    for count in VISITS:
        one = results[str(count)]
        each = " ".join(f"{one[step]:5.1f} ({1e3 * one[step] / one['megapixels']:4.0f})" for step in STEPS)
        yield f"{count:8d} {one['megapixels']:7.1f} {each}"
    for name, one in results.items():
        if name.startswith("coadd of"):
            yield f"{name} visits, {one['megapixels']:.0f} Mpix: {one['cpu']:.1f} s CPU, peak {one['peak']:.0f} MiB"
