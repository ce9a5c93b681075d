from __future__ import annotations

import pytest

numba = pytest.importorskip("numba")

from qa.drp.algorithms.jit import compiled  # noqa: E402 - after the guard

pytestmark = pytest.mark.pipeline


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
