from dataclasses import replace
from importlib import resources

from reports import html
from reports.example import the_example
from reports.view import build


def test_the_metric_page_defines_and_cites() -> None:
    """Definition, unit, direction, source and limits are all there."""
    view = build(the_example())
    metric = next(one for one in view.metrics if one.definition.name == "PA1")
    page = html.metric_page(view, metric, None).replace("\u00a0", " ").replace("&nbsp;", " ")
    for words in (metric.definition.definition, "mmag", "lower", "LPM-17, table 14", "≤ 8 mmag", "History"):
        assert words in page


def test_the_night_page_lists_so_many_findings_and_counts_the_others() -> None:
    """A broken night stays readable."""
    view = build(the_example())
    many = view.findings * 10
    page = html.night_page(replace(view, findings=many))
    assert page.count('<li class="finding ') == html.FINDINGS
    assert f"And {len(many) - html.FINDINGS} more findings" in page


def test_the_style_sheet_reaches_for_nothing_outside() -> None:
    """No import, no address: the sheet is complete."""
    sheet = resources.files("reports").joinpath("static/obsqa.css").read_text()
    assert "@import" not in sheet
    assert "url(" not in sheet
    assert "prefers-color-scheme: dark" in sheet
    assert "@media print" in sheet
