"""Where foreign numbers are filed."""

from __future__ import annotations

import pytest

from qa.foreign.filing import Asked, NoPlaceError, Place, band_of, camera_of, filed, place_of, slug
from qa.foreign.model import Foreign, Kind, Origin, Source
from qa.model import Ladder, Level, Measurement, Scope
from qa.testing import a_camera

CAMERAS = (a_camera("testcam"), a_camera("other"))


@pytest.mark.parametrize(
    ("origin", "asked", "expected"),
    [
        (Origin("TestCam", "rc2", "g_1", 3), Asked(), Place("testcam", "rc2", "g", 3, known=True)),
        (Origin("obs.None", "RC2 w_1", "z2"), Asked(), Place("obs-none", "rc2-w_1", "z", None, known=False)),
        (Origin(), Asked("OTHER"), Place("other", "job_r", None, None, known=True)),
        (Origin("TestCam", "a", "r"), Asked("x", "b", "i"), Place("x", "b", "i", None, known=False)),
    ],
)
def test_the_user_counts_more_than_the_file(origin: Origin, asked: Asked, expected: Place) -> None:
    """Names become such as can be folders'; without a data set the file's own name is it."""
    assert place_of("job_r.verify.json", origin, asked, CAMERAS) == expected


def test_without_a_camera_there_is_no_place() -> None:
    """One line says which option to use."""
    with pytest.raises(NoPlaceError, match=r"^job.json: must say the camera .* found none; name it with --camera$"):
        place_of("job.json", Origin(), Asked(), CAMERAS)


@pytest.mark.parametrize(
    ("instrument", "name"),
    [("testcam", "testcam"), ("TESTCAM", "testcam"), ("lsst.obs.testcam", "testcam"), ("none", None), ("", None)],
)
def test_cameras_are_found_by_their_names(instrument: str, name: str | None) -> None:
    """The registry's, the instrument's, or the package's."""
    found = camera_of(instrument, CAMERAS)
    assert (found and found.name) == name


def test_a_package_of_several_cameras_names_none_of_them() -> None:
    """Obs_lsst has more than one; a package of one camera does: CFHT is obs_cfht's."""
    package = CAMERAS[0].package.model_copy(update={"name": "obs_cfht"})
    one, two = (camera.model_copy(update={"package": package}) for camera in CAMERAS)
    found = camera_of("CFHT", [one])
    assert found is not None
    assert found.name == "testcam"
    assert camera_of("CFHT", [one, two]) is None


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("g_1", "g"),
        ("r", "r"),
        ("R", "r"),
        ("HSC-R2", "r"),
        ("HSC-I", "i"),
        ("r.MP9601", "r"),
        ("i_sim_1.4", "i"),
        ("NB0921", "NB0921"),
        ("any_thing", "any_thing"),
    ],
)
def test_bands_are_found_by_their_filters(name: str, band: str) -> None:
    """As the camera's file has it, by its spelling, or the name itself."""
    assert band_of(name, CAMERAS[0]) == band


def test_slugs_are_never_empty() -> None:
    """Nor do they lead anywhere."""
    assert [slug(text) for text in ("../../etc", "A b", "//")] == ["etc", "a-b", "unnamed"]


def test_results_are_filed_with_what_they_say_themselves() -> None:
    """A band or tract of a single number stays; ladders are of the file's band."""
    results = (
        Measurement("a", Scope("", ""), 1.0, "", 0),
        Measurement("a", Scope("", "", "g", 5, "isr"), 1.0, "", 0),
    )
    ladder = Ladder("a", None, "", "<=", 1, 1, 1, "here", Level.MINIMUM)
    foreign = Foreign(Source("x", Kind.VERIFY, "d"), Origin(), results, (), (ladder,), {})
    placed, ladders = filed(foreign, Place("c", "d", "r", 9, known=True))
    assert [one.scope for one in placed] == [Scope("c", "d", "r", 9), Scope("c", "d", "g", 5, "isr")]
    assert ladders[0].band == "r"
