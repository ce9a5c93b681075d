"""Filters and the bands they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci.suite.night import small_twin

if TYPE_CHECKING:
    from ci.suite.frames import Twin
    from obs_registry.model import Camera


@pytest.mark.obsqa(words=("filters", "bands"))
def test_filters_map_to_bands(camera: Camera) -> None:
    """Every band that the camera's data sets ask for has a filter."""
    asked = {band for dataset in camera.datasets for band in dataset.bands}
    assert asked <= set(camera.instrument.filters.values())


@pytest.mark.obsqa(needs="draw", words=("filters", "bands", "headers"))
def test_filters_of_headers_are_known(camera: Camera, twin: Twin) -> None:
    """The filters that headers name are the registry's, and give the bands of the data set and no others."""
    named = {str(raw.info.physical_filter) for raw in twin.raws.values()}
    assert named <= set(camera.instrument.filters)
    assert {camera.instrument.filters[name] for name in named} == set(small_twin(camera).bands)
