from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

NAMES = ("ci", "obs_registry", "qa", "reports")


@pytest.mark.parametrize("name", NAMES)
def test_no_other_distribution_owns_our_names(name: str) -> None:
    """The four top-level packages are obsqa's alone in its environment."""
    assert metadata.packages_distributions().get(name, ["obsqa"]) in (["obsqa"], ["obsqa", "obsqa"])


def test_the_tests_hold_no_packages() -> None:
    """Tests are found by path: a package among them would shadow the source."""
    assert not list(Path(__file__).parent.rglob("__init__.py"))


def test_no_folder_shadows_a_library() -> None:
    """A top-level folder called like a library we import would hide it."""
    root = Path(__file__).parent.parent
    assert not any((root / name).exists() for name in ("docker", "jenkinsapi", "lsst", "conftest.py"))
