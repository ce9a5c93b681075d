import pytest

pytest.importorskip("lsst.pipe.base")

from lsst.utils.doImport import doImportType

from qa.drp.instrument import detector_records, filter_records, instrument
from qa.errors import UnknownNameError

pytestmark = pytest.mark.pipeline
NAMES = ("HSC", "DECam", "MegaPrime", "LSSTCam", "LATISS")


@pytest.mark.parametrize("name", NAMES)
def test_each_camera_is_known_by_the_name_its_translator_uses(name: str) -> None:
    """The name leads to the instrument, and its class can be imported from where the registry says it is."""
    found = instrument(name)
    assert found.getName() == name
    kind = type(found)
    assert doImportType(f"{kind.__module__}.{kind.__qualname__}") is kind


def test_unknown_camera_is_refused_with_the_known_ones() -> None:
    """The message lists the cameras there are."""
    with pytest.raises(UnknownNameError, match=r"no instrument is called 'Megacam'; known: HSC, DECam"):
        instrument("Megacam")


def test_detectors_and_filters_become_dimension_records() -> None:
    """Records carry the instrument's name and what the data say."""
    (detector,) = detector_records("HSC", {50: "0_31"})
    assert (detector["instrument"], detector["id"], detector["full_name"]) == ("HSC", 50, "0_31")
    assert filter_records("HSC", {"HSC-R": "r"}) == [{"instrument": "HSC", "name": "HSC-R", "band": "r"}]
