"""Compiling the inner loops, with the compiled code kept between processes where that is possible.

Numba keeps it beside the module, else in the user's cache folder, or in `NUMBA_CACHE_DIR` when set. Where none of them
can be written (a read-only installation without a home) the loops are compiled anew in each process.
Fast-math and threads stay off: results must not depend on the order of additions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` to machine code, cached on disk if there is a place for it."""
    try:
        fast: Callable[P, R] = numba.njit(function, cache=True, nogil=True)
    except RuntimeError:  # numba: "no locator available"
        fast = numba.njit(function, nogil=True)
    return fast
