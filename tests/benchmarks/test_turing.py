from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

turing = pytest.importorskip("benchmarks.turing", reason="benchmarks are in a checkout, not in the wheel")

if TYPE_CHECKING:
    from pathlib import Path

MD5 = {
    "co2_canada": "de8d2cac911d2a8e3ce5addacbaed8e0",
    "debt_ireland": "a5a9e752c338d2ffcceb614bb2064cc9",
    "gdp_argentina": "694212b5682ebd808d740ffd83d4bc16",
    "gdp_croatia": "4f902ba68bf710fa245e5eb0ab35fea7",
    "gdp_iran": "889e9fc6292125189fd3188396167431",
    "gdp_japan": "17026e80ab363d9f668d69900824d9ae",
    "ozone": "348b1f85c3ec3da3b8989afe04c33b80",
    "rail_lines": "fa7d19c61264f0d6b9d74cd145a50012",
    "shanghai_license": "b4ac173eb6c0a1a4d10268abc109eda1",
    "uk_coal_employ": "a7c72746e46d6e09f516bd87e0e68bef",
    "usd_isk": "5cac2807a0e280c8ffd7321662e339ac",
}
"""From `checksums.json` of the data set."""

changes = st.frozensets(st.integers(0, 59), max_size=6)
annotators = st.lists(changes, min_size=1, max_size=5)


def with_start(marks: list[frozenset[int]]) -> list[frozenset[int]]:
    """Add the change at 0 that TCPDBench gives to all."""
    return [one | {0} for one in marks]


def sets(*marks: set[int]) -> list[frozenset[int]]:
    """Return what each annotator marked."""
    return [frozenset(one) for one in marks]


@pytest.mark.parametrize(
    ("marks", "reports", "expected"),
    [
        (sets({10, 20}, {11, 20}, {10}, {0, 5}), {10, 20}, 1.0),
        (sets(set(), {10}, {50}), {10}, 10 / 11),
        (sets(set(), {10}, {50}), set(), 0.8),
    ],
)
def test_f1_is_that_of_tcpdbench(marks: list[frozenset[int]], reports: set[int], expected: float) -> None:
    """F1 gives what the examples in TCPDBench's own source give."""
    assert turing.f1(with_start(marks), reports | {0}) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("marks", "reports", "expected"),
    [
        (sets({10, 20}, {10}, {0, 5}), {10, 20}, 0.7962962962962963),
        (sets(set(), {10}, {40}), {10}, 0.7954144620811286),
        (sets(set(), {10}, {40}), set(), 0.8189300411522634),
    ],
)
def test_covering_is_that_of_tcpdbench(marks: list[frozenset[int]], reports: set[int], expected: float) -> None:
    """The covering gives what the examples in TCPDBench's own source give."""
    assert turing.covering(marks, reports, 45) == pytest.approx(expected)


def test_a_report_counts_once_and_only_near() -> None:
    """One report finds one of two marks beside it, and none more than five values away."""
    assert turing.hits({10, 12}, {11}) == 1
    assert turing.hits({10}, {15}) == 1
    assert turing.hits({10}, {16}) == 0


def test_strict_f1_gives_nothing_for_the_start() -> None:
    """Without the change at 0, silence is right only where nobody marked a change."""
    assert turing.strict_f1(sets({30}, set()), set()) == 0.0
    assert turing.strict_f1(sets({30}, set()), {31}) == 1.0
    assert turing.strict_f1(sets({30}), {31, 45}) == pytest.approx(2 / 3)
    assert turing.strict_f1(sets(set(), {0}), set()) == 1.0
    assert turing.strict_f1(sets(set()), {12}) == 0.0


@given(marks=annotators, reports=changes)
def test_scores_are_shares(marks: list[frozenset[int]], reports: frozenset[int]) -> None:
    """Every score lies between 0 and 1, and the order of the annotators is nothing to it."""
    for one in (marks, marks[::-1]):
        assert 0 < turing.f1(with_start(one), reports | {0}) <= 1
        assert 0 <= turing.strict_f1(one, reports) <= 1
        assert 0 < turing.covering(one, reports, 60) <= 1
    assert turing.strict_f1(marks, reports) == pytest.approx(turing.strict_f1(marks[::-1], reports))


@given(marks=changes)
def test_a_single_annotator_repeated_is_met_in_full(marks: frozenset[int]) -> None:
    """Who reports just what all annotators marked has full scores."""
    assert turing.f1(with_start([marks] * 3), marks | {0}) == 1.0
    assert turing.strict_f1([marks] * 3, marks) == 1.0
    assert turing.covering([marks] * 3, marks, 60) == pytest.approx(1.0)


def test_the_series_are_those_of_the_data_set() -> None:
    """Every series in the checkout is the data set's file to the byte, annotated within its length."""
    found = list(turing.load(turing.HERE))
    assert {one.name for one in found} == {path.name for path in (turing.HERE / "datasets").iterdir()}
    for one in found:
        text = (turing.HERE / "datasets" / one.name / f"{one.name}.json").read_bytes()
        assert hashlib.md5(text, usedforsecurity=False).hexdigest() == MD5[one.name]
        assert len(one.marks) == 5
        assert all(0 < mark < one.length for marks in one.marks for mark in marks)


def a_folder(folder: Path, values: list[float | None], dimensions: int = 1) -> Path:
    """Make a data set of one series."""
    series = {"name": "one", "n_obs": 4, "n_dim": dimensions, "series": [{"raw": values}]}
    (folder / "datasets" / "one").mkdir(parents=True)
    (folder / "datasets" / "one" / "one.json").write_text(json.dumps(series))
    (folder / "annotations.json").write_text('{"one": {"6": [2], "7": []}, "other": {"6": []}}')
    return folder


def test_missing_values_keep_their_place(tmp_path: Path) -> None:
    """A report after a missing value is scored at its place in the whole series."""
    one, other = turing.load(a_folder(tmp_path, [1.0, None, 3.0, 4.0]))
    assert one.values.tolist() == [1.0, 3.0, 4.0]
    assert other == "other: not in this folder"
    assert turing.score(one, lambda _: [1]) == turing.Scores(1.0, 1.0, (1.0 + 0.5) / 2)


def test_series_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    """A series with two values a time is left out with its reason, one of the wrong length is refused."""
    assert next(turing.load(a_folder(tmp_path / "a", [1.0] * 4, 2))) == "one: 2 values a time"
    with pytest.raises(ValueError, match=r"must have 4 values \(n_obs\), has 3"):
        next(turing.load(a_folder(tmp_path / "b", [1.0] * 3)))
    with pytest.raises(ValueError, match=r"annotations\.json must be the annotations"):
        next(turing.load(tmp_path))


@pytest.mark.parametrize(
    "annotations", ["[1]", "{", '{"../one": {"6": []}}', '{"one": {"6": 3}}', '{"one": [3]}'], ids=lambda one: one[:12]
)
def test_what_is_no_data_set_is_refused(tmp_path: Path, annotations: str) -> None:
    """Annotations of another form, or that name files elsewhere, are refused with what was found."""
    (a_folder(tmp_path, [1.0] * 4) / "annotations.json").write_text(annotations)
    with pytest.raises(ValueError, match="must"):
        list(turing.load(tmp_path))


def test_a_folder_without_series_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkout without its series ends with one line that says what is missing."""
    (tmp_path / "annotations.json").write_text('{"one": {"6": []}}')
    monkeypatch.setattr("sys.argv", ["turing.py", str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        turing.main()
    assert "must have series in datasets/NAME/NAME.json, has none" in capsys.readouterr().err


def test_ours_is_measured_as_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A plain step is found looking back and at each budget, and the table and the verdict say so.

    The verdict is that of looking back.
    """
    monkeypatch.syspath_prepend(str(turing.HERE.parent))
    values = np.random.default_rng(1).standard_normal(120) + 8.0 * (np.arange(120) >= 60)
    one = turing.Annotated("step", values, np.arange(120), 120, tuple(sets({60})))
    known = {name: detect for name, detect in turing.detectors().items() if not name.startswith(("Otava", "asv"))}
    means = turing.table([one], known)
    assert means["nothing"] == pytest.approx((2 / 3, 0.0, 0.5))
    assert all(means[f"obsqa {one}"].strict == 1.0 for one in ("looking back", 500, 30, 1))
    assert turing.verdict(means) == 0
    missed = {turing.LOOKING_BACK: turing.Scores(0.7, 0.3, 0.5), "obsqa 1": turing.Scores(0.8, 0.5, 0.5)}
    assert turing.verdict(missed) == 1
    assert "strict: to reach 0.38: missed; obsqa looking back 0.300" in capsys.readouterr().out
