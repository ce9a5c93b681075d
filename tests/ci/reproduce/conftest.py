"""A value of a twin, and the registry and recipes it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obs_registry.loader import load_registry
from qa.locations import regression_data
from qa.model import Measurement, Scope
from qa.provenance.reproduction import Reproduction
from qa.testing import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from obs_registry.model import Camera


@pytest.fixture(scope="session")
def hsc() -> Camera:
    """Return a camera of the registry."""
    return load_registry(plugins=False)["hsc"]


@pytest.fixture(scope="session")
def recipes() -> Path:
    """Return the folder of the recipes."""
    return regression_data()


@pytest.fixture
def what() -> Reproduction:
    """Return a value of its small twin."""
    one = Measurement("PA1", Scope("hsc", "twin-quick", "r", 0), 1.25, "mmag", 22, 0.2)
    facts = {"revision": "", "package numpy": "2.0.0", "package obs_subaru": "29.1", "python": "3.11.7"}
    return Reproduction("20260301T010000Z", "hsc", "twin-quick", one, (1.25).hex(), facts, NOW)
