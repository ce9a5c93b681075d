"""Camera files for the tests of the registry: one sound text, and ways to spoil it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOUND = """\
schema: 1
name: curio
title: Curio  # a comment
package: {name: obs_curio, repository: https://example.org/obs_curio.git, watches: [curio_data]}
sponsor:
  team: Curio team
  contact: curio@example.org
  deputy: deputy@example.org
lease:
  granted: 2026-01-01  # when it began
  until: 2026-12-31    # when it ends
instrument:
  name: Curio
  detectors: 9
  detector_size: [4096, 4096]
  pixel_um: 15
  plate_scale: 16.0
  pixel_scale: 0.24
  filters: {curio-r: r, curio-i: i}
datasets:
  - {name: twin, kind: twin, lane: nightly, sky: curio, bands: [r, i]}
  - {name: twin-quick, kind: twin, lane: commit, sky: curio-quick, bands: [r]}
"""


@pytest.fixture
def sound() -> str:
    """Return the text of a camera file without fault."""
    return SOUND


@pytest.fixture
def spoilt() -> Callable[..., str]:
    """Return a function that replaces parts of the sound text, each of which must occur once."""

    def spoil(*changes: tuple[str, str]) -> str:
        text = SOUND
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        return text

    return spoil


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a folder of files from their texts."""

    def make(**texts: str) -> Path:
        place = tmp_path / "cameras"
        place.mkdir(exist_ok=True)
        for name, text in texts.items():
            (place / f"{name}.yaml").write_text(text, encoding="utf-8")
        return place

    return make
