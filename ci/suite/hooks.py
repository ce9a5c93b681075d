"""What pytest calls once checks are asked for: bring them in, put them in order, note how they end, publish the run."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from ci.suite import fixtures
from ci.suite.arranging import arranged
from ci.suite.night import Night, NotReachedError
from ci.suite.publishing import say, write_note
from ci.suite.request import request_of
from ci.suite.targets import Target, targets_of
from ci.wiring import make_context
from qa.checks import CheckOutcome, CheckStatus
from qa.errors import ObsqaError, RequestError
from qa.plan import NOT_ASKED
from reports.wording import duration

if TYPE_CHECKING:
    from collections.abc import Generator

    from ci.suite.request import Request
    from obs_registry.model import Camera
    from qa.record import RunRecord

CHECKS = Path(__file__).resolve().parent / "checks"
SUITE = pytest.StashKey["Suite"]()
UNBEGUN = pytest.StashKey[bool]()
"""Set of a check that there was no time left for: to pytest it is skipped, to the run it is lacking."""

CUT_OFF = {int(pytest.ExitCode.INTERRUPTED): 130, int(pytest.ExitCode.INTERNAL_ERROR): 3}
"""Exit codes of sessions that did not come to their end, and what they are to us: their run can be continued."""
_MINE = "obsqa"


@dataclass(slots=True)
class Suite:
    """A session with checks; pytest calls its methods by their names."""

    request: Request
    night: Night
    cameras: dict[str, Camera]
    left_out: tuple[str, ...] = ()
    record: RunRecord | None = None
    error: str = ""
    seconds: float = 0.0
    began: float = field(default_factory=time.monotonic)
    _outcomes: dict[str, CheckOutcome] = field(default_factory=dict)

    @pytest.hookimpl
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make each check for every camera, and those of metrics for every metric."""
        if not _is_check(metafunc.definition):
            return
        targets = targets_of(metafunc, self.cameras.values(), self.night.context.settings.regression_data)
        metafunc.parametrize("target", targets, ids=[one.id for one in targets])

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Put the checks that are left in order, behind the session's own tests, and leave out what does not fit."""
        checks = [item for item in items if _is_check(item)]
        own = [item for item in items if not _is_check(item)]
        found = arranged(checks, self.cameras.values(), self.request)
        self.left_out, self.seconds = tuple(item.nodeid for item in found.dropped), found.seconds
        self.night.needs, self.night.left_out = found.needs, found.cameras_left_out
        if found.dropped:
            config.hook.pytest_deselected(items=found.dropped)
        items[:] = [*own, *found.order]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin no check once the budget is used up: what is then lacking leaves the run incomplete."""
        budget = self.request.budget
        if budget is not None and _is_check(item) and time.monotonic() - self.began > budget:
            item.stash[UNBEGUN] = True
            pytest.skip(f"the budget of {duration(budget)} is used up")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note how a check ended, except of those whose verdict the run holds anyway."""
        report = yield
        if not _is_check(item):
            return report
        target = target_of(item)
        if not target.judged or _is_accident(call) or item.stash.get(UNBEGUN, False):
            self._note(item, target, report, call)
        return report

    def _note(self, item: pytest.Item, target: Target, report: pytest.TestReport, call: pytest.CallInfo[None]) -> None:
        """Keep the worst of set-up, call and tear-down, and write it down at the end."""
        if item.stash.get(UNBEGUN, False):
            status = CheckStatus.NOT_RUN
        else:
            status = CheckStatus.ERROR if target.judged or _is_unreached(call) else _status(report)
        before = self._outcomes.get(item.nodeid)
        seconds = (before.seconds if before else 0.0) + (report.duration if report.when == "call" else 0.0)
        if before is not None and status in {CheckStatus.PASSED, CheckStatus.NOT_RUN}:
            status, message = before.status, before.message
        else:
            message = _in_a_line(report)
        self._outcomes[item.nodeid] = CheckOutcome(target.camera.name, target.check, status, seconds, message)
        if report.when == "teardown" or target.judged:
            try:
                self.night.note(self._outcomes[item.nodeid])
            except ObsqaError as error:  # such as a full disk: what was written before is kept
                _end(f"obsqa: {error}", code=error.exit_code)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Judge the run and report it; one that was interrupted is reported so far and left to be continued."""
        if not self.night.opened:
            return
        if exitstatus in CUT_OFF:
            self.night.report_so_far()
            write_note(session.config, self.night.folder, CUT_OFF[exitstatus])
            return
        try:
            self.record = self.night.finish()
            code = self.record.exit_code or int(exitstatus == pytest.ExitCode.TESTS_FAILED)
        except ObsqaError as error:
            self.error, code = str(error), error.exit_code
        if exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = code
        write_note(session.config, self.night.folder, code)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what came of it, and last where the report is."""
        for line in say(self):
            terminalreporter.write_line(line)


def activate(config: pytest.Config) -> None:
    """Bring the checks into a session; what is wrong with the options ends it with one line."""
    if getattr(config.option, "numprocesses", None):
        _end("obsqa's checks share one run: leave out -n; the run itself uses every core (--obsqa-jobs)", code=2)
    try:
        request = request_of(config.option, today=datetime.now(UTC).date())
        if request.nothing:
            _end(f"obsqa: no camera is concerned by {', '.join(request.changes.packages) or 'what changed'}", code=0)
        suite = _suite(request)
    except ObsqaError as error:
        _end(f"obsqa: {error}", code=error.exit_code)
    config.addinivalue_line("markers", "benchmark: of pytest-benchmark, which may not be installed")
    config.stash[SUITE] = suite
    config.pluginmanager.register(suite, "obsqa-suite")
    config.pluginmanager.register(fixtures, "obsqa-fixtures")
    config.args[:] = [*([] if _nothing_else(config) else config.args), str(CHECKS)]
    if config.option.obsqa_note:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _suite(request: Request) -> Suite:
    context = make_context(request.settings, request.cameras or (), jobs=request.jobs)
    if request.budget is not None:
        context = replace(context, ends=context.clock() + timedelta(seconds=request.budget))
    night = Night(context, request.changes.packages, fresh=request.fresh)
    plan = night.plan_all()
    if not plan.cameras:
        reasons = "; ".join(f"{one.camera}: {one.reason}" for one in plan.not_run if one.reason != NOT_ASKED)
        msg = f"no camera can be checked: {reasons or 'there is none'}"
        raise RequestError(msg)
    return Suite(request, night, {name: context.camera(name) for name in plan.cameras})


def _nothing_else(config: pytest.Config) -> bool:
    """Tell whether the session was given nothing to collect by `obsqa commit`."""
    return bool(config.option.obsqa_note)


def _end(line: str, *, code: int) -> NoReturn:
    pytest.exit(line, returncode=code)


def target_of(item: pytest.Item) -> Target:
    """Return what a check is made for."""
    target: Target = item.callspec.params["target"]  # type: ignore[attr-defined]  # of functions with parameters
    return target


def _is_check(item: pytest.Item) -> bool:
    return item.get_closest_marker(_MINE) is not None and item.path.is_relative_to(CHECKS)


def _is_accident(call: pytest.CallInfo[None]) -> bool:
    """Tell whether something was raised that is no verdict."""
    error = call.excinfo.value if call.excinfo else None
    return error is not None and not isinstance(error, pytest.fail.Exception | pytest.skip.Exception)


def _is_unreached(call: pytest.CallInfo[None]) -> bool:
    """Tell whether a step failed before there was anything to check."""
    return call.excinfo is not None and isinstance(call.excinfo.value, NotReachedError)


def _status(report: pytest.TestReport) -> CheckStatus:
    if report.skipped:
        return CheckStatus.SKIPPED
    if report.passed:
        return CheckStatus.PASSED
    return CheckStatus.FAILED if report.when == "call" else CheckStatus.ERROR


def _in_a_line(report: pytest.TestReport) -> str:
    """Word why a check did not pass."""
    match report.longrepr:
        case None:
            return ""
        case (_, _, str(reason)):
            return reason.removeprefix("Skipped: ")
        case longrepr:
            crash = getattr(longrepr, "reprcrash", None)
            text = crash.message if crash else str(longrepr)
            return next((line for line in text.splitlines() if line.strip()), "").removeprefix("AssertionError: ")
