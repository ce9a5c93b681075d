from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qa.errors import DocumentError
from qa.twins.manifest import (
    TwinCalibration,
    TwinDetector,
    TwinInjected,
    TwinManifest,
    TwinRaw,
    TwinTract,
    read_manifest,
    write_manifest,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_a_manifest_survives_writing_and_reading(tmp_path: Path) -> None:
    """Nothing of a manifest is lost on disk."""
    manifest = TwinManifest(
        camera="hsc",
        dataset="twin",
        instrument="HSC",
        detectors=(TwinDetector(49, "0_12", (100, 200)),),
        filters={"HSC-R": "r"},
        raws=(TwinRaw("raws/a.fits", 12, (49,)),),
        calibrations=(TwinCalibration("bias", "raws/b.fits", 11, (49,), "one", None, "2018-01-20T00:00:37.000"),),
        refcat="refcat.parq",
        truth="truth.parq",
        tract=TwinTract(150.1, 2.2, 0.168, 900, 300, 50),
        crosstalk=(1e-4, -2e-5),
        injected=(TwinInjected(12, 49, 32.5, 1200.0, 0.7, 0.01, -0.02),),
    )
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    """What has no manifest is no twin."""
    with pytest.raises(DocumentError, match="no such file"):
        read_manifest(tmp_path)


def test_a_damaged_manifest_says_how_to_get_another(tmp_path: Path) -> None:
    """The line names the folder in the cache, not the run's link to it, and what to do with it."""
    twin, link = tmp_path / "twin", tmp_path / "link"
    twin.mkdir()
    link.symlink_to(twin)
    (twin / "manifest.json").write_text("{")
    with pytest.raises(DocumentError, match=r"twin/manifest.json: .* not JSON .*; remove its folder from the cache"):
        read_manifest(link)
