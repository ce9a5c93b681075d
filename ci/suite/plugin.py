"""The pytest plugin `obsqa`: `pytest --obsqa-camera hsc` adds obsqa's checks of a camera to a session.

It is loaded into every pytest of an environment that has obsqa, so here are only its options; everything else is
imported once one of them is given. `-p no:obsqa` switches it off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; each is that of `obsqa commit` with `--obsqa-` before it."""
    group = parser.getgroup("obsqa", "checks of camera packages by obsqa")
    add = group.addoption
    add("--obsqa", action="store_true", help="Add obsqa's checks of every camera that runs.")
    add("--obsqa-camera", action="append", default=[], metavar="NAME", help="Add the checks of this camera alone.")
    add("--obsqa-changed", action="append", default=[], metavar="PKG", help="Of the cameras this package concerns.")
    add("--obsqa-base", metavar="REV", help="Of the cameras that the changes since a commit concern.")
    add("--obsqa-budget", metavar="SPAN", help="Only what fits this time, such as 10m.")
    add("--obsqa-registry", action="append", default=[], metavar="DIR", help="Folder with further camera files.")
    add("--obsqa-runs", metavar="DIR", help="Folder of run directories and their history.")
    add("--obsqa-jobs", type=int, metavar="N", help="Processes side by side.")
    add("--obsqa-new", action="store_true", help="Begin a new run even if the last one was cut off.")
    add("--obsqa-note", metavar="FILE", help="Write what came of the run into this file.")


def pytest_configure(config: pytest.Config) -> None:
    """Bring the checks in where they are asked for."""
    config.addinivalue_line("markers", "obsqa(needs, words): a check of a camera, and the stage whose data it reads")
    option = config.option
    if option.obsqa or option.obsqa_camera or option.obsqa_changed or option.obsqa_base:
        from ci.suite.hooks import activate  # noqa: PLC0415 - only where it is asked for

        activate(config)
