"""Compiled loops are renewed when anything they rest on changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

numba = pytest.importorskip("numba")

from qa.drp.algorithms.jit import ROOT, compiled, digest, place  # noqa: E402 - after the guard

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.pipeline


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three modules: `loop` takes from `part`, `other` stands alone."""
    package = tmp_path / "qa"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "loop.py").write_text("from qa.part import (\n    LIMIT,\n)\n")
    (package / "part.py").write_text("from qa import deep\nLIMIT = 1\n")
    (package / "deep.py").write_text("import qa.loop\n")
    (package / "other.py").write_text("LIMIT = 1\n")
    return tmp_path


@pytest.mark.parametrize("changed", ["loop", "part", "deep"])
def test_a_change_of_what_a_loop_imports_changes_its_digest(root: Path, changed: str) -> None:
    """Directly or through another module, in a circle too."""
    before = digest("qa.loop", root=root)
    path = root / "qa" / f"{changed}.py"
    path.write_text(path.read_text() + "LIMIT = 2\n")
    assert digest("qa.loop", root=root) != before


def test_a_change_elsewhere_does_not(root: Path) -> None:
    """Compiling is slow: only what is concerned is compiled again."""
    before = digest("qa.loop", root=root)
    (root / "qa" / "other.py").write_text("LIMIT = 2\n")
    assert digest("qa.loop", root=root) == before


def test_loops_of_the_pipeline_rest_on_each_other() -> None:
    """The digest of a real module covers the modules it imports."""
    assert (ROOT / "qa" / "drp" / "algorithms" / "jit.py").is_file()
    assert digest("qa.drp.algorithms.moments") != digest("qa.drp.algorithms.sources")


def double(value: int) -> int:
    """Twice the value."""
    return 2 * value


def test_compiled_functions_compute_the_same() -> None:
    """Compiling changes nothing but the speed."""
    assert compiled(double)(21) == 42


def test_without_a_place_for_the_cache_it_still_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where numba finds no folder to keep code in, the loop is compiled for this process only."""
    original = numba.njit

    def homeless(function: object, *, cache: bool = False, **options: object) -> object:
        if cache:
            message = "cannot cache function: no locator available"
            raise RuntimeError(message)
        return original(function, **options)

    monkeypatch.setattr(numba, "njit", homeless)
    assert compiled(double)(21) == 42


def test_folders_of_earlier_states_are_removed(tmp_path: Path) -> None:
    """A module has one folder of loops; those of other modules stay."""
    module = "qa.drp.algorithms.moments"
    for name in (f"{module}-0123", "qa.drp.algorithms.sources-0123"):
        (tmp_path / name).mkdir()
    assert place(module, str(tmp_path)) == tmp_path / f"{module}-{digest(module)}"
    assert [path.name for path in tmp_path.iterdir()] == ["qa.drp.algorithms.sources-0123"]
