from __future__ import annotations

import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from ci.bisect.checkouts import Checkouts, UntestableError
from ci.bisect.packages import Package

if TYPE_CHECKING:
    from pathlib import Path


def test_a_revision_is_checked_out_once(stack: Any) -> None:
    """What was built is used again, by a later attempt too; a changed build is made anew."""
    stack.add("detect", ["CLIPPED = False", "CLIPPED = True"])
    sha = stack.commits["detect"][1]
    builds = stack.folder / "builds"

    def made(word: str) -> Path:
        build = (sys.executable, "-S", "-c", f"open({str(builds)!r}, 'a').write({word!r})")
        packages = {"detect": Package(repository=stack.folder / "detect", build=build)}
        return Checkouts(stack.folder / "checkouts", packages).path("detect", sha)

    place = made("x")
    assert (place / "python" / "detect.py").read_text() == "CLIPPED = True\n# 1\n"
    assert made("x") == place
    assert builds.read_text() == "x"
    made("y")
    assert builds.read_text() == "xy"


def test_what_a_killed_process_left_is_made_anew(stack: Any) -> None:
    """A checkout without a word on how its build went is not trusted."""
    stack.add("detect", ["CLIPPED = False"])
    (sha,) = stack.commits["detect"]
    checkouts = Checkouts(stack.folder / "checkouts", {"detect": Package(repository=stack.folder / "detect")})
    place = checkouts.path("detect", sha)
    place.with_name(f"{sha}.state").unlink()
    (place / "python" / "detect.py").unlink()
    assert (checkouts.path("detect", sha) / "python" / "detect.py").exists()
    checkouts.remove()
    assert not checkouts.folder.exists()


def test_links_do_not_lead_out_of_a_checkout(stack: Any) -> None:
    """A package whose Python folder is a link to elsewhere is not tried."""
    stack.add("detect", ["CLIPPED = False"])
    stack.git("detect", "reset", "--hard", "--quiet")
    (stack.folder / "detect" / "lib").symlink_to("/etc")
    stack.commit("detect", "CLIPPED = True", "a link")
    sha = stack.git("detect", "rev-parse", "HEAD")
    packages = {"detect": Package(repository=stack.folder / "detect", python="lib")}
    checkouts = Checkouts(stack.folder / "checkouts", packages)
    with pytest.raises(UntestableError, match="detect: the folder lib leads out of the checkout"):
        checkouts.python("detect", checkouts.path("detect", sha))


@pytest.mark.parametrize("revision", ["../../x", "a/b", "-x", ""])
def test_no_revision_leads_out_of_the_folder(tmp_path: Path, revision: str) -> None:
    """What cannot be the name of a folder is not made one."""
    with pytest.raises(UntestableError, match="must be a SHA or version"):
        Checkouts(tmp_path, {"detect": Package(pip="detect")}).path("detect", revision)


def test_versions_are_installed_by_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each version goes into a folder of its own; one that does not exist cannot be tested."""
    pytest.importorskip("pip")
    wheel = tmp_path / "wheels" / "detect-1.2-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("detect.py", "CLIPPED = True\n")
        archive.writestr("detect-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: detect\nVersion: 1.2\n")
        archive.writestr("detect-1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("detect-1.2.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    checkouts = Checkouts(tmp_path / "checkouts", {"detect": Package(pip="detect")})
    place = checkouts.path("detect", "1.2")
    assert (checkouts.python("detect", place) / "detect.py").read_text() == "CLIPPED = True\n"
    with pytest.raises(UntestableError, match=r"detect 1.3 does not build: ended with exit code 1: .*No matching dist"):
        checkouts.path("detect", "1.3")
    checkouts.remove()
    assert not checkouts.folder.exists()
