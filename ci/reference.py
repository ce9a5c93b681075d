"""The reference pages, generated from the code: `python -m ci.reference docs/reference` writes them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci.cli import obsqa

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WIDTH = 100


def pages() -> Mapping[str, str]:
    """Return the text of each page by file name."""
    return {"command-line.md": command_line(), "metrics.md": metrics()}


def command_line() -> str:
    """Return the page of the command line: every verb's help, as it prints itself."""
    parts = ["# Command line\n"]
    for name, text in _helps(obsqa, "obsqa"):
        parts.append(f"## {name}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def metrics() -> str:
    """Return the page of the metrics: their definitions and citations, family by family."""
    from qa.metrics import catalogue  # noqa: PLC0415 - heavy

    parts = ["# Metrics\n"]
    family = ""
    for definition in catalogue().values():
        if definition.family != family:
            family = definition.family
            parts.append(f"## {family.capitalize()}\n")
        bands = ", ".join(definition.bands) if definition.bands else "all"
        if definition.partners:
            bands += f" (with {', '.join(definition.partners)})"
        facts = f"Unit: {definition.unit or 'none'} · better: {definition.direction} · bands: {bands}"
        parts.append(f"### {definition.name}: {definition.title}\n\n{definition.definition}\n\n{facts}\n")
        parts.append(f"Source: {definition.citation}\n")
    return "\n".join(parts)


def _helps(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    width = {"max_content_width": WIDTH, "terminal_width": WIDTH}
    context = command.make_context(name, [], parent, resilient_parsing=True, **width)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for verb in command.list_commands(context):
            inner = command.get_command(context, verb)
            if inner is not None:
                yield from _helps(inner, verb, context)


def write(folder: Path) -> None:
    """Write all pages into a folder."""
    for name, text in pages().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
