"""`obsqa requirements`: show the science requirements."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ci import options

if TYPE_CHECKING:
    from qa.requirements import Requirement, Requirements


@click.group()
def requirements() -> None:
    """Show the science requirements that metrics are judged by."""


@requirements.command(epilog="Example: obsqa requirements show PA1")
@click.argument("metric", required=False)
@click.option("--profile", default="lpm-17", show_default=True, help="Requirements document.")
@options.as_json
def show(metric: str | None, profile: str, *, as_json: bool) -> None:
    """Show the requirements of all metrics, or of METRIC: the targets by band, and where they are written."""
    from qa.requirements import load  # noqa: PLC0415 - heavy

    document = load(profile)
    chosen = _chosen(document, metric)
    if as_json:
        click.echo(json.dumps([_plain(document, one) for one in chosen], indent=1, allow_nan=False))
        return
    click.echo(f"{document.document} v{document.version}: {document.title} ({document.url})\n")
    click.echo(f"{'metric':<6} {'bands':<12} {'':<2} {'minimum':>8} {'design':>8} {'stretch':>8} unit  written in")
    for one in chosen:
        for line in _lines(document, one):
            click.echo(line)
    if metric is not None:
        click.echo(f"\n{metric}: {chosen[0].definition}." + (f" {chosen[0].note}" if chosen[0].note else ""))


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
        f"{one.metric:<6} {' '.join(part.bands) if part.bands else 'all':<12} {one.operator:<2} "
        f"{part.minimum:>8g} {part.design:>8g} {part.stretch:>8g} {one.unit:<5} {document.citation(one)}"
        for part in one.targets
    ]
