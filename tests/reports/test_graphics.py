from hypothesis import given
from hypothesis import strategies as st

from qa.metrics.base import Direction
from qa.model import HistoryPoint
from reports.graphics import BULLET, bullet, spark
from reports.testing import NOW, a_comparison, a_history, definitions

METRICS = sorted(definitions())


@given(st.sampled_from(METRICS), st.floats(0.01, 100), st.none() | st.floats(0.01, 100))
def test_everything_stays_within_the_bullet(metric: str, factor: float, before: float | None) -> None:
    """Wherever a value lies, its marks are on the graphic, and one beyond it says on which side."""
    comparison = a_comparison(metric, factor=factor, before=before)
    drawn = bullet(comparison, definitions()[metric].direction)
    if drawn is None:
        assert comparison.ladder is None
        assert comparison.baseline is None
        return
    assert drawn.value is not None
    ends = [drawn.value, *(drawn.whisker or ()), *([drawn.baseline] if drawn.baseline is not None else [])]
    assert all(0 <= end <= BULLET[0] for end in ends)
    assert all(span.size > 0 and span.start >= 0 and span.start + span.size <= BULLET[0] + 0.2 for span in drawn.spans)


@given(st.sampled_from(METRICS), st.floats(0.5, 1.5), st.floats(0.5, 1.5))
def test_better_is_to_the_left(metric: str, one: float, other: float) -> None:
    """For every direction the better of two values lies further left."""
    direction = definitions()[metric].direction
    better, worse = sorted((one, other), reverse=direction is Direction.HIGHER)
    left = bullet(a_comparison(metric, factor=better, before=worse), direction)
    assert left is not None
    assert left.value is not None
    assert left.baseline is None or left.value <= left.baseline


def test_the_label_says_what_is_drawn() -> None:
    """Who cannot see the graphic hears the numbers."""
    drawn = bullet(a_comparison(), Direction.LOWER)
    assert drawn is not None
    assert drawn.label.replace("\u00a0", " ") == (
        "5.60 mmag, baseline 5.60 mmag, minimum 8 mmag, design 5 mmag, stretch 3 mmag"
    )
    missing = bullet(a_comparison(factor=None), Direction.LOWER)
    assert missing is not None
    assert missing.value is None
    assert missing.label.startswith("not measured")


def test_without_anything_to_compare_there_is_no_bullet() -> None:
    """A first value without requirement stands alone."""
    assert bullet(a_comparison("psf_fwhm", before=None), Direction.LOWER) is None


def test_a_sparkline_needs_two_nights() -> None:
    """One value is no trend; a night without value breaks the line."""
    comparison = a_comparison()
    assert spark(a_history(comparison, 1), comparison) is None
    drawn = spark(a_history(comparison), comparison)
    assert drawn is not None
    assert len(drawn.lines) == 2
    assert drawn.label.startswith("23 nights")


def test_an_absent_last_night_has_no_last_point() -> None:
    """The dot is tonight's value; where there is none, there is no dot."""
    comparison = a_comparison(factor=None)
    points = (*a_history(a_comparison()), HistoryPoint("x", NOW, None, None))
    drawn = spark(points, comparison)
    assert drawn is not None
    assert drawn.last is None
