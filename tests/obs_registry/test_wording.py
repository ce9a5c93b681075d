from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from obs_registry.loader import parse_camera
from obs_registry.wording import shown

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = [
    ("title: Curio", "titel: Curio", "3: titel: required one of the keys datasets, instrument, judging, lease, name"),
    ("title: Curio", "titel: Curio", "1: title: required this key, found nothing"),
    ("watches:", "watchs:", "4: package.watchs: required one of the keys name, repository, watches, found an unknown"),
    ("watches:", "watchs:", "unknown key (meant: watches?)"),
    (
        "  team: Curio",
        "  name: Curio",
        "6: sponsor.name: required one of the keys contact, deputy, team, found an unknown",
    ),
    (
        "sky: curio,",
        "skies: curio,",
        "21: datasets.0.skies: required one of the keys bands, kind, lane, name, pipeline, sky",
    ),
    ("  team: Curio team", "  team: ''", "6: sponsor.team: required text that is not empty, found no text"),
    ("  team: Curio team", "  team: [a]", "6: sponsor.team: required text, found a list of 1"),
    ("contact: curio@example.org", "contact: me", "7: sponsor.contact: required an e-mail or web address, found 'me'"),
    (
        "2026-12-31 ",
        "2025-12-31 ",
        "11: lease.until: required a day after the lease was granted (2026-01-01), found 2025",
    ),
    ("2026-12-31 ", "2026-12-41 ", "11: lease.until: required a date written like 2026-11-22, found '2026-12-41'"),
    ("2026-12-31 ", "2026 ", "11: lease.until: required a date written like 2026-11-22, found 2026"),
    (
        "2026-12-31 ",
        "2026-12-31 10:00 ",
        "11: lease.until: required a date without a time of day, found '2026-12-31 10",
    ),
    ("2026-12-31 ", "2026-12-31 10:00:00 ", "11: lease.until: required a date without a time of day, found 2026-12-31"),
    ("detectors: 9", "detectors: '9'", "14: instrument.detectors: required a whole number, found '9'"),
    ("detectors: 9", "detectors: 0", "14: instrument.detectors: required a number greater than 0, found 0"),
    ("[4096, 4096]", "[4096]", "15: instrument.detector_size.1: required this key, found nothing"),
    ("[4096, 4096]", "[1, 2, 3]", "15: instrument.detector_size: required a list of at most 2, found a list of 3"),
    ("[4096, 4096]", "4096", "15: instrument.detector_size: required a list, found 4096"),
    ("pixel_um: 15", "pixel_um: .inf", "16: instrument.pixel_um: required a finite number, found inf"),
    ("pixel_um: 15", "pixel_um: big", "16: instrument.pixel_um: required a number, found 'big'"),
    (
        "pixel_scale: 0.24",
        "pixel_scale: 0.2",
        "18: instrument.pixel_scale: required pixel_um x plate_scale = 0.24 arcsec",
    ),
    ("{curio-r: r, curio-i: i}", "{curio-r: r, 5: i}", "19: instrument.filters.5: required text, found 5"),
    ("{curio-r: r, curio-i: i}", "[r, i]", "19: instrument.filters: required a mapping, found a list of 2"),
    (
        "{curio-r: r, curio-i: i}",
        "{curio-r: r}",
        "21: datasets.0.bands.1: required a band the camera has a filter for (r)",
    ),
    ("name: twin,", "name: Twin,", "21: datasets.0.name: required lower-case letters, digits, - and _, a letter first"),
    ("lane: nightly", "lane: weekly", "21: datasets.0.lane: required 'commit' or 'nightly', found 'weekly'"),
    ("bands: [r, i]", "bands: []", "21: datasets.0.bands: required a list of at least 1, found a list of 0"),
    (
        "name: twin-quick",
        "name: twin",
        "22: datasets.1.name: required a name no other data set of the camera has, found",
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), FAULTS)
def test_a_fault_is_told_with_line_key_requirement_and_finding(
    spoilt: Callable[..., str], old: str, new: str, expected: str
) -> None:
    """Whatever is wrong, one line says where, what was required and what was found."""
    entry = parse_camera(spoilt((old, new)), "curio.yaml")
    assert entry.camera is None
    lines = [str(fault) for fault in entry.faults]
    assert any(expected in line for line in lines), lines
    assert all(line.startswith("curio.yaml:") and "\n" not in line for line in lines)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "nothing"),
        ("", "no text"),
        ({"a": 1}, "a mapping"),
        ([1, 2], "a list of 2"),
        (date(2026, 11, 22), "2026-11-22"),
        (True, "True"),
        ("x" * 1000, "'" + "x" * 59 + "..."),
    ],
)
def test_a_finding_is_described_in_few_words(value: object, expected: str) -> None:
    """Long and nested values do not drown the line."""
    assert shown(value) == expected
