# ruff: noqa: E402 - what needs the optional extra is imported behind its guard
import numpy as np
import pytest

base = pytest.importorskip("lsst.pipe.base")

from astropy.table import Table

from qa.drp.algorithms.observations import DetectorCatalog
from qa.drp.tasks.base import CAVEATS
from qa.drp.tasks.calibrate import CalibrateConfig, CalibrateTask, join_shards

pytestmark = pytest.mark.pipeline


def shard(*numbers: int) -> Table:
    """Make a shard of a reference catalogue."""
    values = np.array(numbers, float)
    columns = ("ra", "dec", "ra_err", "dec_err", "mag_r", "mag_err_r")
    return Table({"id": np.array(numbers)} | dict.fromkeys(columns, values))


def test_shards_are_joined_in_one_order() -> None:
    """However the shards are found, the catalogue is the same."""
    one, other = shard(5, 3), shard(1, 2)
    assert join_shards([one, other])["id"].tolist() == join_shards([other, one])["id"].tolist() == [1, 2, 5, 3]


def test_empty_shards_count_for_nothing() -> None:
    """A shard without rows is no obstacle, and a catalogue without shards has no rows."""
    assert join_shards([shard(), shard(1)])["id"].tolist() == [1]
    assert len(join_shards([])) == 0


def catalog() -> DetectorCatalog:
    """Make the catalogue of a detector with a handful of sources."""
    columns = ("x", "y", "x_err", "y_err", "flux", "flux_err", "snr")
    rows = {name: np.arange(1.0, 6.0) for name in (*columns, "extendedness", "e1", "e2", "psf_e1", "psf_e2", "fwhm")}
    flags = {name: np.zeros(5, bool) for name in ("psf_star", "flag")}
    meta = {"NX": 64, "NY": 64, "EXPTIME": 30.0, "SKY": 1.0, "SKYNOISE": 1.0, "PSFFWHM": 3.0, "NPSF": 5}
    meta |= {"CRVAL1": 10.0, "CRVAL2": 0.0, "CRPIX1": 32.0, "CRPIX2": 32.0}
    meta |= {"CD1_1": -5e-5, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 5e-5}
    return DetectorCatalog(visit=1, detector=0, sources=Table(rows | flags, meta=meta))


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ([], "reference catalogue: must have stars in the tract, found none"),
        ([shard()], "reference catalogue: must have stars in the tract, found none"),
        # These stars lie nowhere near the detector.
        ([shard(60, 61, 62, 63, 64)], "must have"),
    ],
)
def test_tract_that_cannot_be_tied_to_the_sky_fails_with_one_line(reference: list[Table], reason: str) -> None:
    """Nothing can be calibrated: that is a failure of the tract, told in one line."""
    with pytest.raises(base.RepeatableQuantumError, match=reason) as caught:
        CalibrateTask(config=CalibrateConfig()).run([catalog()], reference, band="r")
    assert "\n" not in str(caught.value)


def test_without_a_reference_the_task_is_relative_only_where_told() -> None:
    """Configured so, exposures are tied to each other, which is a caveat."""
    task = CalibrateTask(config=CalibrateConfig(relative=True))
    sources = catalog().sources
    sources["snr"], sources["x"], sources["y"] = 100.0, [5.0, 20.0, 60.0, 33.0, 12.0], [50.0, 7.0, 33.0, 60.0, 20.0]
    sources["flux"], sources["flux_err"], sources["extendedness"] = 1e5, 1e3, 0.0
    found = task.run([DetectorCatalog(visit=1, detector=0, sources=sources)], [], band="r")
    assert found.visit_summary["relative"].all()
    (line,) = task.metadata.getArray(CAVEATS)
    assert "without a reference catalogue" in line
