"""From a path to filed results."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from qa.foreign.files import read_filed
from qa.foreign.filing import Asked
from qa.foreign.model import Kind
from qa.foreign.testing import a_benchmark, a_bundle, a_job, a_measurement_of, a_spec
from qa.testing import a_camera

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("kind", "document", "place"),
    [
        (Kind.VERIFY, a_job(), "hsc/validation_data_hsc/r"),
        (Kind.BUNDLE, a_bundle(), "hsc/hsc-rc2/r"),
        (Kind.BENCHMARK, a_benchmark(), "hsc/warp/r"),
    ],
)
def test_each_kind_is_read_and_filed(write: Write, kind: Kind, document: object, place: str) -> None:
    """Under the camera of the registry that the user names."""
    one = read_filed(write(document), kind, Asked("hsc", band="r"), cameras=[a_camera("hsc")])
    assert str(one.results[0].scope) == place
    assert one.source.kind is kind
    assert one.when is not None


def test_the_digest_is_of_content_and_place(write: Write) -> None:
    """Laid out anew a file is the same; filed elsewhere it is another."""
    path = write(a_job())
    one = read_filed(path, Kind.VERIFY, Asked(), cameras=())
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4, sort_keys=True))
    again = read_filed(path, Kind.VERIFY, Asked("hsc"), cameras=())
    assert again.source.digest == one.source.digest
    assert read_filed(path, Kind.VERIFY, Asked(band="i"), cameras=()).source.digest != one.source.digest


def test_specifications_are_those_of_the_band(write: Write) -> None:
    """The filter is told to be a band before they are chosen."""
    specs = [a_spec("p.M.design_gri", 5.0), a_spec("p.M.design_uzy", 1.0)]
    job = a_job(measurements=[a_measurement_of("p.M", 3.0, "mmag")], specs=specs)
    for asked, limit in ((Asked(), 5.0), (Asked(band="z"), 1.0)):
        (ladder,) = read_filed(write(job), Kind.VERIFY, asked, cameras=()).ladders
        assert ladder.design == limit
