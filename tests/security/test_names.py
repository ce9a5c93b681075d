"""Hostile names go through the real commands: into terminal, pages, JUnit, Markdown and files, and stay names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from ci.cli import run
from obs_registry.loader import load_registry
from qa.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "../../../etc/passwd",
    "/etc/passwd",
    "two\nlines",
    "\x1b[2Jgone",
    "\x1b]0;title\x07",
    "a\x00b",
    "\u202egnp.exe",
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "| [x](javascript:alert(1)) |",
)
TAGS = ("<script>", "<svg onload", "</script>alert")
CONTROL = tuple(map(chr, (*range(9), 11, 12, *range(14, 32), 127, 0x202E)))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to work in, with runs in a folder of its own."""
    place = tmp_path / "deep" / "work"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    monkeypatch.setenv("OBSQA_RUNS", str(place / "runs"))
    return place


def write_files(folder: Path) -> list[tuple[str, ...]]:
    """Write files whose names of metrics, tasks, machines and branches are hostile; return how each is imported."""
    measurements = [{"metric": name, "value": 1.0, "unit": ""} for name in NAMES]
    bundle = {"stellar": measurements, **{name: [{"metric": "m", "value": 2.0, "unit": ""}] for name in NAMES}}
    (folder / "bundle.json").write_text(json.dumps(bundle | {"__reference_package": NAMES[0]}))
    benchmark = {
        "benchmarks": [{"name": name, "stats": {"median": 2.0, "iqr": 0.1, "rounds": 3}} for name in NAMES],
        "machine_info": {"cpu": {"brand_raw": NAMES[0]}, "node": NAMES[5]},
        "commit_info": {"id": NAMES[9], "branch": NAMES[1]},
        "datetime": "2026-01-01T00:00:00",
    }
    (folder / "benchmark.json").write_text(json.dumps(benchmark))
    at = ("--date", "2026-01-01")
    return [("bundle", "bundle.json", "--camera", "lsstcam", "--band", "i", *at), ("benchmark", "benchmark.json")]


def test_hostile_metrics_and_branches_are_names_on_every_page_and_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No tag is live, no file is outside, nothing is executed, no cursor moves, and JUnit is sound XML."""
    for arguments in write_files(folder):
        assert run(("import", *arguments)) == 0
    runs = sorted(path.name for path in (folder / "runs").iterdir() if path.is_dir())
    for arguments in (
        ("diff", *runs, "--all"),
        ("history",),
        ("blame", "latest"),
        *(
            ("baseline", "accept", one, "--dry-run", "--why", NAMES[1], "--who", "A Tester <t@example.org>")
            for one in runs
        ),
    ):
        run(arguments)
    told = "".join(capsys.readouterr())
    assert not set(told) & set(CONTROL)
    assert printable(NAMES[5]) in told
    pages = [path for path in (folder / "runs").rglob("*") if path.suffix in {".html", ".md", ".xml"}]
    for page in pages:
        text = page.read_text()
        assert not set(text) & set(CONTROL), page
        assert page.suffix == ".xml" or not any(tag in text for tag in TAGS), page
        if page.suffix == ".xml":
            ET.fromstring(text)  # noqa: S314 - our own
    assert len(pages) > 2 * len(NAMES)
    assert not list(folder.parents[1].rglob("pwned"))
    assert {path.name for path in folder.parent.iterdir()} == {folder.name}
    assert {path.name for path in folder.iterdir()} == {"bundle.json", "benchmark.json", "runs"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", ["name", "title", "package"])
def test_a_hostile_camera_is_refused_or_shown_as_a_name(
    name: str, key: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its file cannot break the list of the others."""
    shipped = load_registry(plugins=False)["latiss"]
    entry = json.loads(shipped.model_dump_json(exclude_none=True, by_alias=True))
    (folder / "registry").mkdir()
    (folder / "registry" / "guest.yaml").write_text(json.dumps(entry | {"name": "guest", key: name}))
    code = run(("camera", "list", "--registry", str(folder / "registry")))
    told = "".join(capsys.readouterr())
    assert not set(told) & set(CONTROL)
    assert (code, "Subaru" in told, "required" in told) in {(0, True, False), (2, False, True)}
