"""Profiles: what another telescope takes over, leaves out, changes and adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qa.errors import UnknownNameError
from qa.requirements import Requirements, RequirementsError, load
from qa.requirements.loader import read

if TYPE_CHECKING:
    from pathlib import Path

PROFILE = """\
base: lpm-17
title: Requirements of a telescope
why: Another mirror at another site.
bands: [u, g, r, i, z, y, J, Ks]
without: [D1, DF1]
targets:
  - metric: PA1
    why: Seeing is worse here.
    source: "Survey plan v2, section 4"
    unit: mag
    targets:
      - {bands: [g, r, i, z], minimum: 0.015, design: 0.010, stretch: 0.005}
      - {bands: [J, Ks], minimum: 0.03, design: 0.02, stretch: 0.01}
requirements:
  - metric: psf_fwhm
    definition: median full width at half maximum of the PSF
    source: "Survey plan v2, section 5"
    unit: arcsec
    operator: "<="
    targets:
      - {bands: [J, Ks], minimum: 1.2, design: 0.9, stretch: 0.7}
"""


def a_profile(folder: Path, old: str = "", new: str = "") -> Path:
    """Write the profile with one text replaced."""
    path = folder / "mine.yaml"
    assert old in PROFILE
    path.write_text(PROFILE.replace(old, new) if old else PROFILE)
    return path


def the_profile(folder: Path) -> Requirements:
    """Read the profile."""
    return read(a_profile(folder))


def test_a_telescope_sets_targets_of_its_own(tmp_path: Path) -> None:
    """In its unit and bands, with its source; nothing of the old targets is left."""
    ladder = the_profile(tmp_path).ladder("PA1", "z")
    assert ladder is not None
    assert (ladder.minimum, ladder.design, ladder.stretch, ladder.unit) == (0.015, 0.010, 0.005, "mag")
    assert ladder.citation == "Survey plan v2, section 4"
    assert the_profile(tmp_path).ladder("PA1", "y") is None
    assert the_profile(tmp_path).ladder("PA1", "Ks") is not None


def test_what_it_takes_over_is_cited_from_where_it_is_written(tmp_path: Path) -> None:
    """And is the same."""
    assert the_profile(tmp_path).ladder("AM1", "r") == load("lpm-17").ladder("AM1", "r")
    requirement = the_profile(tmp_path).requirement("AM1")
    assert requirement is not None
    assert requirement.source == "LPM-17 v5.2.3, Table 18"


def test_what_it_leaves_out_and_adds(tmp_path: Path) -> None:
    """The added metrics come last, with their own source."""
    profile = the_profile(tmp_path)
    assert profile.ladder("D1", "r") is None
    assert profile.metrics[-1] == "psf_fwhm"
    ladder = profile.ladder("psf_fwhm", "J")
    assert ladder is not None
    assert ladder.citation == "Survey plan v2, section 5"
    assert (profile.title, profile.document) == ("Requirements of a telescope", "LPM-17")


def test_a_profile_may_be_based_on_another(tmp_path: Path) -> None:
    """The sources stay."""
    a_profile(tmp_path)
    (tmp_path / "second.yaml").write_text("base: mine\nwhy: one more camera\nwithout: [PA2]\n")
    second = load("second", folders=[tmp_path])
    assert second.ladder("PA2", "r") is None
    assert second.ladder("PA1", "r") == the_profile(tmp_path).ladder("PA1", "r")
    assert second.bands == the_profile(tmp_path).bands


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("why: Another mirror at another site.\n", "", r"mine.yaml:1: why: Field required"),
        ("without: [D1, DF1]", "without: [D1, XX]", r"mine.yaml:5: without: must name metrics of lpm-17, got XX"),
        ("metric: PA1", "metric: XX", r"mine.yaml:6: targets: must name metrics of lpm-17, got XX"),
        ("metric: psf_fwhm", "metric: PA2", r"mine.yaml:14: requirements: lpm-17 asks PA2 already; own targets belong"),
        ("unit: mag", "unit: mas", r"mine.yaml:7: targets.0: targets of PA1: the unit must be convertible to 'mmag'"),
        ("unit: mag", "unit: furlongs_per", r"targets.0: unit must be one that astropy knows, got 'furlongs_per'"),
        (
            "minimum: 0.015",
            "minimum: 0.001",
            r"mine.yaml:7: targets.0: targets must get harder .* \(0.001, 0.01, 0.005\)",
        ),
        ('    source: "Survey plan v2, section 4"\n', "", r"mine.yaml:7: targets.0.source: Field required"),
        ('    source: "Survey plan v2, section 5"\n', "", r"mine.yaml:15: requirements.0.source: Field required"),
        ("    why: Seeing is worse here.\n", "", r"mine.yaml:7: targets.0.why: Field required"),
        ("without: [D1, DF1]", "without: [D1, D1]", r"each metric must be named once, got D1 more than once"),
        ("without: [D1, DF1]", "without: [PA1]", r"each metric must be named once, got PA1 more than once"),
        ("[J, Ks], minimum: 0.03", "[J, H], minimum: 0.03", r"mine.yaml:13: targets.0.targets.1.bands.1: .* got 'H'"),
        ("[J, Ks], minimum: 1.2", "[Y], minimum: 1.2", r"requirements.0.targets.0.bands.0: must be one of .* got 'Y'"),
        ("[J, Ks], minimum: 1.2", "[K s], minimum: 1.2", r"requirements.0.targets.0.bands.0: String should match"),
        ("[J, Ks], minimum: 0.03", "[g, Ks], minimum: 0.03", r"a band must have one set of targets"),
        ("base: lpm-17", "base: mine", r"mine.yaml:1: base: must not lead back to the document itself, got 'mine'"),
        ("title: Req", "why: again\ntitle: Req", r"mine.yaml:4: why: each key must stand once, got it again"),
    ],
)
def test_what_is_wrong_with_a_profile(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """One line each, with file, line and key."""
    with pytest.raises(RequirementsError, match=fault) as caught:
        read(a_profile(tmp_path, old, new))
    assert "\n" not in str(caught.value)


def test_a_profile_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    """A name in one of the folders; a path as it is, or seen from one of them."""
    path = a_profile(tmp_path)
    wanted = read(path)
    assert load("mine", folders=[tmp_path]) == wanted
    assert load(str(path)) == wanted
    assert load("mine.yaml", folders=[tmp_path]) == wanted
    with pytest.raises(UnknownNameError, match=r"'nosuch.yaml'; known: lpm-17"):
        load("nosuch.yaml", folders=[tmp_path])


def test_no_profile_takes_the_name_of_ours(tmp_path: Path) -> None:
    """Nobody may wonder which lpm-17 was meant."""
    (tmp_path / "lpm-17.yaml").write_text(PROFILE)
    with pytest.raises(RequirementsError, match="a profile must have a name of its own"):
        load("lpm-17", folders=[tmp_path])


def test_bytes_that_are_no_text_are_one_line(tmp_path: Path) -> None:
    """As is a file with merge-conflict markers."""
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RequirementsError, match=r"mine.yaml:1: must be text in UTF-8"):
        read(path)
    path.write_text("<<<<<<< HEAD\nbase: lpm-17\n=======\n")
    with pytest.raises(RequirementsError, match=r"mine.yaml:\d: must be YAML"):
        read(path)
