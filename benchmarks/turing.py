"""The change detector beside apache-otava and asv on series that people annotated: the Turing Change Point Dataset.

usage: python benchmarks/turing.py [DIR]

DIR is a checkout of https://github.com/alan-turing-institute/TCPD (`make` there fetches the series that may not be
passed on), or any folder laid out like it; without it the series in `benchmarks/turing` are taken, whose README says
which they are. Every detector reads each whole series. Ours is measured twice: "obsqa looking back" cuts the
whole series into levels, as the annotators did who saw all of it and as the peers do; "obsqa N" is the online detector
at the budget for N series, which reports each night what it sees and knows no later one. Series with several values a
time are left out, values that are missing are left out of the series for all detectors alike.

F1 is that of TCPDBench, margin 5: a change at 0 counts as marked and as reported by all; precision is the share of the
reports near any annotator's mark, recall the mean over the annotators. Strict F1 leaves the change at 0 out, and with
it annotators who marked nothing; where nobody did, it is 1 for no report and 0 for any. Covering is that of TCPDBench:
the mean overlap of the annotators' segments with the reported ones. "nothing" reports nothing in any series.
Ends with 1 when looking back missed a figure to reach.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    Detector = Callable[[np.ndarray], Collection[int]]

MARGIN = 5
TO_REACH = {"F1": 0.718, "strict": 0.380}
LOOKING_BACK = "obsqa looking back"
HERE = Path(__file__).resolve().parent / "turing"


class Scores(NamedTuple):
    """How well the reports in a series agree with its annotators, each 0 to 1."""

    f1: float
    strict: float
    covering: float


@dataclass(frozen=True, slots=True)
class Annotated:
    """A series without its missing values, where each value was in it, its length, and what annotators marked."""

    name: str
    values: np.ndarray
    places: np.ndarray
    length: int
    marks: tuple[frozenset[int], ...]


def hits(marks: Collection[int], reports: Collection[int]) -> int:
    """Count the marks that have a report near them, each report counted once, the nearest taken first."""
    left, found = set(reports), 0
    for mark in sorted(marks):
        near = min(left, key=lambda one: (abs(mark - one), one), default=None)
        if near is not None and abs(mark - near) <= MARGIN:
            left.remove(near)
            found += 1
    return found


def f1(marks: Sequence[frozenset[int]], reports: Collection[int]) -> float:
    """Return F1: of the reports near any mark, and of the marks found averaged over annotators."""
    near = hits(frozenset().union(*marks), reports)
    if near == 0:
        return 0.0
    precision = near / len(reports)
    recall = float(np.mean([hits(one, reports) / len(one) for one in marks]))
    return 2 * precision * recall / (precision + recall)


def strict_f1(marks: Sequence[frozenset[int]], reports: Collection[int]) -> float:
    """Return F1 without the change at 0."""
    told = [one - {0} for one in marks if one - {0}]
    reports = set(reports) - {0}
    return f1(told, reports) if told else float(not reports)


def segments(changes: Collection[int], length: int) -> list[tuple[int, int]]:
    """Cut a series at its changes."""
    cuts = sorted({0, *changes} & set(range(length)))
    return list(zip(cuts, [*cuts[1:], length], strict=True))


def covering(marks: Sequence[frozenset[int]], reports: Collection[int], length: int) -> float:
    """Return the mean overlap (Jaccard) of each annotator's segments with the best reported ones, by length."""
    reported = segments(reports, length)

    def best(start: int, end: int) -> float:
        return max(max(0, min(end, e) - max(start, s)) / (max(end, e) - min(start, s)) for s, e in reported)

    each = [sum((e - s) * best(s, e) for s, e in segments(one, length)) / length for one in marks]
    return float(np.mean(each))


def score(one: Annotated, detect: Detector) -> Scores:
    """Return how well a detector does on a series."""
    reports = {int(one.places[at]) for at in detect(one.values)}
    biased = f1([marks | {0} for marks in one.marks], reports | {0})
    return Scores(biased, strict_f1(one.marks, reports), covering(one.marks, reports, one.length))


def load(folder: Path) -> Iterator[Annotated | str]:
    """Read the annotated series of a folder in order of their names: each, or why it is left out.

    Raises
    ------
    ValueError
        When the folder is not laid out like the data set.
    """
    path = folder / "annotations.json"
    try:
        annotations = dict(json.loads(path.read_text()))
    except (OSError, TypeError, ValueError) as error:
        msg = f"{path} must be the annotations of the Turing Change Point Dataset: {error}"
        raise ValueError(msg) from error
    for name in sorted(annotations):
        file = folder / "datasets" / name / f"{name}.json"
        if Path(name).name != name:
            msg = f"{path} must have names of series, has {name!r}"
            raise ValueError(msg)
        try:
            yield read(file, annotations[name]) if file.is_file() else f"{name}: not in this folder"
        except (AttributeError, IndexError, KeyError, TypeError, json.JSONDecodeError) as error:
            msg = f"{file} and its annotations must be as in the Turing Change Point Dataset: {error!r}"
            raise ValueError(msg) from error


def read(file: Path, annotators: Mapping[str, Sequence[int]]) -> Annotated | str:
    """Read a series, or say why it is left out."""
    told = json.loads(file.read_text())
    if told["n_dim"] != 1:
        return f"{told['name']}: {told['n_dim']} values a time"
    if not annotators:
        return f"{told['name']}: no annotator"
    values = np.array([np.nan if one is None else one for one in told["series"][0]["raw"]], dtype=float)
    if len(values) != told["n_obs"]:
        msg = f"{file} must have {told['n_obs']} values (n_obs), has {len(values)}"
        raise ValueError(msg)
    places = np.flatnonzero(np.isfinite(values))
    marks = tuple(frozenset(one) for one in annotators.values())
    return Annotated(told["name"], values[places], places, len(values), marks)


def looking_back(values: np.ndarray) -> list[int]:
    """Return where the levels of a whole series begin, but for the first."""
    from qa.changes.hindsight import levels

    return [one.start for one in levels(values)][1:]


def detectors() -> dict[str, Detector]:
    """Return ours looking back and online at three budgets, the peers that are installed, and one without reports."""
    from changes import asv, otava, ours

    from qa.changes import Budget

    def began(budget: Budget) -> Detector:
        return lambda values: [begin for begin, _ in ours(budget)(values)]

    def whole(changes: Callable[[list[float]], list[int]]) -> Detector:
        return lambda values: changes(values.tolist())

    known = {LOOKING_BACK: looking_back}
    known |= {f"obsqa {series}": began(Budget(series=series)) for series in (500, 30, 1)}
    peers = {"Otava 1e-3": otava(0.001), "Otava 1e-5": otava(1e-5), "asv": asv()}
    known |= {name: whole(one) for name, one in peers.items() if one is not None}
    return {**known, "nothing": lambda _: ()}


def table(series: Sequence[Annotated], known: Mapping[str, Detector]) -> dict[str, Scores]:
    """Print the scores of every detector on every series, and return the means."""
    print(f"{'F1 strict covering':24s}" + "".join(f"{name:>20s}" for name in known))
    rows: list[list[Scores]] = []
    for one in series:
        rows.append([score(one, detect) for detect in known.values()])
        print(line(f"{one.name} ({one.length})", rows[-1]), flush=True)
    means = [Scores(*np.mean([row[at] for row in rows], axis=0)) for at in range(len(known))]
    print(line("mean", means))
    return dict(zip(known, means, strict=True))


def line(title: str, scores: Sequence[Scores]) -> str:
    """Return a line of the table."""
    return f"{title:24s}" + "".join("     " + "".join(f"{value:5.2f}" for value in one) for one in scores)


def verdict(means: Mapping[str, Scores]) -> int:
    """Compare our means with the figures to reach and with the peers', and return 1 when a figure was missed."""
    ours = {name: one for name, one in means.items() if name.startswith("obsqa")}
    peers = {name: one for name, one in means.items() if name not in ours and name != "nothing"}
    missed = 0
    for at, (title, aim) in enumerate(TO_REACH.items()):
        told = ", ".join(f"{name} {one[at]:.3f}" for name, one in ours.items())
        beside = "".join(f", {name} {one[at]:.3f}" for name, one in peers.items())
        nothing = f", nothing {means['nothing'][at]:.3f}" if "nothing" in means else ""
        good = means[LOOKING_BACK][at] > aim
        print(f"{title}: to reach {aim}: {'reached' if good else 'missed'}; {told}{beside}{nothing}")
        missed += not good
    return int(missed > 0)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=HERE, metavar="DIR")
    folder = parser.parse_args().folder
    try:
        found = list(load(folder))
    except ValueError as error:
        parser.error(str(error))
    series = [one for one in found if isinstance(one, Annotated)]
    if not series:
        parser.error(f"{folder} must have series in datasets/NAME/NAME.json, has none")
    means = table(series, detectors())
    absent = "; ".join(one for one in found if isinstance(one, str))
    print(f"{len(series)} series of {folder}; left out: {absent or 'none'}")
    return verdict(means)


if __name__ == "__main__":
    sys.exit(main())
