from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ci.bisect.packages import read_packages, variable
from qa.errors import DocumentError, RequestError

if TYPE_CHECKING:
    from pathlib import Path


def test_repositories_are_seen_from_their_file(stack: Any) -> None:
    """A file beside the repositories moves with them; what is given on the command line comes first."""
    stack.add("detect", ["CLIPPED = False"])
    stack.add("measure", ["WEIGHTED = False"])
    file = stack.folder / "stack.yaml"
    file.write_text(
        "schema: 1\npackages:\n"
        "  detect: {repository: measure}\n"
        "  measure: {repository: ./measure, python: python, build: [make, all], reads: [python, config/a.py]}\n"
        "  astropy: {pip: astropy}\n"
    )
    packages = read_packages(file, [f"detect={stack.folder / 'detect'}"])
    assert packages["detect"].repository == stack.folder / "detect"
    assert packages["measure"].repository == stack.folder / "measure"
    assert (packages["measure"].python, packages["measure"].build) == ("python", ("make", "all"))
    assert (packages["measure"].reads, packages["detect"].reads) == (("python", "config/a.py"), ())
    assert packages["astropy"].pip == "astropy"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("packages: {}", "Field required at schema"),
        ("schema: 2\npackages: {}", "Input should be 1 at schema"),
        ("schema: 1\npackages: {../x: {pip: x}}", "a package's name is letters, digits"),
        ("schema: 1\npackages: {x: {pip: x, python: ../../etc}}", "a path inside the package, found '../../etc'"),
        ("schema: 1\npackages: {x: {pip: x, python: /etc}}", "a path inside the package, found '/etc'"),
        ("schema: 1\npackages: {x: {pip: x, reads: [../y]}}", "a path inside the package, found '../y'"),
        ("schema: 1\npackages: {x: {python: y}}", "one of repository and pip is needed"),
        ("schema: 1\npackages: {x: {pip: '--index-url=x'}}", "String should match pattern"),
        ("schema: 1\npackages: {x: {pip: x, colour: red}}", "Extra inputs are not permitted at packages.x.colour"),
        ("schema: 1\npackages: {x: {pip: x, build: make all}}", "at packages.x.build"),
        ("[1", "no YAML ("),
        ("<<<<<<< HEAD\nschema: 1\n", "no YAML ("),
        ("- 1", "at the top"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, found: str) -> None:
    """It says which key is wrong, and names no path outside a package."""
    file = tmp_path / "stack.yaml"
    file.write_text(text)
    with pytest.raises(DocumentError) as error:
        read_packages(file)
    assert found in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_repository_must_be_one(tmp_path: Path) -> None:
    """A folder without git is told at once."""
    with pytest.raises(DocumentError, match="must be a git repository of detect, found none"):
        read_packages(None, [f"detect={tmp_path / 'nowhere'}"])


def test_variables_are_told_apart(tmp_path: Path) -> None:
    """Two names that give one variable are refused."""
    assert variable("meas_base") == "OBSQA_PACKAGE_MEAS_BASE"
    file = tmp_path / "stack.yaml"
    file.write_text("schema: 1\npackages: {a-b: {pip: x}, a_b: {pip: x}}")
    with pytest.raises(RequestError, match="found a-b and a_b, both OBSQA_PACKAGE_A_B"):
        read_packages(file)
