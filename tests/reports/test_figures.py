from xml.etree import ElementTree as ET

from qa.model import Scope
from reports import figures
from reports.testing import a_camera_night, a_comparison, a_history, a_night
from reports.view import MetricView, build


def metric(*cameras: str, nights: int = 5) -> MetricView:
    """Return PA1 as some cameras measured it in so many nights."""
    comparisons = tuple(a_comparison("PA1", Scope(camera, "twin", "r", 0)) for camera in cameras)
    history = {(one.metric, one.scope): a_history(one, nights) for one in comparisons}
    made = map(a_camera_night, cameras)
    return build(a_night(*made, comparisons=comparisons, history=history)).metrics[0]


def test_one_camera_or_one_night_needs_no_plot() -> None:
    """Cameras are compared with each other over time, or not at all."""
    assert figures.together(metric("hsc")) == ()
    assert figures.together(metric("hsc", "decam", nights=1)) == ()
    assert len(figures.together(metric("hsc", "decam"))) == 2


def test_a_plot_is_the_same_bytes_each_time() -> None:
    """No date, no random identifiers: an unchanged plot is an unchanged file."""
    series = figures.together(metric("hsc", "decam"))
    assert figures.draw(series, ylabel="PA1") == figures.draw(series, ylabel="PA1")


def test_light_and_dark_differ_in_colour_only() -> None:
    """Both are SVG, and the light page's ink is not on the dark one."""
    light, dark = figures.draw(figures.together(metric("hsc", "decam")), ylabel="PA1 <&>")
    assert "#1c2024" not in dark.lower()
    assert "<script" not in light
    assert len(list(ET.fromstring(light).iter())) == len(list(ET.fromstring(dark).iter()))  # noqa: S314


def test_the_alternative_text_has_the_numbers() -> None:
    """Who cannot see the plot hears where each camera stands."""
    text = figures.alt("PA1", figures.together(metric("hsc", "decam")))
    assert text == "PA1: change of 2 series against their baselines; last night Decam r +0.0 %, Hsc r +0.0 %"
