from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from qa.model import Comparison, Scope
from reports.example import the_example
from reports.night import RunStatus
from reports.order import Verdict, by_badness, verdict_rank
from reports.rows import absences, loud, reason_of
from reports.testing import a_camera_night, a_comparison, a_history, a_night, definitions, scopes
from reports.view import build

cells = st.tuples(st.sampled_from(scopes("hsc", ("r", "i"))), st.none() | st.sampled_from([0.5, 1.0, 1.7]))
nights = st.lists(cells, unique_by=lambda cell: cell[0], max_size=12).map(
    lambda found: tuple(a_comparison(name, scope, factor=factor) for (name, scope), factor in found)
)


@given(nights)
def test_nothing_is_lost_and_the_worst_comes_first(found: tuple[Comparison, ...]) -> None:
    """Every comparison is counted once and stands on the pages of its camera and of its metric."""
    view = build(a_night(a_camera_night("hsc"), comparisons=found))
    (camera,) = view.cameras
    assert view.counts.total == len(found) == camera.counts.total
    assert sum(len(rows) for _, rows in camera.families) == len(found)
    assert sum(len(metric.rows) for metric in view.metrics) == len(found)
    keys = [by_badness(row.comparison) for row in view.findings]
    assert keys == sorted(keys)
    assert len(view.findings) == view.counts.fail + view.counts.warn


@given(nights)
def test_an_overview_cell_is_as_bad_as_its_worst_row(found: tuple[Comparison, ...]) -> None:
    """Many tasks make one cell; none of them hides behind another."""
    view = build(a_night(a_camera_night("hsc"), comparisons=found))
    for metric in view.metrics:
        assert len(metric.cells) == len(view.columns)
        for column, cell in zip(view.columns, metric.cells, strict=True):
            own = [row for row in metric.rows if row.comparison.scope.band == column.band]
            assert (cell is None) == (not own)
            assert cell is None or verdict_rank(cell.row.verdict) == min(verdict_rank(row.verdict) for row in own)


def test_cameras_are_ordered_worst_first() -> None:
    """Who fails stands above who crashed, warns, passes and was not run."""
    view = build(the_example())
    assert [one.name for one in view.cameras] == ["decam", "lsstcam", "latiss", "hsc", "megaprime", "sdss", "vircam"]
    assert view.verdict is Verdict.FAIL
    assert (view.ran, view.planned) == (4, 5)
    assert [(column.camera.name, column.band) for column in view.columns][2:4] == [("hsc", "r"), ("hsc", "i")]


def test_an_orphaned_camera_does_not_turn_the_night_red() -> None:
    """It runs without gating: at worst the night warns."""
    crashed = a_camera_night("vircam", lease="orphaned", status=RunStatus.FAILED, reason="no flat")
    fine = a_camera_night("hsc")
    view = build(a_night(fine, crashed, comparisons=(a_comparison(scope=Scope("hsc", "twin", "r", 0)),)))
    assert view.verdict is Verdict.WARN
    assert view.cameras[0].verdict is Verdict.ERROR


def test_a_known_deficit_is_called_so() -> None:
    """Below minimum since its baseline was accepted is not tonight's breakage."""
    (row,) = build(a_night(a_camera_night(), comparisons=(a_comparison(factor=1.6, before=1.6),))).findings
    assert row.known
    assert row.verdict is Verdict.WARN
    assert row.change_text == ""


def test_a_metric_without_definition_is_shown() -> None:
    """A comparison whose metric is not in the catalogue still appears."""
    night = replace(a_night(a_camera_night(), comparisons=(a_comparison(),)), definitions={})
    (metric,) = build(night).metrics
    assert metric.definition.family == "undefined"


def test_history_reaches_the_row() -> None:
    """The trend drawn is that of the metric and scope."""
    comparison = a_comparison()
    history = {("PA1", comparison.scope): a_history(comparison)}
    (metric,) = build(a_night(a_camera_night(), comparisons=(comparison,), history=history)).metrics
    assert metric.rows[0].spark is not None
    assert metric.rows[0].chart() is not None


def test_families_stay_together() -> None:
    """Metrics follow the catalogue, each family once."""
    families = [name for name, _ in build(the_example()).families]
    assert families == list(dict.fromkeys(one.family for one in definitions().values()))


def test_an_empty_night() -> None:
    """Without cameras there is still a report, and it is not green."""
    view = build(a_night())
    assert view.verdict is Verdict.INCOMPLETE
    assert view.headline.startswith("Nothing ran")


def test_measurements_without_baseline_are_counted() -> None:
    """A first night passes by requirements alone, and says so."""
    night = a_night(a_camera_night(), comparisons=(a_comparison(before=None), a_comparison("AM1")))
    assert build(night).new == 1


def test_absences_that_only_warn_are_told_together() -> None:
    """Six cameras too small for one metric are one line; a loss of something measured before stands alone."""
    names = ("a", "b", "c")
    fresh = [a_comparison("AM3", Scope(name, "twin", "r"), factor=None, before=None) for name in names]
    lost = a_comparison("AM1", Scope("a", "twin", "r"), factor=None)
    view = build(a_night(*map(a_camera_night, names), comparisons=(*fresh, lost)))
    assert [row.comparison for row in loud(view.findings)] == [lost]
    assert [len(group) for group in absences(view.findings)] == [3]
    assert reason_of(absences(view.findings)[0][0]) == "At least 50 pairs of stars are needed, and there are 12."
