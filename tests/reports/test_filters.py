import pytest

from reports.filters import FILTERS
from reports.wording import MINUS


@pytest.mark.parametrize(
    ("name", "words"),
    [("coadd_depth", "coadd depth"), ("PA1", "PA1"), ("pipe_tasks.step_one", "pipe_tasks.step one")],
)
def test_a_metric_is_written_in_words(name: str, words: str) -> None:
    """Underscores are for programs; the package of a foreign metric stays as its people write it."""
    assert FILTERS["metric_name"](name) == words


@pytest.mark.parametrize(("value", "words"), [(0.25, "25 %"), (-0.25, "25 % gained"), (0.0, "0.0 %")])
def test_a_share_that_was_gained_is_called_so(value: float, words: str) -> None:
    """Nobody has to read a minus sign."""
    text = FILTERS["share"](value)
    assert str(text).replace("\u202f", " ") == words
    assert MINUS not in str(text)
