"""Against a double of a Jenkins server, see `ci.testing.jenkins`: no real one can be had from a package registry."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("jenkinsapi")

import ci.testing.jenkins
from ci.jenkins import Build, Deadline, JenkinsError, Result, Server
from ci.testing.jenkins import Jenkins, serving
from qa.errors import RequestError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUITES = [
    {
        "cases": [
            {"className": "hsc.r", "name": "test_None_is_not_True", "status": "PASSED"},
            {"className": "hsc.r", "name": "PA1", "status": "REGRESSION"},
        ]
    }
]


@pytest.fixture
def jenkins() -> Iterator[Jenkins]:
    """Serve a double."""
    with serving(Jenkins()) as double:
        yield double


@pytest.fixture
def server(jenkins: Jenkins) -> Server:
    """Talk to the double."""
    return Server(jenkins.url, user="nightly", token="secret", timeout=5)  # noqa: S106 - of a double


@pytest.fixture
def end() -> Deadline:
    """Wait for 60 s by a clock that only pauses move."""
    return a_deadline(60)


def a_deadline(seconds: float) -> Deadline:
    """Make a deadline whose clock only pauses move."""
    now = [0.0]

    def sleep(pause: float) -> None:
        now[0] += pause

    return Deadline(seconds, clock=lambda: now[0], sleep=sleep)


def test_a_build_is_begun_followed_and_ends(jenkins: Jenkins, server: Server, end: Deadline) -> None:
    """Parameters arrive, the queue is waited for, and so is the end of the build."""
    jenkins.queued, jenkins.running = 3, 2
    place = server.trigger("team/nightly", {"LANE": "nightly", "REF": "u/x&y"}, end)
    number = server.number("team/nightly", place, end)
    assert (place, number) == ("42", 7)
    assert jenkins.posted == [{"LANE": ["nightly"], "REF": ["u/x&y"]}]
    assert "POST /job/team/job/nightly/buildWithParameters" in jenkins.asked
    assert server.wait("team/nightly", number, end) == Build("team/nightly", 7, Result.SUCCESS, 61.0)


def test_a_job_without_parameters_is_begun_too(jenkins: Jenkins, server: Server, end: Deadline) -> None:
    """Jenkins has another address for it, and refuses the one for jobs with parameters."""
    jenkins.parameters = ()
    server.trigger("nightly", {}, end)
    assert "POST /job/nightly/build" in jenkins.asked


def test_a_job_with_parameters_may_be_begun_with_none(jenkins: Jenkins, server: Server, end: Deadline) -> None:
    """Its defaults stand; Jenkins refuses the address for jobs without parameters."""
    assert server.trigger("nightly", {}, end) == "42"
    assert "POST /job/nightly/buildWithParameters" in jenkins.asked


def test_a_parameter_that_the_job_lacks_is_refused(jenkins: Jenkins, server: Server, end: Deadline) -> None:
    """Jenkins would begin a build without it."""
    with pytest.raises(UnknownNameError, match="no parameter of nightly is called 'LAEN'; known: LANE, REF"):
        server.trigger("nightly", {"LAEN": "nightly"}, end)
    assert not jenkins.posted


def test_a_server_without_crumbs_needs_none(jenkins: Jenkins, server: Server, end: Deadline) -> None:
    """As one that looks at tokens only."""
    jenkins.crumb = ""
    assert server.trigger("nightly", {}, end) == "42"


def test_a_crumb_of_something_else_is_told(
    jenkins: Jenkins, server: Server, end: Deadline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the page of a proxy in its place."""
    answer = ci.testing.jenkins._get

    def page(double: Jenkins, path: str) -> tuple[int, bytes, dict[str, str]]:
        return (200, b"<html>", {}) if "crumb" in path else answer(double, path)

    monkeypatch.setattr("ci.testing.jenkins._get", page)
    with pytest.raises(JenkinsError, match=r"/crumbIssuer: must give a crumb of Jenkins, got another page"):
        server.trigger("nightly", {}, end)


def test_a_wrong_token_is_told_before_anything_is_begun(jenkins: Jenkins, server: Server, end: Deadline) -> None:
    """And is not waited for."""
    jenkins.broken = [401]
    with pytest.raises(JenkinsError, match=r"HTTP 401.*; check the user and token"):
        server.trigger("nightly", {}, end)
    assert jenkins.asked == ["GET /job/nightly/api/json"]


def test_a_slow_answer_is_asked_for_again(jenkins: Jenkins, end: Deadline) -> None:
    """A server that hangs for once costs a pause."""
    jenkins.running, jenkins.slow = 0, [0.6]
    assert Server(jenkins.url, timeout=0.2).wait("nightly", 7, end).result is Result.SUCCESS


def test_an_expired_crumb_is_renewed(jenkins: Jenkins, server: Server, end: Deadline) -> None:
    """A crumb belongs to a session: when Jenkins gives another one, it is asked for."""
    server.trigger("nightly", {}, end)
    jenkins.crumb = "c-2"
    assert server.trigger("nightly", {}, end) == "42"


def test_a_cancelled_item_ends_the_waiting(jenkins: Jenkins, server: Server, end: Deadline) -> None:
    """It would never become a build."""
    jenkins.cancelled = True
    with pytest.raises(JenkinsError, match=r"nightly: it was cancelled in the queue \(item 42\); trigger it again"):
        server.number("nightly", "42", end)


def test_a_forgotten_item_is_found_by_its_build(jenkins: Jenkins, server: Server, end: Deadline) -> None:
    """Jenkins forgets items some minutes after their builds began; the build knows its item."""
    jenkins.forgotten = True
    assert server.number("nightly", "42", end) == 7
    with pytest.raises(JenkinsError, match="knows no item 43 of its queue"):
        server.number("nightly", "43", end)


@pytest.mark.parametrize("what", ["queued", "running"])
def test_every_wait_has_a_deadline(jenkins: Jenkins, server: Server, what: str) -> None:
    """Waiting ends with one line that says what was waited for, and how to give it more time."""
    setattr(jenkins, what, 10_000)
    calls = {"queued": lambda end: server.number("nightly", "42", end), "running": lambda end: server.wait("n", 7, end)}
    with pytest.raises(JenkinsError, match=r"must end within 20 s, and did not; give more time with --deadline"):
        calls[what](a_deadline(20))


def test_pauses_grow_and_end_with_the_deadline() -> None:
    """A server is asked ever less often, and the last pause does not go beyond the deadline."""
    pauses: list[float] = []
    now = [0.0]

    def sleep(pause: float) -> None:
        pauses.append(pause)
        now[0] += pause

    deadline = Deadline(100, clock=lambda: now[0], sleep=sleep)
    while now[0] < 100:
        deadline.wait("x")
    with pytest.raises(JenkinsError):
        deadline.wait("x")
    assert pauses[:3] == [1.0, 1.5, 2.25]
    assert max(pauses) <= 30
    assert sum(pauses) == 100


def test_a_server_that_stumbles_is_asked_again(jenkins: Jenkins, server: Server, end: Deadline) -> None:
    """5xx while looking costs a pause; nothing is lost."""
    jenkins.running, jenkins.broken = 0, [502, 500]
    assert server.wait("nightly", 7, end).result is Result.SUCCESS


def test_a_server_that_goes_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    """Gone while a build runs, as for an upgrade: it is waited for."""
    jenkins, pauses = Jenkins(running=1, artifacts={"a.json": b"{}"}, report={"suites": SUITES}), [0]
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(serving(jenkins))
        port = int(jenkins.url.rpartition(":")[2])

        def sleep(_: float) -> None:
            """Let the server go at the first pause, and come back at the third."""
            pauses[0] += 1
            if pauses[0] == 1:
                first.close()
            elif pauses[0] == 3:
                second.enter_context(serving(jenkins, port))

        server, end = Server(jenkins.url, timeout=5), Deadline(60, clock=lambda: 0.0, sleep=sleep)
        build = server.wait("nightly", 7, end)
        found = server.collect(build, tmp_path, end)
    assert (build.result, pauses) == (Result.SUCCESS, [3])
    assert found.missing == ()


def test_a_build_is_never_begun_twice(
    jenkins: Jenkins, server: Server, end: Deadline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an answer that may have come with a build begun, the user decides; 503 means that it did not."""
    jenkins.broken = [503, 503]  # of the question for parameters, and of that for a crumb
    assert server.trigger("nightly", {}, end) == "42"
    monkeypatch.setattr(server, "_parameters", lambda *_: ("LANE",))
    jenkins.broken = [500]
    with pytest.raises(JenkinsError, match=r"HTTP 500; a build may have begun all the same"):
        server.trigger("nightly", {}, end)


def test_an_absent_server_is_told_with_its_address(end: Deadline) -> None:
    """Nobody answers there until the deadline."""
    with pytest.raises(JenkinsError, match=r"127\.0\.0\.1:1/.*ConnectionError: must end within 60 s"):
        Server("http://127.0.0.1:1").wait("nightly", 7, end)


@pytest.mark.parametrize(("code", "hint"), [(401, "user and token"), (403, "permissions"), (404, "names of server")])
def test_refusals_say_what_to_check(jenkins: Jenkins, server: Server, end: Deadline, code: int, hint: str) -> None:
    """They are not repeated."""
    jenkins.broken = [code]
    with pytest.raises(JenkinsError, match=f"HTTP {code}.*; check the (user's )?{hint}"):
        server.wait("nightly", 7, end)


def test_what_is_no_jenkins_is_told(jenkins: Jenkins, end: Deadline, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page in place of JSON, or an address without scheme."""
    monkeypatch.setattr("ci.testing.jenkins._get", lambda *_: (200, b"<html>", {}))
    with pytest.raises(JenkinsError, match=r"must be JSON of Jenkins, got another page"):
        Server(jenkins.url).wait("nightly", 7, end)
    with pytest.raises(RequestError, match=r"must begin with https:// or http://, got 'jenkins'"):
        Server("jenkins")


def test_a_token_in_the_address_is_refused_and_not_repeated() -> None:
    """It would be in every line that names the server."""
    with pytest.raises(RequestError, match="must hold no user and token; give them in OBSQA_JENKINS_USER") as caught:
        Server("https://nightly:s3cr3t@jenkins.example.org")
    assert "s3cr3t" not in str(caught.value)


def test_an_unknown_result_is_told(jenkins: Jenkins, server: Server, end: Deadline) -> None:
    """It is not taken for a success."""
    jenkins.result, jenkins.running = "MAYBE", 0
    with pytest.raises(JenkinsError, match=r"nightly #7: the result must be one of SUCCESS, .*, got 'MAYBE'"):
        server.wait("nightly", 7, end)


def test_what_a_build_left_is_collected(jenkins: Jenkins, server: Server, end: Deadline, tmp_path: Path) -> None:
    """Artefacts keep their folders, test names their letters, the console its encoding."""
    jenkins.artifacts = {"runs/a b/report/index.html": b"<p>", "runs/x.json": b"{}"}
    jenkins.report = {"suites": SUITES}
    found = server.collect(Build("nightly", 7, Result.UNSTABLE, 61.0), tmp_path, end)
    assert found.tests == {"passed": 1, "regression": 1}
    assert found.failed == ("hsc.r.PA1",)
    assert not found.missing
    assert (tmp_path / "artifacts/runs/a b/report/index.html").read_bytes() == b"<p>"
    assert (tmp_path / "console.txt").read_text(encoding="utf-8") == "café\n"


def test_a_file_that_ends_in_the_middle_is_fetched_again(
    jenkins: Jenkins, server: Server, end: Deadline, tmp_path: Path
) -> None:
    """Half of it is never left behind."""
    jenkins.artifacts, jenkins.cut = {"big.bin": b"x" * 3_000_000}, 2
    found = server.collect(Build("nightly", 7, Result.SUCCESS, 61.0), tmp_path, end)
    assert (tmp_path / "artifacts/big.bin").read_bytes() == b"x" * 3_000_000
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["big.bin", "console.txt"]
    assert found.missing == ("a test report",)


def test_names_of_tests_are_not_altered(jenkins: Jenkins, server: Server, end: Deadline, tmp_path: Path) -> None:
    """`None` and `True` in a name stay what they are, in the parts of a matrix as well."""
    failing = {"className": "a", "name": "test_None_is_not_True", "status": "FAILED"}
    jenkins.report = {"childReports": [{"result": {"suites": [{"cases": [failing]}]}}]}
    found = server.collect(Build("nightly", 7, Result.UNSTABLE, 61.0), tmp_path, end)
    assert found.failed == ("a.test_None_is_not_True",)


def test_missing_reports_are_told(jenkins: Jenkins, server: Server, end: Deadline, tmp_path: Path) -> None:
    """A build without tests or artefacts does not look like one that passed."""
    found = server.collect(Build("nightly", 7, Result.SUCCESS, 61.0), tmp_path, end)
    assert found.missing == ("a test report", "artefacts")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b"])
def test_artefacts_stay_in_their_folder(
    jenkins: Jenkins, server: Server, end: Deadline, tmp_path: Path, name: str
) -> None:
    """A path that leaves it is refused."""
    jenkins.artifacts = {name: b"x"}
    with pytest.raises(JenkinsError, match="an artefact's path must stay in its folder"):
        server.collect(Build("nightly", 7, Result.SUCCESS, 61.0), tmp_path / "into", end)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
