from __future__ import annotations

from obs_registry.model import OwnRaws
from qa.judging.manifest import expected
from qa.metrics import catalogue
from qa.model import Scope
from qa.testing import a_camera


def test_every_metric_is_owed_in_every_band_it_is_defined_in() -> None:
    """A metric of all bands is owed once a band; one that is measured per task is owed by no one."""
    camera = a_camera(bands=("g", "r"))
    owed = expected(camera.name, camera.datasets[0], catalogue())
    assert {("PA1", Scope("testcam", "twin", band, 0)) for band in ("g", "r")} <= owed
    assert not [metric for metric, _ in owed if catalogue()[metric].per_task]


def test_a_metric_is_not_owed_outside_its_bands() -> None:
    """LPM-17 defines the astrometric repeatability in r and i: nobody misses it in g."""
    camera = a_camera(bands=("g", "r"))
    owed = expected(camera.name, camera.datasets[0], catalogue())
    assert {scope.band for metric, scope in owed if metric == "AM1"} == {"r"}


def test_what_compares_bands_is_owed_where_the_bands_are() -> None:
    """Filed under the band that is compared, never under r; a data set of one band owes none."""
    for bands, compared, loci in (
        (("r",), set(), set()),
        (("r", "i"), {"i"}, set()),
        (("g", "r", "i"), {"g", "i"}, {"g"}),
    ):
        camera = a_camera(bands=bands)
        owed = expected(camera.name, camera.datasets[0], catalogue())
        assert {scope.band for metric, scope in owed if metric in {"AB1", "PA5"}} == compared
        assert {scope.band for metric, scope in owed if metric == "stellar_locus_width_w"} == loci


def test_a_users_own_raws_owe_nothing_that_rests_on_the_truth() -> None:
    """What was drawn is not known of real pixels: completeness is not missed there."""
    definitions = catalogue()
    owed = {metric for metric, _ in expected("testcam", OwnRaws(name="m51", bands=("r",), reference=True), definitions)}
    assert "PA1" in owed
    assert not [metric for metric in owed if "truth_coverage" in definitions[metric].reads]
