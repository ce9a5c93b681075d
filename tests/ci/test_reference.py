from __future__ import annotations

from pathlib import Path

import pytest

from ci.reference import pages, write

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", ["command-line.md", "metrics.md"])
def test_the_reference_is_what_the_code_says(name: str) -> None:
    """A page that is out of date is written anew by `python -m ci.reference docs/reference`."""
    assert (REFERENCE / name).read_text() == pages()[name]


def test_all_pages_are_written(tmp_path: Path) -> None:
    """Writing makes exactly the pages."""
    write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(pages())
