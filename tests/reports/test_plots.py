from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from qa.errors import RequestError
from qa.judging.judged import Shift, ShiftKind
from qa.model import HistoryPoint, Scope
from qa.testing import NOW
from reports.plots import plot_history

if TYPE_CHECKING:
    from pathlib import Path

SCOPE = Scope("testcam", "twin", "r", 0)
POINTS = [HistoryPoint(str(day), NOW + timedelta(days=day), 5.0 + day, 0.1) for day in range(4)]
STEP = Shift("PA1", SCOPE, ShiftKind.STEP, NOW + timedelta(days=2), NOW + timedelta(days=3), 5.0, 7.0, 9.0, 1e-6)


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")])
def test_a_history_becomes_a_picture(tmp_path: Path, suffix: str, magic: bytes) -> None:
    """In the format that the file's ending names; a night without a value is a gap."""
    path = tmp_path / f"PA1{suffix}"
    points = [*POINTS, HistoryPoint("4", NOW + timedelta(days=4), None, None)]
    plot_history(path, "PA1", {SCOPE: points}, ylabel="PA1 (mmag)", shifts=[STEP])
    assert path.read_bytes().startswith(magic)


def test_the_same_history_gives_the_same_drawing(tmp_path: Path) -> None:
    """An SVG can be compared and committed; it names what it shows."""
    one, two = tmp_path / "1.svg", tmp_path / "2.svg"
    for path in (one, two):
        plot_history(path, "PA1 of <testcam>", {SCOPE: POINTS}, ylabel="PA1 (mmag)", shifts=[STEP])
    assert one.read_bytes() == two.read_bytes()
    assert "testcam/twin/r/t0" in one.read_text()
    assert "PA1 of &lt;testcam&gt;" in one.read_text()


def test_what_cannot_be_drawn_is_told(tmp_path: Path) -> None:
    """An unknown format, too many lines, nothing to show: one line each, and no file."""
    many = {Scope("testcam", "twin", str(number), 0): POINTS for number in range(11)}
    with pytest.raises(RequestError, match=r"ending must be one of \.png, \.pdf, \.svg"):
        plot_history(tmp_path / "x.gif", "PA1", {SCOPE: POINTS}, ylabel="")
    with pytest.raises(RequestError, match="10 lines can be told apart, and there would be 11"):
        plot_history(tmp_path / "x.png", "PA1", many, ylabel="")
    with pytest.raises(RequestError, match="no run has measured one"):
        plot_history(tmp_path / "x.png", "PA1", {}, ylabel="")
    assert not list(tmp_path.iterdir())
