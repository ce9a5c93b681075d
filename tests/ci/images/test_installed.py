from __future__ import annotations

from importlib import metadata

import pytest

pytest.importorskip("packaging")

from ci.images.installed import MissingPackageError, needed, normal


def test_what_a_package_needs_is_found_with_all_that_needs_in_turn() -> None:
    """Nothing of its extras comes along that was not asked for."""
    found = needed("jinja2", ())
    assert list(found) == ["jinja2", "markupsafe"]
    assert found["jinja2"].version == metadata.version("jinja2")


def test_obsqa_needs_its_own_dependencies() -> None:
    """Without an extra: what every command needs."""
    found = needed("obsqa", ())
    assert {"obsqa", "click", "pydantic", "pyyaml"} <= set(found)
    assert "docker" not in found


def test_a_package_that_is_not_installed_is_told_with_who_wants_it() -> None:
    """One line, with what to do."""
    with pytest.raises(MissingPackageError) as told:
        needed("no-such-package", ())
    assert "this needs no-such-package" in str(told.value)
    assert "pip install" in str(told.value)


def test_names_are_compared_as_indexes_compare_them() -> None:
    """Case, dots and underscores do not matter."""
    assert normal("Ruamel.Yaml_clib") == "ruamel-yaml-clib"
