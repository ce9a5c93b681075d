from __future__ import annotations

from argparse import Namespace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from ci.suite.request import request_of
from qa.errors import RequestError, UnknownNameError

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 12, 1)
DEFAULTS = {
    "obsqa_camera": [],
    "obsqa_changed": [],
    "obsqa_base": None,
    "obsqa_budget": None,
    "obsqa_registry": [],
    "obsqa_runs": None,
    "obsqa_jobs": None,
    "obsqa_new": False,
}


def chosen(**options: object) -> tuple[str, ...] | None:
    """Return the cameras that a session with these options checks."""
    return request_of(Namespace(**{**DEFAULTS, **options}), today=TODAY).cameras


def test_without_a_choice_all_cameras_are_checked() -> None:
    """None stands for all that run."""
    assert chosen() is None
    assert chosen(obsqa_base="") is None


def test_a_cameras_own_package_concerns_that_camera() -> None:
    """By the name of the package, its address, or one that it watches."""
    assert chosen(obsqa_changed=["obs_subaru"]) == ("hsc",)
    assert chosen(obsqa_changed=["https://github.com/lsst/obs_subaru.git"]) == ("hsc",)
    assert chosen(obsqa_changed=["testdata_ci_hsc"]) == ("hsc",)


def test_a_package_of_the_stack_concerns_every_sponsored_camera() -> None:
    """Orphaned and retired ones are left out."""
    found = chosen(obsqa_changed=["ip_isr"])
    assert found is not None
    assert {"decam", "hsc", "latiss", "lsstcam", "megaprime"} <= set(found)
    assert not {"sdss", "ctio0m9"} & set(found)


def test_a_named_camera_is_the_only_one() -> None:
    """A change narrows it further: in a matrix over cameras a cell checks its own or nothing."""
    assert chosen(obsqa_camera=["decam"]) == ("decam",)
    assert chosen(obsqa_camera=["decam"], obsqa_changed=["ip_isr"]) == ("decam",)
    assert chosen(obsqa_camera=["decam"], obsqa_changed=["obs_subaru"]) == ()


def test_a_camera_that_does_not_exist_is_told() -> None:
    """With the names there are."""
    with pytest.raises(UnknownNameError, match="no camera is called 'nosuch'; known: "):
        chosen(obsqa_camera=["nosuch"])


@pytest.mark.parametrize("span", ["soon", "-3m", "0", "10 m; ls"])
def test_a_budget_that_is_no_span_is_told(span: str) -> None:
    """What was required and what was found."""
    with pytest.raises(RequestError, match="--budget must be a time span such as 90m or 2h, got"):
        chosen(obsqa_budget=span)


def test_options_lead_to_settings(tmp_path: Path) -> None:
    """Runs and registry are those of the command line, the budget is in seconds."""
    options = {**DEFAULTS, "obsqa_runs": str(tmp_path), "obsqa_budget": "10m", "obsqa_jobs": 2, "obsqa_new": True}
    found = request_of(Namespace(**options), today=TODAY)
    assert (found.settings.runs, found.budget, found.jobs, found.fresh) == (tmp_path, 600.0, 2, True)
    assert not found.nothing
