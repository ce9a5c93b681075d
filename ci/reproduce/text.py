"""What is said of a reproduction: the page and the script in its archive, and the answer of a rerun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qa.documents import SCHEMA, to_plain
from qa.model import Measurement
from qa.provenance.difference import FactChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qa.provenance.reproduction import Answer, Reproduction

SCRIPT = """\
#!/bin/sh
# Reruns the data that show one value, with the code in this folder: see README.md.
#   ./run              with the Python in OBSQA_PYTHON, in the folder venv beside this script, or python3
#   ./run --install    makes the folder venv first, and installs there what requirements.txt names
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if [ "${1-}" = --install ]; then
    shift
    "${OBSQA_PYTHON:-python3}" -m venv "$here/venv"
    "$here/venv/bin/python" -m pip install --quiet --requirement "$here/requirements.txt"
    OBSQA_PYTHON=$here/venv/bin/python
elif [ -z "${OBSQA_PYTHON-}" ] && [ -x "$here/venv/bin/python" ]; then
    OBSQA_PYTHON=$here/venv/bin/python
fi
PYTHONPATH=$here/software exec "${OBSQA_PYTHON:-python3}" -P -c 'from ci.cli import main; main()' reproduce "$here" "$@"
"""

_PAGE = """\
# {metric} of {scope}

Run {run} measured **{value} {unit}** (`{digits}`, n = {n}{stderr}).

    ./run --install{raws}

installs what is needed into the folder `venv` (it takes a connection to a package index), processes the {data}
with the code in `software`, and says whether the value comes out again to the last bit, or by how much it differs and
which facts do. Where everything is installed already, `OBSQA_PYTHON=/path/to/python ./run` will do. Where obsqa itself
is installed, so will `obsqa reproduce FOLDER`, with the code that is installed.

| what | where |
|---|---|
| the value, and the facts of the run | `reproduction.json` |
| the camera's registry entry | `camera.yaml` |
| {what} | {where} |
| obsqa's code{code} | `software/` |
| packages and their versions | `requirements.txt` |

Calibrations: {calibrations}. {here}
Exit codes: 0 the same to the last bit, 1 not the same, 2 a file is not what it was, 3 something failed on the way.
"""

_OUTSIDE = "`data/`; the raws themselves lie in your folder RAWS, by name and SHA-256 as in `reproduction.json`"


def readme(what: Reproduction, *, exact: bool) -> str:
    """Return the page of an archive, `exact` if the code is that of the run."""
    one, place = what.expected, f"{what.camera}/{what.dataset}"
    data = f"{len(what.exposures)} exposures it rests on" if what.exposures else "whole data set"
    held = what.facts.get(f"validity {place}") or what.facts.get(f"calibrations {place}") or "not known"
    revision = f", revision {what.code}" if what.code else ""
    own = any(name.startswith("data/") for name in what.files)
    other = "" if exact else f" (not that of the run, {what.facts.get('revision') or 'which is not known'})"
    return _PAGE.format(
        metric=one.metric,
        scope=one.scope,
        run=what.run,
        value=repr(one.value),
        unit=one.unit,
        digits=what.digits,
        n=one.n,
        stderr="" if one.stderr is None else f", standard error {one.stderr:.4g}",
        data=data,
        code=f"{revision}{other}",
        raws=" --raws RAWS" if what.outside else "",
        what="what the raws are" if what.outside else "the raws" if own else "recipe and seed of the data",
        where=_OUTSIDE if what.outside else "`data/`" if own else "`recipes/`",
        calibrations=held,
        here=_here(what),
    )


def _here(what: Reproduction) -> str:
    if what.here is None:
        return "When this archive was made, nothing was processed."
    if what.here.value.hex() == what.digits:
        return "When this archive was made, these data gave the same value to the last bit."
    return f"When this archive was made, these data gave {what.here.value!r} {what.here.unit}."


def lines(found: Answer) -> Iterator[str]:
    """Word the answer of a rerun; names that come with an archive cannot move a terminal's cursor."""
    return ("".join(letter if letter.isprintable() else "?" for letter in line) for line in _lines(found))


def _lines(found: Answer) -> Iterator[str]:
    what, one = found.what, found.what.expected
    yield f"{one.metric} ({one.scope}) of {what.run}: {one.value!r} {one.unit}".rstrip()
    if found.found is None:
        yield f"  not measured here: {found.reason or 'the rerun gave no such value'}"
    elif found.same:
        yield f"  measured here: the same to the last bit ({found.cpu_seconds:.0f} s of CPU time)"
    else:
        yield f"  measured here: {found.found.value!r} {found.found.unit}".rstrip()
        yield f"  {_by_how_much(found)} ({found.cpu_seconds:.0f} s of CPU time)"
    if found.same:
        yield "  though these facts differ:" if found.changed else "  all facts are the same"
    else:
        yield "  facts that differ:" if found.changed else "  no fact differs that could be the cause"
    yield from (f"    {each.fact}: {each.before or '-'} -> {each.after or '-'}" for each in found.changed)


def _by_how_much(found: Answer) -> str:
    if found.difference is None:
        return "in another unit"
    stderr = found.what.expected.stderr
    errors = f", {found.difference / stderr:+.2g} standard errors" if stderr else ""
    return f"not the same: it differs by {found.difference:+.3g} {found.what.expected.unit}{errors}"


def plain(found: Answer) -> dict[str, Any]:
    """Return the answer for machines."""
    return {
        "schema": SCHEMA,
        "run": found.what.run,
        "expected": to_plain(found.what.expected, Measurement),
        "expected_digits": found.what.digits,
        "found": to_plain(found.found, Measurement | None),
        "found_digits": None if found.found is None else found.found.value.hex(),
        "same": found.same,
        "difference": found.difference,
        "reason": found.reason,
        "exposures": list(found.what.exposures),
        "facts": to_plain(found.changed, tuple[FactChange, ...]),
        "cpu_seconds": found.cpu_seconds,
    }
