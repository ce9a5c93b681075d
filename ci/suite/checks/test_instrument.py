"""The instrument in a Butler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci.suite.fixtures import got
from ci.suite.night import small_twin

if TYPE_CHECKING:
    from pathlib import Path

    from lsst.daf.butler import Butler

    from ci.suite.night import Night
    from obs_registry.model import Camera


@pytest.mark.obsqa(words=("instrument", "butler"))
def test_instrument_registers(camera: Camera, tmp_path: Path) -> None:
    """The instrument registers in an empty repository, twice to no other effect, and its class can be found again."""
    from lsst.daf.butler import Butler
    from lsst.pipe.base import Instrument

    from qa.drp import repository
    from qa.drp.instrument import detector_records, filter_records, instrument

    got(lambda: small_twin(camera))
    name = camera.instrument.name
    repository.create(tmp_path / "repository")
    with Butler.from_config(str(tmp_path / "repository"), writeable=True) as butler:
        for _ in range(2):
            instrument(name).register(butler.registry)
        butler.registry.insertDimensionData("physical_filter", *filter_records(name, camera.instrument.filters))
        numbers = {number: f"detector {number}" for number in range(camera.instrument.detectors)}
        butler.registry.insertDimensionData("detector", *detector_records(name, numbers))
        assert Instrument.fromName(name, butler.registry).getName() == name
        assert _filters(butler, name) == camera.instrument.filters
        assert len(list(butler.registry.queryDimensionRecords("detector", instrument=name))) == len(numbers)


def _filters(butler: Butler, name: str) -> dict[str, str]:
    found = butler.registry.queryDimensionRecords("physical_filter", instrument=name)
    return {record.name: record.band for record in found}


@pytest.mark.obsqa(needs="ingest", words=("instrument", "butler", "ingest"))
def test_everything_is_ingested(camera: Camera, night: Night) -> None:
    """Every exposure of the small twin, of the sky and for calibration, is in the repository with all its detectors."""
    from lsst.daf.butler import Butler

    from qa.model import Stage

    twin = got(lambda: night.twin(camera))
    got(lambda: night.reach(camera.name, Stage.INGEST))
    repo = night.repository(camera)
    name, known = camera.instrument.name, twin.manifest
    wanted = {(one.exposure, number) for one in known.raws for number in one.detectors}
    wanted |= {(one.exposure, number) for one in known.calibrations for number in one.detectors}
    with Butler.from_config(str(repo)) as butler:
        refs = butler.query_datasets("raw", collections="*", find_first=False, where=f"instrument = '{name}'")
    assert {(ref.dataId["exposure"], ref.dataId["detector"]) for ref in refs} == wanted
    assert night.caveats(camera.name) == ()
