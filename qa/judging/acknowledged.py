"""Who lets which finding stand until when: `acknowledged.yaml` beside the baselines, one reviewable line for each.

Written by `obsqa finding acknowledge` and `withdraw`, kept in git, read whenever a run is judged.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from obs_registry.document import YamlError, parse
from qa.baselines.files import read_text
from qa.baselines.lock import check_checkout
from qa.documents import SCHEMA, atomic_open
from qa.errors import DocumentError, RequestError, UnknownNameError
from qa.judging.judged import Acknowledgement

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "acknowledged.yaml"
LONGEST_DAYS = 366
"""An acknowledgement is for a while: what should stand for good is accepted as a baseline or waived."""

HEADER = """\
# Findings that may stand for a while: which, who says so, until when (that day included) and why.
# Written by `obsqa finding acknowledge` and `withdraw`; the last line of a finding counts.
document: acknowledged
schema: 1
acknowledged:
"""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(_Strict):
    """One acknowledgement; `of` says for the reader which series and topic the finding is about."""

    finding: str = Field(pattern=r"^[0-9a-f]{8}$")
    of: str
    who: str = Field(min_length=1)
    when: AwareDatetime
    until: date
    why: str = Field(min_length=1)

    @property
    def value(self) -> Acknowledgement:
        """What the findings are advanced with."""
        return Acknowledgement(self.finding, self.who, self.when, self.until, self.why)


class _File(_Strict):
    document: Literal["acknowledged"]
    number: Literal[1] = Field(alias="schema")
    acknowledged: tuple[Line, ...] | None = None


def load(root: Path) -> tuple[Line, ...]:
    """Read the acknowledgements below `root` (the folder of regression data). Empty without a file.

    Raises
    ------
    DocumentError
        If the file is not what `acknowledge` writes.
    """
    path = root / FILE_NAME
    if not path.is_file():
        return ()
    required = f"acknowledgements of schema {SCHEMA}, one a line"
    text = read_text(path, required)
    try:
        return _File.model_validate(parse(text).value).acknowledged or ()
    except YamlError as error:
        place = f"{path}:{error.line}"
        raise DocumentError(place, required=required, found=error.problem) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the top"
        raise DocumentError(path, required=required, found=f"{first['msg']} at {where}") from None


def acknowledge(root: Path, line: Line) -> None:
    """Add an acknowledgement.

    Raises
    ------
    RequestError
        If its day is past, or further away than `LONGEST_DAYS`.
    """
    ahead = (line.until - line.when.date()).days
    if not 0 <= ahead <= LONGEST_DAYS:
        msg = f"--until must be a day from today to {LONGEST_DAYS} days ahead, got {line.until}"
        raise RequestError(msg)
    _write(root, (*(one for one in load(root) if one.finding != line.finding), line))


def withdraw(root: Path, finding: str) -> Line:
    """Take the acknowledgement of a finding back and return it.

    Raises
    ------
    UnknownNameError
        If it has none.
    """
    lines = load(root)
    taken = next((one for one in lines if one.finding == finding), None)
    if taken is None:
        kind = "acknowledged finding"
        raise UnknownNameError(kind, finding, [one.finding for one in lines])
    _write(root, tuple(one for one in lines if one.finding != finding))
    return taken


def _write(root: Path, lines: tuple[Line, ...]) -> None:
    check_checkout(root)
    # JSON is YAML: a line each, whatever the texts hold.
    written = "".join(f"- {json.dumps(one.model_dump(mode='json'), ensure_ascii=False)}\n" for one in lines)
    with atomic_open(root / FILE_NAME) as stream:
        stream.write((HEADER + written).encode())


def moment(now: datetime) -> datetime:
    """Return a time as it is written: to the second."""
    return now.replace(microsecond=0)
