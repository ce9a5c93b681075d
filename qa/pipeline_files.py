"""The files that say what a pipeline does: its own, and those that it imports, and so on."""

from __future__ import annotations

import os
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]
"""Where the pipelines of obsqa are named from."""

MOST = 200
"""Files of one pipeline that are followed."""


def pipeline_path(location: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the file of a pipeline: variables filled in, without the name of a part of it behind `#`.

    What is not absolute is seen from the folder above obsqa's packages.
    """
    return _seen_from(ROOT, location, environ)


def _seen_from(folder: Path, location: str, environ: Mapping[str, str]) -> Path:
    return folder / Template(location.partition("#")[0]).safe_substitute(environ)


def pipeline_files(location: str, environ: Mapping[str, str] = os.environ) -> dict[Path, str]:
    """Return the text of a pipeline's files by path, its own first; what cannot be read here is left out."""
    found: dict[Path, str] = {}
    ahead = [pipeline_path(location, environ)]
    while ahead and len(found) < MOST:
        path = ahead.pop(0)
        if path in found:
            continue
        try:
            found[path] = path.read_text()
        except (OSError, UnicodeDecodeError):
            continue
        ahead += [_seen_from(path.parent, name, environ) for name in _imports(found[path])]
    return found


def _imports(text: str) -> Iterator[str]:
    """Yield the locations under the key `imports`, which is one of them or a list, each alone or with options."""
    try:
        body = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        return
    named: Any = body.get("imports") if isinstance(body, dict) else None
    for one in named if isinstance(named, list) else [named]:
        location = one.get("location") if isinstance(one, dict) else one
        if isinstance(location, str):
            yield location
