from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from obs_registry.model import SCALE_TOLERANCE, Camera, Instrument, Lane

INSTRUMENT = {
    "name": "Curio",
    "detectors": 9,
    "detector_size": [4096, 4096],
    "pixel_um": 15,
    "plate_scale": 16.0,
    "pixel_scale": 0.24,
    "filters": {"curio-i": "i", "curio-r": "r", "curio-i2": "i"},
}


def entry_of(text: str) -> dict[str, Any]:
    """Return the entry of a camera file's text."""
    entry: dict[str, Any] = yaml.safe_load(text)
    del entry["schema"]
    return entry


def refusals(model: type[Camera | Instrument], entry: dict[str, Any]) -> dict[tuple[int | str, ...], str]:
    """Return the message for each place that is refused."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(entry)
    return {error["loc"]: error["msg"] for error in caught.value.errors()}


def test_a_camera_survives_the_way_through_json(sound: str) -> None:
    """What is written to a run's documents reads as the same camera."""
    camera = Camera.model_validate(entry_of(sound))
    assert Camera.model_validate_json(camera.model_dump_json()) == camera
    assert camera.datasets[1].lane is Lane.COMMIT
    assert camera.bands == ("r", "i")


def test_bands_come_in_the_order_of_the_filters() -> None:
    """Several filters of one band make one band."""
    assert Instrument.model_validate(INSTRUMENT).bands == ("i", "r")


@given(st.floats(0.1, 100), st.floats(0.1, 100), st.floats(-0.99, 10))
def test_the_pixel_scale_agrees_with_pitch_and_plate_scale(pixel_um: float, plate_scale: float, excess: float) -> None:
    """Rounding is granted, a wrong number is refused at the key of the pixel scale."""
    pixel_scale = pixel_um * plate_scale / 1000 * (1 + excess)
    entry = INSTRUMENT | {"pixel_um": pixel_um, "plate_scale": plate_scale, "pixel_scale": pixel_scale}
    if abs(excess) < 0.99 * SCALE_TOLERANCE:
        assert Instrument.model_validate(entry).pixel_scale == pixel_scale
    elif abs(excess) > 1.01 * SCALE_TOLERANCE:
        assert "pixel_um x plate_scale" in refusals(Instrument, entry)[("pixel_scale",)]


@pytest.mark.parametrize("value", [True, "9", 9.5, 0, -1, None])
def test_a_count_is_a_positive_whole_number(value: object) -> None:
    """Quoted numbers and truth values are slips."""
    assert ("detectors",) in refusals(Instrument, INSTRUMENT | {"detectors": value})


@pytest.mark.parametrize("value", [True, "15", 0, float("nan"), float("inf"), None])
def test_a_size_is_a_positive_finite_number(value: object) -> None:
    """A wrong pitch is reported alone: the pixel scale that rests on it waits."""
    assert list(refusals(Instrument, INSTRUMENT | {"pixel_um": value})) == [("pixel_um",)]


@pytest.mark.parametrize("value", [2026, 0.0, True, "soon", "2026-02-31"])
def test_a_number_is_no_day(sound: str, value: object) -> None:
    """A bare year is not read as seconds since 1970."""
    entry = entry_of(sound)
    entry["lease"]["until"] = value
    assert list(refusals(Camera, entry)) == [("lease", "until")]


def test_a_lease_ends_after_it_begins(sound: str) -> None:
    """The fault stands at the end of the lease and names the beginning."""
    entry = entry_of(sound)
    entry["lease"]["until"] = entry["lease"]["granted"]
    assert "after the lease was granted (2026-01-01)" in refusals(Camera, entry)[("lease", "until")]


@pytest.mark.parametrize(("absent", "message"), [("lease", "a lease too"), ("sponsor", "a sponsor too")])
def test_sponsor_and_lease_come_together(sound: str, absent: str, message: str) -> None:
    """A sponsor promises for some time, and a promise is somebody's."""
    entry = entry_of(sound)
    del entry[absent]
    assert message in refusals(Camera, entry)[("lease",)]


def test_a_proposed_camera_has_neither_sponsor_nor_lease(sound: str) -> None:
    """A file can be written before a sponsor is found."""
    entry = entry_of(sound)
    del entry["sponsor"], entry["lease"]
    assert Camera.model_validate(entry).lease is None


def test_every_band_of_a_data_set_has_a_filter(sound: str) -> None:
    """Each band without a filter is a fault at its own place."""
    entry = entry_of(sound)
    entry["datasets"][0]["bands"] = ["r", "y", "u"]
    found = refusals(Camera, entry)
    assert list(found) == [("datasets", 0, "bands", 1), ("datasets", 0, "bands", 2)]
    assert "has a filter for (r, i), found 'y'" in found[("datasets", 0, "bands", 1)]


def test_data_sets_have_different_names_whatever_else_is_wrong(sound: str) -> None:
    """Faults of different kinds do not hide one another."""
    entry = entry_of(sound)
    entry["title"] = 5
    entry["datasets"][1] |= {"name": "twin", "bands": ["y"]}
    assert set(refusals(Camera, entry)) == {("title",), ("datasets", 1, "name"), ("datasets", 1, "bands", 0)}


@pytest.mark.parametrize("place", [(), ("package",), ("sponsor",), ("lease",), ("instrument",), ("datasets", 0)])
def test_unknown_keys_are_refused_everywhere(sound: str, place: tuple[str | int, ...]) -> None:
    """A misspelt key is never ignored."""
    entry = part = entry_of(sound)
    for key in place:
        part = part[key]  # type: ignore[index]
    part["colour"] = "red"
    assert list(refusals(Camera, entry)) == [(*place, "colour")]


@pytest.mark.parametrize("contact", ["somebody", "a b@c.org", "ftp://example.org", ""])
def test_a_contact_can_be_reached(sound: str, contact: str) -> None:
    """A contact is an e-mail or web address."""
    entry = entry_of(sound)
    entry["sponsor"]["contact"] = contact
    assert list(refusals(Camera, entry)) == [("sponsor", "contact")]


WAIVER = {"metric": "PA1", "reason": "a ghost", "expires": "2027-01-31"}


def with_waivers(sound: str, *waivers: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of a sound camera with waivers."""
    return entry_of(sound) | {"requirements": {"profile": "lpm-17", "waivers": list(waivers)}}


def test_a_waiver_says_what_why_and_until_when(sound: str) -> None:
    """Bands and ticket may be left out; the waivers survive the way through JSON."""
    full = WAIVER | {"metric": "AM1", "bands": ["r"], "ticket": "DM-1"}
    camera = Camera.model_validate(with_waivers(sound, WAIVER, full))
    first, second = camera.requirements.waivers
    assert (first.bands, first.ticket, first.expires.isoformat()) == (None, None, "2027-01-31")
    assert (second.bands, second.ticket) == (("r",), "DM-1")
    assert Camera.model_validate_json(camera.model_dump_json()) == camera


@pytest.mark.parametrize(
    ("change", "key", "message"),
    [
        ({"expires": None}, "expires", "valid date"),
        ({"expires": 20270131}, "expires", "valid date"),
        ({"reason": ""}, "reason", "at least 1 character"),
        ({"bands": []}, "bands", "at least 1 item"),
        ({"until": "2027-01-31"}, "until", "not permitted"),
    ],
)
def test_a_waiver_without_end_or_reason_is_refused(sound: str, change: dict[str, Any], key: str, message: str) -> None:
    """There is no leave for ever, and none for nothing."""
    found = refusals(Camera, with_waivers(sound, WAIVER | change))
    assert message in found["requirements", "waivers", 0, key]


def test_a_waiver_is_of_the_cameras_bands(sound: str) -> None:
    """As data sets are."""
    found = refusals(Camera, with_waivers(sound, WAIVER, WAIVER | {"metric": "PA2", "bands": ["r", "K"]}))
    place = ("requirements", "waivers", 1, "bands", 1)
    assert found == {place: "required a band the camera has a filter for (r, i), found 'K'"}


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (None, None, "'PA1' again"),
        (None, ["r"], "'PA1' in r again"),
        (["r"], None, "'PA1' in r again"),
        (["i", "r"], ["r", "i"], "'PA1' in i, r again"),
        (["i"], ["r"], None),
    ],
)
def test_two_waivers_of_one_thing_are_refused(
    sound: str, first: list[str] | None, second: list[str] | None, found: str | None
) -> None:
    """Which of the two days holds would be a guess."""
    entry = with_waivers(sound, WAIVER | {"bands": first}, WAIVER | {"bands": second})
    if found is None:
        assert len(Camera.model_validate(entry).requirements.waivers) == 2
        return
    wanted = f"required a metric and band no other waiver covers, found {found}"
    assert refusals(Camera, entry) == {("requirements", "waivers", 1): wanted}
