from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.pipeline
translator_package = pytest.importorskip("astro_metadata_translator")


def header(**changes: Any) -> dict[str, Any]:
    """Return the cards of an LSSTCam header that matter here."""
    cards: dict[str, Any] = {
        "INSTRUME": "lsstCam",
        "TELESCOP": "Simonyi Survey Telescope",
        "RAFTBAY": "R22",
        "CCDSLOT": "S11",
        "DAYOBS": "20250422",
        "SEQNUM": 250,
        "IMGTYPE": "OBJECT",
        "FILTER": "r_57",
        "AMSTART": 1.0,
        "AMEND": 1.5,
    }
    return cards | changes


def translate(cards: dict[str, Any]) -> Any:
    """Find the translator of a header and apply it."""
    import qa.translators  # noqa: F401 - registers the translators

    return translator_package.MetadataTranslator.determine_translator(cards)(cards)


@pytest.mark.shared_data
def test_a_real_lsstcam_header_is_read_completely(shared_data: Path) -> None:
    """A real LSSTCam header yields all properties, with the camera's own detector number and exposure id."""
    info = real(shared_data, "lsstCam-MC_O_20250422_000250_R01_S01")
    assert info.instrument == "LSSTCam"
    assert (info.exposure_id, info.visit_id, info.detector_num) == (2025042200250, 2025042200250, 1)
    assert (info.physical_filter, info.observing_day, info.detector_unique_name) == ("r_57", 20250422, "R01_S01")
    assert info.boresight_airmass == pytest.approx(1.05493, abs=1e-5)
    assert info.tracking_radec.ra.deg == pytest.approx(216.10138, abs=1e-5)


@pytest.mark.shared_data
def test_a_real_latiss_header_is_read_completely(shared_data: Path) -> None:
    """A real LATISS header yields all properties; filter and grating make up the physical filter."""
    info = real(shared_data, "latiss-AT_O_20240624_000106_R00_S00")
    assert info.instrument == "LATISS"
    assert (info.exposure_id, info.detector_num, info.physical_filter) == (2024062400106, 0, "SDSSr_65mm~empty")
    assert info.observation_type == "cwfs"
    assert info.datetime_begin.scale == "tai"
    assert info.altaz_begin.alt.deg == pytest.approx(79.856, abs=1e-3)


def real(shared_data: Path, name: str) -> Any:
    """Translate all properties of a real header."""
    import yaml

    import qa.translators  # noqa: F401

    cards = yaml.safe_load((shared_data / "headers" / f"{name}.yaml").read_text())
    return translator_package.ObservationInfo(cards, pedantic=True)


@pytest.mark.parametrize(
    ("raft", "slot", "number"),
    [("R01", "S00", 0), ("R22", "S11", 94), ("R43", "S22", 188), ("R00", "SG0", 189), ("R44", "SW1", 204)],
)
def test_detectors_are_numbered_as_in_the_camera(raft: str, slot: str, number: int) -> None:
    """Science rafts come first, nine sensors each, then the corner rafts."""
    assert translate(header(RAFTBAY=raft, CCDSLOT=slot)).to_detector_num() == number


def test_exposures_of_the_sky_are_science() -> None:
    """OBJECT and SKYEXP are science; other types keep their name."""
    kinds = [translate(header(IMGTYPE=kind)).to_observation_type() for kind in ("OBJECT", "SKYEXP", "BIAS")]
    assert kinds == ["science", "science", "bias"]


def test_the_airmass_is_the_mean_of_those_known() -> None:
    """Begin and end are averaged; a missing one is left out; none is no airmass."""
    assert translate(header()).to_boresight_airmass() == pytest.approx(1.25)
    assert translate(header(AMEND=None)).to_boresight_airmass() == pytest.approx(1.0)
    assert translate(header(AMSTART=None, AMEND=None)).to_boresight_airmass() is None


def test_other_cameras_of_the_observatory_are_not_claimed() -> None:
    """ComCam has a header of the same kind and is none of these cameras."""
    with pytest.raises(ValueError, match="understood this header"):
        translate(header(INSTRUME="ComCam"))
