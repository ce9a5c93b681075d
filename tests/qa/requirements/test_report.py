"""The table of validate_drp's report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qa.errors import UnknownNameError
from qa.foreign.jobs import origin_of, read_job
from qa.model import Level
from qa.requirements.report import METRICS, NoSpecificationsError, Row, Value, plain, rst, table
from qa.requirements.verify import Specification, load_package

if TYPE_CHECKING:
    from pathlib import Path


def spec(name: str, value: float, *tags: str, unit: str = "mmag") -> tuple[str, Specification]:
    """Return a specification of validate_drp by name."""
    name = f"validate_drp.{name}"
    return name, Specification(name, value, unit, "<=", {}, tags)


SPECS = dict(
    [
        spec("PA1.design_gri", 5.0),
        spec("PA1.design_uzy", 7.5),
        spec("PA1.FY17_gri", 8.0, "release"),
        spec("PF1_design_gri.srd", 10.0, unit="percent"),
        spec("PF1_design_gri.FY17", 12.0, "release"),
        spec("AM1.design", 10.0, unit="mas"),
        spec("AD1_design.srd", 20.0, unit="mas"),
        spec("TE1.design", 2e-5, unit=""),
    ]
)
MEASURED = {
    "validate_drp.PA1": Value(16.4814, "mmag"),
    "validate_drp.PF1_design_gri": Value(42.4242, "%"),
    "validate_drp.AM1": Value(float("nan"), "marcsec"),
    "validate_drp.AD1_minimum": Value(1.0, "marcsec"),
    "validate_drp.TE1": Value(2.648e-4, ""),
}


def row(metric: str, *, filter_name: str = "r", level: Level = Level.DESIGN) -> Row:
    """Return the row of a metric."""
    rows = table(MEASURED, filter_name, SPECS, level=level, release="FY17")
    return next(one for one in rows if one.metric == metric)


def test_rows_are_those_of_the_original() -> None:
    """Fourteen, in its order, with the metric's unit and three digits of its value."""
    assert tuple(one.metric for one in table(MEASURED, "r", SPECS, level=Level.DESIGN, release="FY17")) == METRICS
    assert len(METRICS) == 14
    assert row("PA1").cells == ("PA1", "r", "mmag", "<=", "5.0", "8.0", "16.5", "")
    assert row("PF1").cells == ("PF1", "r", "%", "<=", "10.0", "12.0", "42.4", "")
    assert row("TE1").cells == ("TE1", "r", "", "<=", "2e-05", "nan", "0.000265", "")


def test_what_was_not_measured_and_what_is_not_asked_are_told_apart() -> None:
    """`**` and `nan`; a unit is then the specification's, a metric of another level does not stand in."""
    assert row("AM1").cells == ("AM1", "r", "marcsec", "<=", "10.0", "nan", "**", "")
    assert row("AD1").cells == ("AD1", "r", "mas", "<=", "20.0", "nan", "**", "")
    assert row("TE2").cells == ("TE2", "r", "", "", "nan", "nan", "**", "")


@pytest.mark.parametrize(("name", "limit"), [("HSC-Z", 7.5), ("z.MP9801", 7.5), ("HSC-R", 5.0), ("y", 7.5), ("", None)])
def test_limits_are_those_of_the_filter(name: str, limit: float | None) -> None:
    """By its band; without one there are none."""
    assert row("PA1", filter_name=name).requirement == limit


def test_a_release_without_targets_is_refused() -> None:
    """A slip must not look like a release that asks nothing."""
    with pytest.raises(UnknownNameError, match="no release with targets is called 'FY71'; known: FY17"):
        table(MEASURED, "r", SPECS, level=Level.DESIGN, release="FY71")


def test_a_job_without_specifications_needs_a_package() -> None:
    """Which the line says."""
    with pytest.raises(
        NoSpecificationsError, match=r"^x.json: .*; name a metrics package that has them with --package"
    ):
        table(MEASURED, "r", {}, level=Level.DESIGN, release="FY17", name="x.json")


def test_targets_may_come_from_elsewhere() -> None:
    """As the original took them from a package."""
    targets = dict([spec("PA1.ORR_gri", 5.0, "release")])
    rows = table(MEASURED, "r", SPECS, level=Level.DESIGN, release="ORR", targets=targets)
    assert [one.release for one in rows if one.release is not None] == [5.0]


def test_plain_rows_have_null_for_what_is_not_there() -> None:
    """No NaN travels."""
    (one,) = plain([row("AM1")])
    assert one == {
        "metric": "AM1",
        "filter": "r",
        "unit": "marcsec",
        "operator": "<=",
        "requirement": 10.0,
        "release": None,
        "value": None,
    }


def test_the_table_of_the_original_is_printed_digit_by_digit(shared_data: Path) -> None:
    """From the Job alone, and with the targets of the package."""
    folder = shared_data / "verify"
    job, _ = read_job(folder / "CfhtQuick_output_r.json")
    measured = {one.metric: Value(one.value, one.unit or "") for one in job.measurements}
    own = {one.name: one for one in job.specifications}
    package = load_package(folder / "verify_metrics").specifications
    original = (folder / "CfhtQuick_output_r_report_design_FY17.rst").read_text()
    for targets in (None, package):
        rows = table(
            measured, origin_of(job.meta).filter or "", own, level=Level.DESIGN, release="FY17", targets=targets
        )
        assert rst(rows, level=Level.DESIGN, release="FY17") == original
