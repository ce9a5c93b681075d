"""JUnit XML: a test suite for each camera, a test case for each metric and scope, as Jenkins reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # nosec B405 - it only writes

from qa.checks import CheckStatus
from qa.model import Status, Unmeasured
from reports.axes import rungs
from reports.night import RunStatus
from reports.wording import legal, with_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qa.checks import CheckOutcome
    from reports.incidents import IncidentView
    from reports.rows import Row
    from reports.view import CameraView, NightView


def junit(view: NightView) -> bytes:
    """Write a night as JUnit XML.

    A verdict that fails is a failure with its sentence and its incident, an absence that does not fail is skipped; a
    camera that did not finish has the error in a case called `run`, one that was not run has that case skipped. What is
    acknowledged, not confirmed or a known deficit only warns, and is no failure.
    """
    suites = ET.Element("testsuites", name=legal(f"obsqa {view.night.plan.run_id}"))
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
    cases = [_run_case(camera), *(_check_case(one) for one in camera.checks)]
    cases += [_case(row, camera.incidents) for row in rows]
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    facts = {
        "name": legal(camera.name),
        "package": "obsqa",
        "id": str(number),
        "timestamp": f"{view.night.started:%Y-%m-%dT%H:%M:%S}",
        "hostname": legal(view.night.provenance.get("host", "unknown")),
        "time": f"{camera.wall_seconds:.3f}",
    }
    suite = ET.Element("testsuite", facts | {key: str(count) for key, count in counts.items()})
    properties = ET.SubElement(suite, "properties")
    for name, value in (("run", view.night.plan.run_id), ("package", camera.camera.package), ("lease", camera.lease)):
        ET.SubElement(properties, "property", name=name, value=legal(value))
    for one in camera.incidents:
        ET.SubElement(properties, "property", name=legal(f"incident {one.incident.id}"), value=legal(_in_short(one)))
    suite.extend(cases)
    return suite


def _run_case(camera: CameraView) -> ET.Element:
    case = ET.Element("testcase", classname=legal(camera.name), name="run", time=f"{camera.wall_seconds:.3f}")
    reason = legal(camera.camera.reason or "no reason was given")
    match camera.camera.status:
        case RunStatus.FAILED:
            ET.SubElement(case, "error", message=reason, type="DidNotFinish").text = reason
        case RunStatus.NOT_RUN:
            ET.SubElement(case, "skipped", message=reason)
        case RunStatus.RAN:
            pass
    return case


def _check_case(one: CheckOutcome) -> ET.Element:
    facts = {"classname": legal(f"{one.camera}.checks"), "name": legal(one.name), "time": f"{one.seconds:.3f}"}
    case = ET.Element("testcase", facts)
    tags = {CheckStatus.FAILED: "failure", CheckStatus.ERROR: "error"}
    tag = None if one.status is CheckStatus.PASSED else tags.get(one.status, "skipped")
    if tag is not None:
        ET.SubElement(case, tag, message=legal(one.message or one.status.value))
    return case


def _case(row: Row, incidents: Iterable[IncidentView]) -> ET.Element:
    scope, comparison = row.comparison.scope, row.comparison
    parts = (scope.camera, scope.dataset, scope.band, None if scope.tract is None else f"t{scope.tract}")
    classname = ".".join(legal(part) for part in parts if part is not None)
    name = f"{comparison.metric}[{scope.task}]" if scope.task else comparison.metric
    case = ET.Element("testcase", classname=classname, name=legal(name), time="0")
    _add_properties(case, row)
    reason = legal(_reason(row))
    if comparison.status is Status.FAIL:
        kind = f"{comparison.change}.{comparison.level}"
        ET.SubElement(case, "failure", message=reason, type=kind).text = _evidence(row, incidents)
    elif isinstance(comparison.result, Unmeasured):
        ET.SubElement(case, "skipped", message=reason)
    elif comparison.status is Status.WARN:
        ET.SubElement(case, "system-out").text = reason
    return case


def _add_properties(case: ET.Element, row: Row) -> None:
    """Add what is known of a finding over the nights; nothing where nothing is."""
    finding, incident = row.standing.finding, row.standing.incident
    found = {"finding": finding.id, "state": finding.state.value} if finding else {}
    found |= {"tags": ", ".join(tag.text for tag in row.tags)} if finding and row.tags else {}
    found |= {"incident": incident.id, "cause": incident.cause.value} if incident else {}
    found |= {"forecast": row.forecast} if row.forecast else {}
    if not found:
        return
    properties = ET.SubElement(case, "properties")
    for name, value in found.items():
        ET.SubElement(properties, "property", name=name, value=legal(value))


def _reason(row: Row) -> str:
    """Return why a result does not pass, its cause in front where it has one."""
    incident = row.standing.incident
    cause = f"{incident.cause.value}: " if incident and row.comparison.status is not Status.PASS else ""
    return " ".join(filter(None, (cause + row.comparison.reason, row.forecast)))


def _in_short(one: IncidentView) -> str:
    return f"{one.incident.cause.value} ({one.certainty}): {one.headline}"


def _evidence(row: Row, incidents: Iterable[IncidentView]) -> str:
    lines = [row.comparison.reason, *filter(None, (row.forecast,))]
    if row.measured:
        lines.append(f"value: {with_error(row.measured.value, row.measured.stderr)} {row.measured.unit}")
    if baseline := row.comparison.baseline:
        lines.append(f"baseline: {with_error(baseline.value, baseline.stderr)} {baseline.unit} (run {baseline.run})")
    if ladder := row.comparison.ladder:
        limits = ", ".join(f"{name} {limit:g}" for name, limit in reversed(rungs(ladder))) + f" {ladder.unit}".rstrip()
        lines.append(f"requirement: {limits} ({ladder.citation})")
    incident = row.standing.incident
    lines += [line for one in incidents if one.incident is incident for line in _grouped(one)]
    return legal("\n".join(lines))


def _grouped(one: IncidentView) -> Iterator[str]:
    """Yield what a failure's incident is, so that each of its many failures tells of them all."""
    yield f"incident {one.incident.id}: {_in_short(one)}"
    yield from (f"changed: {fact}" for fact in one.changed)
    yield from (f"{piece.word}: {piece.text}" for piece in one.evidence)
