from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ci.naming import claimed, new_run_id
from qa.model import Lane, Plan, Trigger
from qa.testing import NOW

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_is_called_after_its_time_and_the_tag_of_a_shared_history(tmp_path: Path) -> None:
    """The second of one moment gets a number."""
    name = new_run_id(tmp_path, NOW)
    assert name == NOW.strftime("%Y%m%dT%H%M%SZ")
    assert new_run_id(tmp_path, NOW, tag="summit") == f"{name}-summit"
    (tmp_path / name).mkdir()
    assert new_run_id(tmp_path, NOW) == f"{name}-1"


def test_nights_of_one_moment_have_a_folder_each(tmp_path: Path) -> None:
    """Also when all of them were planned before any of them began."""
    plan = Plan(new_run_id(tmp_path, NOW), Lane.NIGHTLY, Trigger(), NOW, ())
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: claimed(tmp_path, plan).run_id, range(8)))
    assert len(set(names)) == 8
    assert {folder.name for folder in tmp_path.iterdir()} == set(names)
