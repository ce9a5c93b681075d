"""JUnit XML: a test suite for each camera, a test case for each metric and scope, as Jenkins reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from qa.model import Status, Unmeasured
from reports.night import RunStatus
from reports.wording import with_error

if TYPE_CHECKING:
    from reports.rows import Row
    from reports.view import CameraView, NightView

# What XML 1.0 cannot hold, escaped or not.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(view: NightView) -> bytes:
    """Write a night as JUnit XML.

    A verdict that fails is a failure with its sentence, an absence that does not fail is skipped; a camera that did not
    finish has the error in a case called `run`, one that was not run has that case skipped.
    """
    suites = ET.Element("testsuites", name=_legal(f"obsqa {view.night.plan.run_id}"))
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for number, camera in enumerate(view.cameras):
        suite = _suite(view, camera, number)
        totals = {key: count + int(suite.get(key, "0")) for key, count in totals.items()}
        suites.append(suite)
    suites.attrib |= {key: str(count) for key, count in totals.items()} | {"time": f"{view.seconds:.3f}"}
    ET.indent(suites, " ")
    return bytes(ET.tostring(suites, encoding="utf-8", xml_declaration=True)) + b"\n"


def _suite(view: NightView, camera: CameraView, number: int) -> ET.Element:
    rows = [row for _, group in camera.families for row in group]
    cases = [_run_case(camera), *(_case(row) for row in rows)]
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    facts = {
        "name": _legal(camera.name),
        "package": "obsqa",
        "id": str(number),
        "timestamp": f"{view.night.started:%Y-%m-%dT%H:%M:%S}",
        "hostname": _legal(view.night.provenance.get("host", "unknown")),
        "time": f"{camera.wall_seconds:.3f}",
    }
    suite = ET.Element("testsuite", facts | {key: str(count) for key, count in counts.items()})
    properties = ET.SubElement(suite, "properties")
    for name, value in (("run", view.night.plan.run_id), ("package", camera.camera.package), ("lease", camera.lease)):
        ET.SubElement(properties, "property", name=name, value=_legal(value))
    suite.extend(cases)
    return suite


def _run_case(camera: CameraView) -> ET.Element:
    case = ET.Element("testcase", classname=_legal(camera.name), name="run", time=f"{camera.wall_seconds:.3f}")
    reason = _legal(camera.camera.reason or "no reason was given")
    match camera.camera.status:
        case RunStatus.FAILED:
            ET.SubElement(case, "error", message=reason, type="DidNotFinish").text = reason
        case RunStatus.NOT_RUN:
            ET.SubElement(case, "skipped", message=reason)
        case RunStatus.RAN:
            pass
    return case


def _case(row: Row) -> ET.Element:
    scope, comparison = row.comparison.scope, row.comparison
    parts = (scope.camera, scope.dataset, scope.band, None if scope.tract is None else f"t{scope.tract}")
    classname = ".".join(_legal(part) for part in parts if part is not None)
    name = f"{comparison.metric}[{scope.task}]" if scope.task else comparison.metric
    case = ET.Element("testcase", classname=classname, name=_legal(name), time="0")
    reason = _legal(comparison.reason)
    if comparison.status is Status.FAIL:
        ET.SubElement(case, "failure", message=reason, type=f"{comparison.change}.{comparison.level}").text = _evidence(
            row
        )
    elif isinstance(comparison.result, Unmeasured):
        ET.SubElement(case, "skipped", message=reason)
    elif comparison.status is Status.WARN:
        ET.SubElement(case, "system-out").text = reason
    return case


def _evidence(row: Row) -> str:
    lines = [row.comparison.reason]
    if row.measured:
        lines.append(f"value: {with_error(row.measured.value, row.measured.stderr)} {row.measured.unit}")
    if baseline := row.comparison.baseline:
        lines.append(f"baseline: {with_error(baseline.value, baseline.stderr)} {baseline.unit} (run {baseline.run})")
    if ladder := row.comparison.ladder:
        limits = f"minimum {ladder.minimum:g}, design {ladder.design:g}, stretch {ladder.stretch:g} {ladder.unit}"
        lines.append(f"requirement: {limits} ({ladder.citation})")
    return _legal("\n".join(lines))


def _legal(text: str) -> str:
    """Replace the characters that no XML document may hold."""
    return _ILLEGAL.sub("\ufffd", text)
