from qa.model import Scope
from reports.headline import _shortened, headline, told
from reports.night import CameraNight, RunStatus
from reports.order import camera_verdict
from reports.testing import a_camera_night, a_comparison, a_night


def say(*cameras: CameraNight, **changed: float | None) -> str:
    """Return the headline of a night in which the PA1 of some cameras changed by a factor."""
    comparisons = tuple(
        a_comparison("PA1", Scope(camera.name, "twin", "r", 0), factor=changed.get(camera.name, 1.0))
        for camera in cameras
        if camera.status is RunStatus.RAN
    )
    verdicts = {
        camera.name: camera_verdict(camera, [one for one in comparisons if one.scope.camera == camera.name])
        for camera in cameras
    }
    return headline(a_night(*cameras, comparisons=comparisons), verdicts).replace("\u00a0", " ")


def test_all_pass() -> None:
    """The best news is the shortest."""
    assert say(a_camera_night("hsc"), a_camera_night("decam")) == "All 2 cameras pass."
    assert say(a_camera_night("hsc")) == "Hsc passes."


def test_warnings_are_counted() -> None:
    """Cameras that pass with warnings pass."""
    warned = a_camera_night("hsc", caveats=("a detector was left out",))
    assert say(warned, a_camera_night("decam")) == "All 2 cameras pass, 1 camera with warnings."
    assert say(warned) == "Hsc passes, with warnings."


def test_the_worst_camera_has_its_reason_told() -> None:
    """One sentence says how many pass and what went wrong first."""
    cameras = [a_camera_night(name) for name in ("hsc", "decam", "latiss")]
    expected = "2 of 3 cameras pass; Decam fails: PA1 in r stepped from 5.60 to 8.96 mmag."
    assert say(*cameras, decam=1.6) == expected


def test_the_others_are_named() -> None:
    """After the first, troubled cameras are named, or counted where there are many."""
    crashed = [a_camera_night(name, status=RunStatus.FAILED, reason="disk full. More.") for name in "abcde"]
    assert say(a_camera_night("hsc"), *crashed[:1]) == "1 of 2 cameras passes; A did not finish: disk full."
    assert say(a_camera_night("hsc"), *crashed[:2]).endswith("; B does not pass either.")
    assert say(*crashed).startswith("None of 5 cameras pass; ")
    assert say(*crashed).endswith("; 4 others do not pass either.")


def test_nothing_ran() -> None:
    """A night without cameras says so."""
    assert say() == "Nothing ran tonight: no camera was measured."
    assert say(a_camera_night(status=RunStatus.NOT_RUN)) == "Nothing ran tonight: no camera was measured."


def test_a_camera_without_measurements() -> None:
    """Having run is not enough."""
    night = a_night(a_camera_night())
    verdicts = {"testcam": camera_verdict(night.cameras[0], [])}
    assert headline(night, verdicts) == "Testcam was the only camera to run; Testcam ran and was not measured."


def test_what_is_told_of_a_metric() -> None:
    """Missing, below minimum from the start, and stepped are different sentences."""
    assert told(a_comparison(factor=None)) == "PA1 in r is missing"
    below = told(a_comparison(factor=1.6, before=None)).replace("\u00a0", " ")
    assert below == "PA1 in r is 8.96 mmag, worse than the minimum of 8 mmag"
    assert told(a_comparison(before=None)).replace("\u00a0", " ") == "PA1 in r is 5.60 mmag"


def test_a_long_path_does_not_hide_the_reason() -> None:
    """Of a path in a reason only its end is told."""
    text = "ingest: /a/very/long/path/to/some/cache/0123456789/raws: must be at least one usable raw, found none"
    assert _shortened(text) == "ingest: \u2026/0123456789/raws: must be at least one usable raw, found none"
