"""The shipped camera files, and the example of the documentation."""

from __future__ import annotations

import re
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest

from obs_registry.lease import LeaseState, state_of
from obs_registry.loader import SHIPPED, load_registry, parse_camera, read_registry
from obs_registry.model import Camera, Lane, Stored, Twin

TODAY = date(2026, 11, 22)
REGISTRY = load_registry(plugins=False)
SPONSORED = ["decam", "hsc", "latiss", "lsstcam", "megaprime"]
HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "add-a-camera.md"

# Public packages, 2026 snapshots: detectors, columns, rows, pitch (micron), arcsec/mm, arcsec/pixel.
FACTS = {
    "ctio0m9": ("obs_ctio0m9", 1, 2048, 2048, 24, 16.0, 0.384),
    "decam": ("obs_decam", 62, 2048, 4096, 15, 17.575, 0.2636),
    "hsc": ("obs_subaru", 112, 2048, 4176, 15, 11.2, 0.168),
    "latiss": ("obs_lsst", 1, 4072, 4000, 10, 9.5695, 0.0957),
    "lsstcam": ("obs_lsst", 205, 4096, 4004, 10, 20.006, 0.200),
    "megaprime": ("obs_cfht", 36, 2048, 4612, 13.5, 13.7, 0.185),
    "sdss": ("obs_sdss", 30, 2048, 1361, 24, 16.5, 0.396),
    "vircam": ("obs_vista", 16, 2048, 2048, 20, 16.95, 0.339),
}


def headers() -> dict[str, str]:
    """Name a filter of each camera as a real raw header gives it."""
    return {
        "decam": "g DECam SDSS c0001 4720.0 1520.0",
        "hsc": "HSC-R",
        "latiss": "SDSSr_65mm~empty",
        "lsstcam": "r_57",
        "megaprime": "i.MP9702",
        "sdss": "i",
    }


def test_the_shipped_files_have_no_fault() -> None:
    """And there are just the cameras whose facts are known."""
    assert read_registry(plugins=False).faults == ()
    assert sorted(REGISTRY) == sorted(FACTS)


@pytest.mark.parametrize("name", FACTS)
def test_the_facts_are_those_of_the_public_package(name: str) -> None:
    """Package, detectors, pixels and scales."""
    instrument = REGISTRY[name].instrument
    scales = (instrument.pixel_um, instrument.plate_scale, instrument.pixel_scale)
    facts = (REGISTRY[name].package.name, instrument.detectors, *instrument.detector_size, *scales)
    assert facts == FACTS[name]


@pytest.mark.parametrize(("name", "physical_filter"), headers().items())
def test_filters_are_called_as_in_real_headers(name: str, physical_filter: str) -> None:
    """A raw exposure finds its band."""
    assert physical_filter in REGISTRY[name].instrument.filters


@pytest.mark.pipeline
@pytest.mark.parametrize("name", sorted(set(FACTS) - {"ctio0m9", "vircam"}))
def test_translators_can_be_imported(name: str) -> None:
    """The translator that is named exists, and reads the headers of that instrument."""
    pytest.importorskip("astro_metadata_translator")
    instrument = REGISTRY[name].instrument
    assert instrument.translator is not None
    module, _, translator = instrument.translator.rpartition(".")
    assert getattr(import_module(module), translator).name == instrument.name


def test_every_state_but_proposed_is_shown() -> None:
    """Five sponsored cameras, and one each that is lapsing, orphaned and retired."""
    states = {name: state_of(camera, TODAY) for name, camera in REGISTRY.items()}
    assert [name for name, state in states.items() if state is LeaseState.SPONSORED] == SPONSORED
    assert states["vircam"] is LeaseState.LAPSING
    assert states["ctio0m9"] is LeaseState.ORPHANED
    assert states["sdss"] is LeaseState.RETIRED


@pytest.mark.parametrize("name", SPONSORED)
def test_a_sponsored_camera_has_a_twin_for_either_lane(name: str) -> None:
    """A night has the larger sky, a commit the small one."""
    twins = [one for one in REGISTRY[name].datasets if isinstance(one, Twin)]
    found = [(dataset.name, dataset.lane, dataset.sky) for dataset in twins]
    assert found == [("twin", Lane.NIGHTLY, name), ("twin-quick", Lane.COMMIT, f"{name}-quick")]


@pytest.mark.parametrize(
    ("name", "datasets"),
    [("decam", ["hits2015"]), ("hsc", ["ci_hsc", "rc2_subset"]), ("lsstcam", ["ci_lsstcam"])],
)
def test_repositories_of_others_wait_for_their_variables(name: str, datasets: list[str]) -> None:
    """Each names where its data and its pipeline lie by variables of its packages, and the bundles it leaves."""
    stored = [one for one in REGISTRY[name].datasets if isinstance(one, Stored)]
    assert [one.name for one in stored] == datasets
    assert all("DRP_PIPE_DIR" in one.variables and len(one.variables) == 2 for one in stored)
    assert all(one.repository.startswith("$") and one.bundles[0] == "objectTableCore_metrics" for one in stored)


def test_hsc_is_processed_in_three_bands() -> None:
    """Colours need them; the others are processed in one."""
    bands = {name: REGISTRY[name].datasets[0].bands for name in SPONSORED}
    assert bands.pop("hsc") == ("r", "i", "g")
    assert set(bands.values()) == {("r",)}


@pytest.mark.parametrize("name", sorted(set(FACTS) - set(SPONSORED)))
def test_a_camera_without_a_lasting_sponsor_has_no_data(name: str) -> None:
    """Nothing is drawn for a camera nobody asks for."""
    assert REGISTRY[name].datasets == ()


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_sponsors_are_marked_as_placeholders(path: Path) -> None:
    """The shipped sponsors are teams at example.org, for a site to replace."""
    text = path.read_text()
    sponsor = REGISTRY[path.stem].sponsor
    if sponsor is None:
        return
    assert "sponsor:  # placeholder: replace" in text
    assert sponsor.team.endswith("team")
    assert all(address.endswith("@example.org") for address in (sponsor.contact, sponsor.deputy))


def example() -> Camera:
    """Read the example of the documentation."""
    (text,) = re.findall(r"```yaml\n(# yaml-language-server.*?)```", HOW_TO.read_text(), re.DOTALL)
    entry = parse_camera(text, "curio.yaml")
    assert entry.faults == ()
    assert entry.camera is not None
    return entry.camera


def test_the_documented_example_is_a_camera() -> None:
    """What the reader copies works."""
    assert example().name == "curio"
    assert state_of(example(), TODAY) is LeaseState.SPONSORED


def test_the_documented_faults_are_what_check_prints() -> None:
    """The output shown is the output."""
    text = re.findall(r"```yaml\n(# yaml-language-server.*?)```", HOW_TO.read_text(), re.DOTALL)[0]
    for old, new in [("watches:", "watchs:"), ("2027-11-21", "2025-11-21"), ("bands: [r]", "bands: [i]")]:
        text = text.replace(old, new)
    (shown,) = re.findall(r"```text\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    faults = sorted(parse_camera(text, "cameras/curio.yaml").faults)
    assert [str(fault) for fault in faults] == shown.splitlines()[:-1]
