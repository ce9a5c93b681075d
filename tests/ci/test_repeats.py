"""Repeats of a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci.console import LineConsole
from ci.lanes import Context
from ci.repeats import repeated
from ci.settings import Settings
from qa.engines.recorded import RecordedEngine
from qa.journal import runs_under
from qa.model import Lane
from qa.testing import Clock, MemoryStore, a_camera

if TYPE_CHECKING:
    from pathlib import Path


def a_context(folder: Path) -> Context:
    """Build a context of one camera."""
    return Context(
        settings=Settings(runs=folder / "runs", cache=folder, regression_data=folder),
        cameras=[a_camera()],
        engine=RecordedEngine({}),
        store=MemoryStore(),
        clock=Clock(),
        console=LineConsole(),
        provenance={},
    )


def test_repeats_are_runs_of_their_own(tmp_path: Path) -> None:
    """Each begins anew, none is in the history, and all are gone in the end."""
    context = a_context(tmp_path)
    with repeated(context, lane=Lane.NIGHTLY, times=3) as records:
        assert len({record.run_id for record in records}) == 3
        assert len(runs_under(tmp_path / "runs" / "noise")) == 3
        assert runs_under(tmp_path / "runs") == []
    assert runs_under(tmp_path / "runs" / "noise") == []
    assert context.store is not None
    assert context.store.history() == {}


def test_repeats_are_kept_when_something_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And it is said where they are."""

    def fail(folder: Path) -> None:
        with repeated(a_context(folder), lane=Lane.NIGHTLY, times=3):
            msg = "no luck"
            raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="no luck"):
        fail(tmp_path)
    folder = tmp_path / "runs" / "noise"
    names = [run.name for run in runs_under(folder)]
    assert len(names) == 3
    assert f"the repeats are kept in {folder}: {', '.join(names)}" in capsys.readouterr().err
