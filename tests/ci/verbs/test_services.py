"""Suites of a service in the nights, for real: a web service, tests of it by pytest, and what comes of them."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, ClassVar

import pytest

from ci.testing.home import Place
from qa.journal import read_record
from qa.model import Measurement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENTRY = """schema: 1
name: catalogue
title: Catalogue service
package: {{name: catalogue_service, repository: https://example.org/catalogue_service}}
sponsor: {{team: service team, contact: service@example.org, deputy: deputy@example.org}}
lease: {{granted: 2026-01-01, until: 2099-12-31}}
datasets:
  - name: queries
    kind: suite
    lane: nightly
    source: tests
    command: ["{python}", -m, pytest, -q, "{{source}}", --junitxml=junit.xml, --url={url}, -p, no:cacheprovider]
    results: [junit.xml, "*.json"]
    limits:
      - {{metric: stars_found, at_least: 3}}
"""
OPTION = """def pytest_addoption(parser):
    parser.addoption("--url")
"""
TESTS = """import json, urllib.request


def ask(request, path):
    with urllib.request.urlopen(request.config.getoption("--url") + path, timeout=10) as answer:
        return json.load(answer)


def test_cone_search(request):
    found = len(ask(request, "/cone"))
    metric = {"name": "stars_found", "value": found, "direction": "higher", "text": "Stars in the cone."}
    open("metrics.json", "w").write(json.dumps({"schema": 1, "metrics": [metric]}))


def test_status(request):
    assert ask(request, "/status") == "up"
"""


class _Service(BaseHTTPRequestHandler):
    """A small web service; `answers` can be changed while it runs."""

    answers: ClassVar[dict[str, object]] = {}

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer a query."""
        body = json.dumps(self.answers[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve on a free port of the loopback interface."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, url: str) -> Place:
    """Return a place whose registry has the service and its tests."""
    folder = tmp_path_factory.mktemp("services")
    tests = folder / "registry" / "services" / "tests"
    tests.mkdir(parents=True)
    (tests / "conftest.py").write_text(OPTION)
    (tests / "test_queries.py").write_text(TESTS)
    (tests.parent / "catalogue.yaml").write_text(ENTRY.format(python=sys.executable, url=url))
    (folder / "regression_data" / "skies").mkdir(parents=True)
    return Place(folder, {"OBSQA_REGISTRY": str(folder / "registry")})


def _night(place: Place, **answers: object) -> tuple[int, str, Path]:
    _Service.answers = {"/cone": [1, 2, 3, 4], "/status": "up", **{f"/{name}": one for name, one in answers.items()}}
    code, out, err = place.run("nightly", "--camera", "catalogue")
    return code, out + err, place.runs[-1]


def test_a_service_is_tested_in_the_night(place: Place) -> None:
    """Its tests and metrics are measured, judged, remembered and reported like a camera's."""
    code, told, run = _night(place)
    assert code == 0, told
    assert "2 tests, none failed" in told
    values = {one.metric: one.value for one in read_record(run).results if isinstance(one, Measurement)}
    assert values["catalogue.stars_found"] == 4
    assert (values["tests_run"], values["tests_failed"]) == (2, 0)
    page = (run / "report" / "cameras" / "catalogue.html").read_text()
    assert "Catalogue service" in page
    assert "stars_found" in page
    assert any("Stars in the cone." in one.read_text() for one in (run / "report").rglob("*.html"))


def test_a_test_that_fails_fails_the_night(place: Place) -> None:
    """Its name and what it says are in the run; the next good night mends it."""
    code, told, run = _night(place, status="down")
    assert code == 1, told
    assert "tests.test_queries.test_status: AssertionError" in told
    failed = [one for one in read_record(run).comparisons if one.status == "fail"]
    assert [one.metric for one in failed] == ["tests_failed"]
    assert _night(place)[0] == 0


def test_a_metric_beyond_its_limit_fails_the_night(place: Place) -> None:
    """Though every test passed."""
    code, told, run = _night(place, cone=[1])
    assert code == 1, told
    (failed,) = [one for one in read_record(run).comparisons if one.status == "fail"]
    assert failed.metric == "catalogue.stars_found"
    assert failed.ladder is not None
    assert failed.ladder.citation == "registry entry of catalogue, suite queries"


def test_the_nights_have_a_history(place: Place) -> None:
    """Of the metric and of the tests."""
    code, out, err = place.run("history", "catalogue.stars_found", "--json")
    assert code == 0, err
    assert out.count('"value"') == 4


def test_a_suite_that_cannot_be_run_fails_the_night_in_one_line(place: Place) -> None:
    """As infrastructure, not as a failed test."""
    entry = place.folder / "registry" / "services" / "catalogue.yaml"
    entry.write_text(entry.read_text().replace(sys.executable, "/no/such/python"))
    code, told, _ = _night(place)
    assert code == 3, told
    assert "/no/such/python was not found" in told
    assert "Traceback" not in told
