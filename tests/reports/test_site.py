import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from qa.model import Lane
from reports.example import the_example
from reports.judged_example import the_judged_example
from reports.night import Night, Picture, RunStatus
from reports.site import write_site
from reports.testing import HOSTILE, a_camera_night, a_comparison, a_night, a_picture

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source"}


class Page(HTMLParser):
    """A strict reader of a page: balanced tags, and what the policy of Jenkins forbids."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.text = path, ""
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str | None] = []
        self.feed(path.read_text())
        self.close()
        assert self.open == [], f"{path.name}: not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Refuse what is forbidden; remember links and anchors."""
        found = dict(attrs)
        assert tag not in {"script", "style", "iframe", "object"}, f"{self.path.name} holds <{tag}>"
        assert not any(name == "style" or name.startswith("on") for name in found), f"{self.path.name}: <{tag} {found}>"
        assert tag != "img" or (found.get("alt") and found.get("width"))
        self.links += [value for name, value in attrs if name in {"href", "src", "srcset"} and value]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element that closes itself."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Check that an element closes the one that is open."""
        assert self.open, f"{self.path.name}: </{tag}> closes nothing"
        assert self.open.pop() == tag, f"{self.path.name}: </{tag}> out of place"

    def handle_data(self, data: str) -> None:
        """Collect the text a reader sees."""
        self.text += data


def hostile_night() -> Night:
    """Names that want out: of the folder, of attributes, of the page."""
    camera = a_camera_night(
        "../../evil",
        title=HOSTILE,
        package=HOSTILE,
        team=HOSTILE,
        contact=HOSTILE,
        caveats=(HOSTILE + "\udcff",),
        reason=HOSTILE,
    )
    failed = replace(camera, name=HOSTILE, status=RunStatus.FAILED)
    comparison = a_comparison()
    scope = replace(comparison.scope, camera="../../evil", band=HOSTILE, task="a/b")
    reason = HOSTILE + "\udcff"
    found = (replace(comparison, result=replace(comparison.result, scope=scope), reason=reason),)
    return a_night(camera, failed, comparisons=found, provenance={HOSTILE: HOSTILE}, previous_cameras=(HOSTILE + "2",))


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> tuple[Night, Path]:
    """Write the example night once, with a picture and one that cannot be read."""
    folder = tmp_path_factory.mktemp("example")
    night = the_example()
    a_picture(folder / "coadd-r.npz", np.random.default_rng(3), side=64)
    pictures = (Picture("r", folder / "coadd-r.npz"), Picture("../i", folder / "absent.npz"))
    first, *rest = night.cameras
    night = replace(night, cameras=(replace(first, pictures=pictures), *rest))
    return night, write_site(night, folder / "site").parent


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the example night with all that judgement adds."""
    return write_site(the_judged_example(), tmp_path_factory.mktemp("judged")).parent.resolve()


def pages(site: Path) -> list[Page]:
    """Read all pages of a site."""
    return [Page(path) for path in sorted(site.rglob("*.html"))]


def test_pages_are_sound_and_hold_nothing_that_jenkins_forbids(example: tuple[Night, Path]) -> None:
    """No script, no inline style, no handler; every tag closed, every picture described."""
    found = pages(example[1])
    assert len(found) == 1 + 7 + 20
    for page in found:
        assert len(set(page.ids)) == len(page.ids), f"{page.path.name}: an id is used twice"


def test_every_link_is_relative_and_leads_somewhere(example: tuple[Night, Path]) -> None:
    """The site works from a folder: each link names a file of the site, and an anchor that is there."""
    site = example[1].resolve()
    anchors = {page.path.resolve(): set(page.ids) for page in pages(site)}
    for page in pages(site):
        for link in page.links:
            assert not re.match(r"[a-z]+:|/", link), link
            name, _, anchor = link.partition("#")
            target = (page.path.parent / name).resolve() if name else page.path.resolve()
            assert target.is_file(), f"{page.path.name} links to {link}"
            assert target.is_relative_to(site)
            assert not anchor or anchor in anchors[target], f"{page.path.name} links to {link}"


def test_every_file_is_reached_from_the_first_page(example: tuple[Night, Path]) -> None:
    """Nothing is written that no page leads to."""
    site = example[1].resolve()
    reached = {(page.path.parent / link.partition("#")[0]).resolve() for page in pages(site) for link in page.links}
    assert {path for path in site.rglob("*") if path.is_file()} <= reached | {site / "index.html"}


def test_a_second_report_of_a_night_is_the_same_bytes(example: tuple[Night, Path], tmp_path: Path) -> None:
    """A report depends on its night alone."""
    night, site = example
    write_site(night, tmp_path)
    for path in site.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / path.relative_to(site)).read_bytes(), path.name


def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    """The second report leaves the pages and pictures alone; what belongs to no page any more goes."""
    night = the_example()
    index = write_site(replace(night, history={}), tmp_path)
    stray = tmp_path / "cameras" / "gone.html"
    stray.write_text("of an earlier night")
    (tmp_path / "notes.txt").write_text("not ours")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.html") if path != stray}
    assert write_site(replace(night, history={}), tmp_path) == index
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.html")} == before
    assert (tmp_path / "notes.txt").exists()


def test_hostile_strings_are_text(tmp_path: Path) -> None:
    """Names with tags, quotes and paths are shown as they are and write nothing outside the folder."""
    out = tmp_path / "deep" / "site"
    write_site(hostile_night(), out)
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}
    assert {path.name for path in out.parent.iterdir()} == {"site"}
    found = pages(out)
    assert any("<script>alert(1)</script> &" in page.text for page in found)


def test_a_picture_that_cannot_be_read_is_a_caveat(example: tuple[Night, Path]) -> None:
    """One bad file costs its picture, not the report."""
    text = (example[1] / "cameras" / "hsc.html").read_text()
    assert "No coadd picture in ../i: absent.npz" in text
    assert text.count('class="overlay"') == 1


@pytest.mark.parametrize("night", [a_night(), a_night(a_camera_night(), comparisons=(a_comparison(before=None),))])
def test_small_nights_have_whole_reports(night: Night, tmp_path: Path) -> None:
    """No camera, or one without baseline and history: every page is sound."""
    write_site(night, tmp_path)
    assert pages(tmp_path)
    assert (tmp_path / "junit.xml").is_file()


def test_status_is_said_in_words(example: tuple[Night, Path]) -> None:
    """Colour and shape are never alone: the words are on the page."""
    text = (example[1] / "index.html").read_text()
    for word in ("Fails", "Did not finish", "Warns", "Not run", "Coverage shrank", "known deficit"):
        assert word in text
    assert text.count('scope="row"') > 20
    assert "<main" in text


def test_a_judged_night_has_sound_pages_whose_links_lead_somewhere(judged: Path) -> None:
    """Incidents, findings, charts with marks and the page of baselines keep to the same rules."""
    found = {page.path.resolve(): page for page in pages(judged)}
    assert judged / "baselines.html" in found
    reached = {judged / "index.html"}
    for path, page in found.items():
        assert len(set(page.ids)) == len(page.ids), f"{path.name}: an id is used twice"
        for link in page.links:
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            assert target.is_file(), f"{path.name} links to {link}"
            assert not anchor or anchor in found[target].ids, f"{path.name} links to {link}"
            reached.add(target)
    assert {path for path in judged.rglob("*") if path.is_file()} <= reached


def test_the_first_page_begins_with_the_incident(judged: Path) -> None:
    """Cause with its probability, what changed, evidence, members folded; then findings with their states."""
    text = (judged / "index.html").read_text().replace("\u00a0", " ")
    order = ("Incidents</h2>", "Algorithm</b>", "last good run", "Against camera", "<details", "Findings on their own")
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    for words in ("open for 10 nights", "reopened", "unconfirmed", "acknowledged until 20 Mar 2026 by Ada Example"):
        assert words in text
    assert "It will cross design about 19 Mar, between 11 Mar and 6 Apr." in text


def test_charts_and_sparklines_show_what_happened(judged: Path) -> None:
    """Steps, drifts with their forecast and known breaks are marks, with words for who cannot see them."""
    metric = (judged / "metrics" / "AA1.html").read_text()
    assert metric.count('class="shift shift-step"') == 6
    assert metric.count('class="shift shift-drift"') == 2
    assert metric.count('class="shift shift-forecast"') == 1
    assert 'class="shift shift-break"' in (judged / "metrics" / "peak_memory.html").read_text()
    assert 'class="event-step">1' in metric


def test_a_ledger_that_is_gone_takes_its_page_along(tmp_path: Path) -> None:
    """What no page refers to any more is removed."""
    night = replace(the_judged_example(), history={})
    write_site(night, tmp_path)
    assert (tmp_path / "baselines.html").is_file()
    write_site(replace(night, ledger=()), tmp_path)
    assert not (tmp_path / "baselines.html").exists()


def test_a_night_of_foreign_values_speaks_of_files(tmp_path: Path) -> None:
    """Metrics keep the name of their package, and nothing is said of twins, coadds or time."""
    comparison = a_comparison(factor=1.6)
    result = replace(comparison.result, metric="validate_drp.PA1")
    night = a_night(a_camera_night(steps=(), last_coadd=None), comparisons=(replace(comparison, result=result),))
    night = replace(night, plan=replace(night.plan, lane=Lane.IMPORTED, steps=()))
    write_site(night, tmp_path)
    index, camera = (next(tmp_path.glob(name)).read_text() for name in ("index.html", "cameras/*.html"))
    assert "validate_drp.PA1" in index
    assert "another pipeline measured them" in index
    for words in ("Twins are simulated", "Took", "never", "Overdue"):
        assert words not in index
    assert "On coadds" not in camera
