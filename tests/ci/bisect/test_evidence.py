from __future__ import annotations

from typing import TYPE_CHECKING

from ci.bisect.evidence import FILE_NAME, folder_of, keep, known
from qa.blame import Trial

if TYPE_CHECKING:
    from pathlib import Path

SWAPS = (Trial("hsc", frozenset({"obs_subaru"}), mended=True), Trial("hsc", frozenset({"afw"}), mended=False))


def test_what_a_bisect_learnt_is_known_when_its_run_is_judged_again(tmp_path: Path) -> None:
    """Which packages were swapped back, and whether that mended it: of this run, and of no other."""
    keep(folder_of(tmp_path, "20260301T010000Z", "20260302T010000Z"), SWAPS)
    keep(folder_of(tmp_path, "20260301T010000Z", "20260303T010000Z"), SWAPS[:1])
    said: list[str] = []
    assert tuple(known(tmp_path, "20260302T010000Z", said.append)) == SWAPS
    assert tuple(known(tmp_path, "20260304T010000Z", said.append)) == ()
    assert said == []


def test_what_cannot_be_read_is_said_and_left_out(tmp_path: Path) -> None:
    """A damaged file of one bisect takes nothing from another."""
    for good in ("20260228T010000Z", "20260301T010000Z"):
        keep(folder_of(tmp_path, good, "20260302T010000Z"), SWAPS)
    (folder_of(tmp_path, "20260228T010000Z", "20260302T010000Z") / FILE_NAME).write_text("{")
    said: list[str] = []
    assert tuple(known(tmp_path, "20260302T010000Z", said.append)) == SWAPS
    assert len(said) == 1
