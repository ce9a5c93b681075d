# ruff: noqa: E402 - what needs the optional extra is imported behind its guard
from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from astropy.io import fits

butler_module = pytest.importorskip("lsst.daf.butler")

from qa.drp.calibrations import RUN, certify, is_certified, making_masters
from qa.drp.ingest import ingest
from qa.errors import DocumentError, RequestError
from qa.twins.manifest import read_manifest, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.pipeline
MASTERS = ("master_bias", "master_dark", "master_flat", "master_defects")


@pytest.fixture(scope="module")
def repo(processed: Path) -> Path:
    """Return a repository that nobody changes."""
    return processed


def planes(repo: Path) -> dict[tuple[str, str], np.ndarray]:
    """Read all masters of a repository."""
    with butler_module.Butler.from_config(str(repo)) as butler:
        refs = [ref for name in MASTERS for ref in butler.query_datasets(name, RUN)]
        return {(ref.datasetType.name, str(ref.dataId.required)): butler.get(ref) for ref in refs}


def test_masters_are_valid_on_their_dates(repo: Path) -> None:
    """Each exposure gets the bias of its own epoch; dark, defects and the flats of all filters hold for all dates."""
    with butler_module.Butler.from_config(str(repo), collections="HSC/calib") as butler:

        def found(name: str, exposure: int, **more: Any) -> Any:
            (record,) = butler.query_dimension_records("exposure", instrument="HSC", exposure=exposure)
            return butler.find_dataset(name, instrument="HSC", detector=49, timespan=record.timespan, **more)

        assert found("bias", 137000) == found("bias", 137010) != found("bias", 138000)
        for name in ("dark", "defects"):
            assert found(name, 137000) == found(name, 138000) is not None
        for physical_filter in ("HSC-R", "HSC-I"):
            assert found("flat", 138000, physical_filter=physical_filter) is not None
        ref = found("bias", 138000)
        assert butler.get(ref).shape == (384, 384)


def test_a_certified_master_is_the_file_that_the_pipeline_wrote(repo: Path) -> None:
    """Nothing is copied, and the repository can be moved: the path is within it."""
    with butler_module.Butler.from_config(str(repo)) as butler:
        masters = {butler.getURI(ref).ospath for ref in butler.query_datasets("master_dark", RUN)}
        darks = {butler.getURI(ref).ospath for ref in butler.query_datasets("dark", "HSC/calib", find_first=False)}
    assert masters == darks
    assert len(darks) == 2


def test_certifying_again_changes_nothing(repo: Path) -> None:
    """The registry is not written to, and the same caveats are told."""
    before = (repo / "gen3.sqlite3").stat().st_mtime_ns
    assert is_certified(repo)
    assert certify(repo) == ()
    assert (repo / "gen3.sqlite3").stat().st_mtime_ns == before


def test_signature_removal_tells_what_it_measured(repo: Path) -> None:
    """The header of a detector has the overscan's noise, close to what the cards claim, and the masked pixels."""
    with butler_module.Butler.from_config(str(repo), collections="obsqa") as butler:
        header = butler.get("post_isr", instrument="HSC", exposure=138000, detector=49).header
    assert header["OSCANREL"] == pytest.approx(1.0, abs=0.15)
    assert header["OSCANRMS"] == pytest.approx(4.5, abs=1.0)
    assert header["AMPSTEP"] < 0.005  # the headers' gains err by 1%
    assert 0 < header["BADPIX"] < 384 * 384 / 50


def test_killed_run_is_finished_with_the_same_masters(
    twin: Path, repo: Path, tmp_path: Path, carry_out: Callable[..., int]
) -> None:
    """After `kill -9` the same run does what is left, and the masters are equal to the last bit."""
    broken = tmp_path / "butler"
    ingest(twin, broken)
    assert carry_out(making_masters(broken), until=broken / RUN / "master_dark") == -9
    kept = {path: path.stat().st_mtime_ns for path in (broken / RUN / "master_bias").rglob("*.fits")}
    assert kept
    assert not is_certified(broken)
    assert carry_out(making_masters(broken)) == 0
    changed = [path for path in kept if path.stat().st_mtime_ns != kept[path]]
    assert len(changed) <= 2
    certify(broken)
    assert is_certified(broken)
    mine, theirs = planes(broken), planes(repo)
    assert mine.keys() == theirs.keys()
    assert all(np.array_equal(mine[key], theirs[key], equal_nan=True) for key in mine)


def test_frames_that_are_not_what_they_say_are_told(
    copied: Path, tmp_path: Path, carry_out: Callable[..., int]
) -> None:
    """Among the biases, one with the pixels of a flat costs a line; a detector without dark exposures gets no dark."""
    manifest = read_manifest(copied)
    of_49 = [one for one in manifest.calibrations if one.detectors == (49,)]
    bias, flat = (next(one for one in of_49 if one.kind == kind) for kind in ("bias", "flat"))
    header = fits.getheader(copied / bias.path)
    fits.writeto(copied / bias.path, fits.getdata(copied / flat.path), header, overwrite=True)
    kept = tuple(one for one in manifest.calibrations if (one.kind, one.detectors) != ("dark", (50,)))
    write_manifest(copied, replace(manifest, calibrations=kept))
    repo = tmp_path / "butler"
    ingest(copied, repo)
    assert carry_out(making_masters(repo)) == 0
    (told,) = certify(repo)
    assert told.startswith("master_bias detector 49 group calibration-0: bias 136800 left out: must have the level")
    with butler_module.Butler.from_config(str(repo)) as butler:
        darks = butler.query_datasets("dark", "HSC/calib", find_first=False)
        assert [ref.dataId["detector"] for ref in darks] == [49]


def test_as_of_a_day_only_what_was_made_by_then_is_certified(
    twin: Path, tmp_path: Path, carry_out: Callable[..., int]
) -> None:
    """The bias of before holds on for the nights after it, and the repository says when each master was made."""
    repo = tmp_path / "butler"
    ingest(twin, repo)
    with pytest.raises(RequestError, match="need a bias made by then, and the first was made on 2018-01-15"):
        certify(repo, day=date(2018, 1, 1))
    assert carry_out(making_masters(repo)) == 0
    certify(repo, day=date(2018, 1, 18))
    with butler_module.Butler.from_config(str(repo), collections="HSC/calib") as butler:

        def bias(exposure: int) -> Any:
            (record,) = butler.query_dimension_records("exposure", instrument="HSC", exposure=exposure)
            return butler.find_dataset("bias", instrument="HSC", detector=49, timespan=record.timespan)

        assert bias(137000) == bias(138000) is not None
        docs = [one.doc for one in butler.collections.query_info("HSC/calib/*", include_doc=True)]
    assert "bias calibration-0 (made 2018-01-15) always" in docs
    assert not [doc for doc in docs if "calibration-1" in (doc or "")]


def test_repository_without_ingest_is_refused(tmp_path: Path) -> None:
    """The message names the file that is missing."""
    with pytest.raises(DocumentError, match=r"ingest\.json: must be a document 'ingested'"):
        making_masters(tmp_path)
