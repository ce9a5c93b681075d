"""`obsqa requirements`: show the science requirements, and examine documents of them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci import options
from ci.verbs.requirements_import import import_
from ci.verbs.requirements_report import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_registry import model
    from qa.requirements import Requirement, Requirements
    from qa.requirements.faults import Fault


@click.group()
def requirements() -> None:
    """Show the science requirements that metrics are judged by, and examine documents of them."""


requirements.add_command(import_)
requirements.add_command(report)


@requirements.command(
    epilog="""\b
Examples:
  obsqa requirements show PA1
  obsqa requirements show --camera hsc"""
)
@click.argument("metric", required=False)
@click.option("--profile", help="Requirements document: a name, or a path.  [default: lpm-17]")
@click.option("--camera", "name", help="What a camera answers to: its document, gate and waivers.")
@options.registry
@options.as_json
def show(
    metric: str | None, profile: str | None, name: str | None, registry: tuple[Path, ...], *, as_json: bool
) -> None:
    """Show the requirements of all metrics, or of METRIC: the targets by band, and where they are written."""
    from qa.requirements import load  # noqa: PLC0415 - heavy

    answers = None if name is None else _answers_to(name, registry)
    document = load(profile or (answers.profile if answers else "lpm-17"))
    chosen = _chosen(document, metric)
    if as_json:
        click.echo(json.dumps([_plain(document, one) for one in chosen], indent=1, allow_nan=False))
        return
    click.echo(f"{document.document} v{document.version}: {document.title} ({document.url})\n")
    for line in () if answers is None else _leave(answers, metric):
        click.echo(f"{name} {line}")
    width = max(len(one.metric) for one in chosen) if chosen else 0
    heading = f"{'bands':<12} {'':<2} {'minimum':>8} {'design':>8} {'stretch':>8} unit  written in"
    click.echo(f"{'metric':<{max(width, 6)}} {heading}")
    for one in chosen:
        for line in _lines(document, one):
            click.echo(f"{one.metric:<{max(width, 6)}} {line}")
    if metric is not None:
        click.echo(f"\n{metric}: {chosen[0].definition}." + (f" {chosen[0].note}" if chosen[0].note else ""))


@requirements.command(
    epilog="""\b
Examples:
  obsqa requirements doctor
  obsqa requirements doctor my-telescope.yaml
  obsqa requirements doctor ../verify_metrics --rule inherited-milestone --all"""
)
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--against", default="lpm-17", show_default=True, help="Requirements document to compare values with.")
@click.option("--rule", "rules", multiple=True, help="Only faults of this rule; may be repeated.")
@click.option("--all", "show_all", is_flag=True, help="List every fault, not three of a kind.")
@options.as_json
def doctor(path: Path | None, against: str, rules: tuple[str, ...], *, show_all: bool, as_json: bool) -> int:
    """Examine requirements: the documents of obsqa, or those at PATH.

    PATH is a metrics package of lsst.verify (a folder with metrics and specs) or a file of one, a requirements
    document, or a folder of such documents. Each fault has file, line and the correct value; exit code 1 if one is an
    error.
    """
    from qa.requirements.doctor import EXAMPLES, listing  # noqa: PLC0415 - heavy
    from qa.requirements.faults import Severity  # noqa: PLC0415

    _insist_on_rules(rules)
    counts, faults = _examined(path, against)
    found = [fault for fault in faults if not rules or fault.rule in rules]
    if as_json:
        document = {"counts": counts, "faults": [asdict(fault) for fault in found]}
        click.echo(json.dumps(document, indent=1, allow_nan=False))
    else:
        if counts:
            click.echo(", ".join(f"{number} {what}" for what, number in counts.items()))
        click.echo("\n".join(listing(found, examples=None if show_all else EXAMPLES)))
    return int(any(fault.severity is Severity.ERROR for fault in found))


def _examined(path: Path | None, against: str) -> tuple[dict[str, int], tuple[Fault, ...]]:
    """Examine what is at a path; a package comes with how much there is of everything."""
    from qa.metrics import catalogue  # noqa: PLC0415 - heavy
    from qa.requirements import load  # noqa: PLC0415
    from qa.requirements.doctor import examine, examine_package  # noqa: PLC0415
    from qa.requirements.verify import is_package, load_package  # noqa: PLC0415

    official = load(against)
    if path is not None and is_package(path):
        package = load_package(path)
        return asdict(package.counts), examine_package(package, against=official)
    return {}, examine(path, against=official, definitions=catalogue())


def _insist_on_rules(rules: tuple[str, ...]) -> None:
    """Refuse the name of a rule that does not exist: a slip must not look like a sound file."""
    from qa.errors import UnknownNameError  # noqa: PLC0415
    from qa.requirements.doctor import RULE_NAMES  # noqa: PLC0415

    for rule in rules:
        if rule not in RULE_NAMES:
            kind = "rule of the doctor"
            raise UnknownNameError(kind, rule, sorted(RULE_NAMES))


def _answers_to(name: str, registry: tuple[Path, ...]) -> model.Requirements:
    """Return what the file of a camera says of requirements."""
    from ci.settings import Settings  # noqa: PLC0415
    from obs_registry.loader import load_registry  # noqa: PLC0415
    from qa.errors import UnknownNameError  # noqa: PLC0415

    known = load_registry(Settings.from_environment().override(registry=registry).registry)
    if name not in known:
        kind = "camera"
        raise UnknownNameError(kind, name, sorted(known))
    return known[name].requirements


def _leave(answers: model.Requirements, metric: str | None) -> Iterator[str]:
    """Say which level a camera must reach, and what is excepted from that for a while."""
    yield f"fails below {answers.gate}"
    for one in answers.waivers:
        if metric in {None, one.metric}:
            bands = f" in {' '.join(one.bands)}" if one.bands else ""
            yield f"has {one.metric}{bands} waived until {one.expires}: {one.reason}" + (
                f" ({one.ticket})" if one.ticket else ""
            )


def _chosen(document: Requirements, metric: str | None) -> tuple[Requirement, ...]:
    from qa.errors import UnknownNameError  # noqa: PLC0415

    if metric is None:
        return document.requirements
    found = document.requirement(metric)
    if found is None:
        kind = f"requirement of {document.document}"
        raise UnknownNameError(kind, metric, document.metrics)
    return (found,)


def _plain(document: Requirements, one: Requirement) -> dict[str, object]:
    return {**one.model_dump(mode="json"), "citation": document.citation(one)}


def _lines(document: Requirements, one: Requirement) -> list[str]:
    return [
        f"{' '.join(part.bands) if part.bands else 'all':<12} {one.operator:<2} "
        f"{part.minimum:>8g} {part.design:>8g} {part.stretch:>8g} {one.unit:<5} {document.citation(one)}"
        for part in one.targets
    ]
