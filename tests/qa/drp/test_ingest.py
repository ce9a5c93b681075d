# ruff: noqa: E402 - what needs the optional extra is imported behind its guard
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from astropy.table import Table

butler_module = pytest.importorskip("lsst.daf.butler")

from qa.drp.ingest import ingest, read_ingested
from qa.errors import DocumentError, RequestError
from qa.twins.manifest import read_manifest, write_manifest

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def repo(processed: Path) -> Path:
    """Return a repository that nobody changes."""
    return processed


def test_every_raw_is_known_with_its_exposure(repo: Path) -> None:
    """Raws are found by exposure and detector, with the filter and the time their headers say."""
    with butler_module.Butler.from_config(str(repo)) as butler:
        raws = butler.query_datasets("raw", "HSC/raw/all", limit=None)
        assert len(raws) == 8 + 12 * 2
        (record,) = butler.query_dimension_records("exposure", instrument="HSC", exposure=138000)
        assert (record.physical_filter, record.exposure_time, record.day_obs) == ("HSC-R", 30.0, 20180122)
        raw = butler.get("raw", instrument="HSC", exposure=138000, detector=50, collections="HSC/raw/all")
        assert raw.shape == (384, 384)
        assert raw.header["DET-ID"] == 50


def test_pixels_are_not_copied(repo: Path, twin: Path) -> None:
    """The repository points to the files of the twin."""
    with butler_module.Butler.from_config(str(repo), collections="HSC/defaults") as butler:
        uri = butler.getURI("raw", instrument="HSC", exposure=138000, detector=50)
    assert Path(uri.ospath).parent == (twin / "raws").resolve()


def test_calibration_exposures_are_known_by_their_type(repo: Path) -> None:
    """Biases, darks and flats are exposures that belong to no visit, in the groups that are combined."""
    with butler_module.Butler.from_config(str(repo)) as butler:
        records = butler.query_dimension_records("exposure", instrument="HSC", explain=False)
        kinds = Counter((record.observation_type, record.group) for record in records)
        assert kinds == {
            **{("science", record.group): 1 for record in records if record.observation_type == "science"},
            ("bias", "calibration-0"): 3,
            ("bias", "calibration-1"): 3,
            ("dark", "calibration-0"): 2,
            ("flat", "calibration-0"): 4,
        }
        assert len(butler.query_dimension_records("visit", instrument="HSC", explain=False)) == 4
        assert len(butler.query_datasets("raw", "HSC/raw/all", limit=None)) == 8 + 12 * 2


def test_reference_catalogue_is_cut_into_trixels(repo: Path, twin: Path) -> None:
    """The shards together hold every star of the catalogue once."""
    with butler_module.Butler.from_config(str(repo), collections="HSC/defaults") as butler:
        shards = [butler.get(ref) for ref in butler.query_datasets("reference_catalog")]
    whole = Table.read(twin / "refcat.parq")
    assert sorted(number for shard in shards for number in shard["id"]) == sorted(whole["id"])
    assert shards[0].colnames == whole.colnames


def test_patch_overlaps_the_detectors_on_it(repo: Path) -> None:
    """The registry relates visits and detectors to patches by their regions on the sky."""
    with butler_module.Butler.from_config(str(repo)) as butler:
        found = butler.query_data_ids(["visit", "detector", "patch"], where="instrument='HSC' and skymap='hsc_tiny'")
    assert len(found) == 8


def test_ingest_again_changes_nothing(repo: Path, twin: Path) -> None:
    """A repository that is there is left as it is, and says what it was made of."""
    before = (repo / "gen3.sqlite3").stat().st_mtime_ns
    assert ingest(twin, repo) == read_ingested(repo)
    assert (repo / "gen3.sqlite3").stat().st_mtime_ns == before
    assert read_ingested(repo).camera == "hsc"


def test_damaged_raws_are_left_out_with_a_reason(salvaged: Path) -> None:
    """A truncated file and a missing card cost one line each; the rest is ingested."""
    truncated, cardless = read_ingested(salvaged).caveats
    assert truncated.startswith("exposure 137002 detector 49 left out: ")
    assert "must be a complete FITS file, found a damaged one" in truncated
    assert "must be a raw exposure with the card EXPTIME, found none" in cardless
    with butler_module.Butler.from_config(str(salvaged)) as butler:
        science = "instrument='HSC' and exposure.observation_type='science'"
        assert len(butler.query_datasets("raw", "HSC/raw/all", where=science)) == 6


def test_empty_reference_catalogue_is_refused(copied: Path, tmp_path: Path) -> None:
    """One line says what is wrong, and no repository is left."""
    empty = Table.read(copied / "refcat.parq")[:0]
    empty.write(copied / "refcat.parq", overwrite=True)
    with pytest.raises(
        DocumentError, match=r"refcat\.parq: must be a reference catalogue with stars, found none; remove its folder"
    ):
        ingest(copied, tmp_path / "butler")
    assert not (tmp_path / "butler").exists()


@pytest.mark.parametrize("name", ["refcat.parq", "truth.parq"])
@pytest.mark.parametrize(("content", "found"), [(b"garbage", "a damaged file"), (None, "no such file")])
def test_damaged_catalogue_is_named(copied: Path, tmp_path: Path, name: str, content: bytes | None, found: str) -> None:
    """A catalogue that cannot be read is one line with its file."""
    (copied / name).unlink()
    if content is not None:
        (copied / name).write_bytes(content)
    with pytest.raises(DocumentError, match=rf"{name}: must be a .* catalogue with .*, found {found}.*; remove"):
        ingest(copied, tmp_path / "butler")


def test_unusable_calibration_exposures_are_left_out_with_a_reason(copied: Path, tmp_path: Path) -> None:
    """A missing, a truncated and a mislabelled exposure cost one line each."""
    manifest = read_manifest(copied)
    gone, short, *_ = (one for one in manifest.calibrations if one.kind == "bias")
    (copied / gone.path).unlink()
    (copied / short.path).write_bytes((copied / short.path).read_bytes()[:50_000])
    wrong = replace(next(one for one in manifest.calibrations if one.kind == "flat"), kind="dark")
    flatless = tuple(one for one in manifest.calibrations if one.exposure != wrong.exposure)
    write_manifest(copied, replace(manifest, calibrations=(*flatless, wrong)))
    made = ingest(copied, tmp_path / "butler")
    missing, damaged, mislabelled = made.caveats
    assert missing.startswith(f"bias {gone.exposure} detector 49 left out: ")
    assert "found no such file" in missing
    assert "found a damaged one" in damaged
    assert "must be a dark exposure, found one of type 'domeflat'" in mislabelled
    assert {one.kind for one in made.calibrations} == {"bias", "dark", "flat"}


def test_no_usable_raw_is_refused(copied: Path, tmp_path: Path) -> None:
    """A twin without a single readable raw is an error that says why."""
    manifest = read_manifest(copied)
    (copied / manifest.raws[0].path).unlink()
    write_manifest(copied, replace(manifest, raws=manifest.raws[:1]))
    with pytest.raises(
        DocumentError, match=r"must be at least one usable raw, found none of 1: exposure .* no such file"
    ):
        ingest(copied, tmp_path / "butler")


def test_killed_ingest_leaves_nothing_half(copied: Path, tmp_path: Path) -> None:
    """What an earlier attempt left beside the place is swept away; nothing else is overwritten."""
    (tmp_path / "butler-partial" / "junk").mkdir(parents=True)
    manifest = read_manifest(copied)
    write_manifest(copied, replace(manifest, raws=manifest.raws[:1]))
    ingest(copied, tmp_path / "butler")
    assert not (tmp_path / "butler-partial").exists()
    (tmp_path / "other").mkdir()
    with pytest.raises(RequestError, match="must be a place for a new repository, found something else"):
        ingest(copied, tmp_path / "other")
