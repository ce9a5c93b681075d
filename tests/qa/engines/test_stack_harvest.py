from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from obs_registry.model import Stored
from qa.engines.stack_harvest import Bundle, Reading, read_bundles
from qa.errors import DocumentError
from qa.model import Measurement, Scope, Unmeasured

if TYPE_CHECKING:
    from pathlib import Path

DATASET = Stored(
    name="ci",
    kind="butler",
    lane="nightly",
    bands=("g", "r"),
    repository="/repo",
    collections=("a",),
    pipeline="/p.yaml",
    bundles=("*_metrics",),
)
Write = Callable[..., Bundle] if TYPE_CHECKING else None


@pytest.fixture
def bundle(tmp_path: Path) -> Write:
    """Return a function that writes a bundle of one action and returns it as fetched."""

    def write(kind: str, values: dict[str, Any], *, action: str = "sky", **data_id: Any) -> Bundle:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        records = [{"metric": name, "value": value, "unit": "mag", "blob_refs": []} for name, value in values.items()]
        path.write_text(json.dumps({action: records, "__reference_package": "analysis_tools"}))
        return Bundle.of({"type": kind, "data_id": data_id, "file": str(path)})

    return write


def read(*bundles: Bundle) -> Reading:
    """Read bundles of the data set."""
    return read_bundles(bundles, camera="hsc", dataset=DATASET)


def test_a_data_id_becomes_a_scope(bundle: Write) -> None:
    """Band and tract are those of the data ID."""
    (one,) = read(bundle("a_metrics", {"depth": 26.0}, band="r", tract=9813, skymap="rings")).results
    assert one == Measurement("analysis_tools.sky_depth", Scope("hsc", "ci", "r", 9813), 26.0, "mag", 0)


def test_the_band_at_the_head_of_a_name_is_the_band(bundle: Write) -> None:
    """Bundles of a tract hold all its bands, each in the name of the metric; other heads stay in the name."""
    reading = read(bundle("a_metrics", {"g_depth": 26.0, "r_depth": 25.0, "u_depth": 24.0}, tract=0))
    assert [(one.metric, one.scope.band) for one in reading.results] == [
        ("analysis_tools.sky_depth", "g"),
        ("analysis_tools.sky_depth", "r"),
        ("analysis_tools.sky_u_depth", None),
    ]
    assert sorted(one.name for one in reading.definitions) == ["analysis_tools.sky_depth", "analysis_tools.sky_u_depth"]


def test_visits_and_detectors_are_averaged_by_their_median(bundle: Write) -> None:
    """With their number, the error of the median, and a word of it in the definition; gaps do not count."""
    values = (1.0, 2.0, 6.0, None)
    reading = read(*(bundle("v_metrics", {"depth": one}, band="r", visit=at) for at, one in enumerate(values)))
    (one,) = reading.results
    assert isinstance(one, Measurement)
    assert (one.value, one.n) == (2.0, 3)
    assert one.stderr == pytest.approx(math.sqrt(math.pi / 2) * math.sqrt(7) / math.sqrt(3))
    assert "median" in reading.definitions[0].text


def test_the_order_of_the_bundles_does_not_matter(bundle: Write) -> None:
    """The same night gives the same numbers, whatever order a Butler lists its datasets in."""
    bundles = [bundle("v_metrics", {"depth": value}, band="r", visit=at) for at, value in enumerate((3.0, 1.0, 2.5))]
    assert read(*bundles) == read(*reversed(bundles))


def test_what_no_bundle_measured_is_unmeasured_once(bundle: Write) -> None:
    """With the first reason, and how many more there are."""
    (one,) = read(*(bundle("v_metrics", {"depth": None}, band="r", visit=at) for at in (1, 2))).results
    assert isinstance(one, Unmeasured)
    assert one.reason.endswith("(and 1 more)")


def test_two_dataset_types_are_not_mixed(bundle: Write) -> None:
    """Where both give a metric of the same scope, the first in the alphabet is taken, and it is said."""
    reading = read(bundle("b_metrics", {"depth": 2.0}, band="r"), bundle("a_metrics", {"depth": 1.0}, band="r"))
    assert [one.value for one in reading.results if isinstance(one, Measurement)] == [1.0]
    assert reading.caveats == (
        "analysis_tools.sky_depth of hsc/ci/r is in a_metrics and b_metrics: that of a_metrics is taken",
    )


def test_a_file_that_is_no_bundle_costs_only_itself(bundle: Write, tmp_path: Path) -> None:
    """Its name and fault are a caveat; where there is nothing else, they are the failure."""
    bad = tmp_path / "bad.json"
    bad.write_text("[1]")
    broken = Bundle("x_metrics", {}, bad)
    reading = read(bundle("a_metrics", {"depth": 1.0}, band="r"), broken)
    assert len(reading.results) == 1
    assert "bad.json: must be a bundle of measurements" in reading.caveats[0]
    with pytest.raises(DocumentError, match="must be a bundle of measurements"):
        read(broken)
