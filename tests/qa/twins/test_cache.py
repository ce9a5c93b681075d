from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from obs_registry.model import Camera
from qa.errors import DiskFullError
from qa.twins.cache import CacheError, digest, ensure, publish
from qa.twins.recipe import RecipeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from qa.twins.recipe import Recipe

# Draws a file slowly, so that it can be killed half way.
SLOW = """
import sys, time
from pathlib import Path
from qa.twins.cache import publish

def make(folder):
    (folder / "half").write_text("half")
    print("drawing", flush=True)
    time.sleep(60)

publish(Path(sys.argv[1]), "name", make)
"""


def fill(folder: Path) -> None:
    """Draw something."""
    (folder / "whole").write_text("whole")


def names(cache: Path) -> set[str]:
    """Tell what is in a cache besides its locks."""
    return {path.name for path in cache.iterdir() if not path.name.endswith(".lock")}


def test_what_is_there_is_not_drawn_again(tmp_path: Path) -> None:
    """A second request returns the folder without drawing."""
    calls: list[Path] = []
    for _ in range(2):
        assert publish(tmp_path / "cache", "name", calls.append) == tmp_path / "cache" / "name"
    assert len(calls) == 1


def test_of_many_that_want_it_one_draws_and_all_see_it_whole(tmp_path: Path) -> None:
    """Drawn at the same time by several, a folder is drawn once, and nobody gets it before it is complete."""
    calls: list[Path] = []

    def slowly(folder: Path) -> None:
        calls.append(folder)
        time.sleep(0.05)
        fill(folder)

    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(lambda _: publish(tmp_path, "name", slowly), range(4)))
    assert len(calls) == 1
    assert all((folder / "whole").is_file() for folder in folders)


def test_a_killed_draw_leaves_nothing_that_stays(tmp_path: Path) -> None:
    """After kill -9 half way, the next draw of anything removes what was left, and draws whole."""
    with subprocess.Popen([sys.executable, "-c", SLOW, tmp_path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert names(tmp_path) == {".name.partial"}
        # Who still draws is left alone.
        publish(tmp_path, "other", fill)
        assert names(tmp_path) == {".name.partial", "other"}
        os.kill(process.pid, signal.SIGKILL)
    publish(tmp_path, "third", fill)
    assert names(tmp_path) == {"other", "third"}
    assert {path.name for path in publish(tmp_path, "name", fill).iterdir()} == {"whole", "digests.json"}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    """Without space for it nothing of it stays, and the message names the folder."""

    def make(folder: Path) -> None:
        fill(folder)
        raise OSError(number, os.strerror(number))

    with pytest.raises(DiskFullError, match=r"name: no space left"):
        publish(tmp_path, "name", make)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("name", ["whole", "digests.json", "more"])
def test_what_was_damaged_is_drawn_again(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A folder of which a file was changed, lost or added since is told and made anew, bits as before."""
    folder = publish(tmp_path, "name", fill)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / name).write_text("damaged")
    assert publish(tmp_path, "name", fill) == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert name in caplog.text
    (folder / "whole").unlink()
    publish(tmp_path, "name", fill)
    assert (folder / "whole").is_file()
    assert "whole is gone" in caplog.text


def test_a_failed_draw_leaves_nothing(tmp_path: Path) -> None:
    """Any other failure passes on unchanged, and the next draw starts afresh."""

    def make(folder: Path) -> None:
        fill(folder)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        publish(tmp_path, "name", make)
    assert names(tmp_path) == set()


def test_a_cache_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    """Where the cache cannot be, one line says so."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="must be a folder that can be written to"):
        publish(tmp_path / "file" / "cache", "name", fill)


def test_the_digest_follows_the_recipe(toy_recipe: Callable[..., Recipe]) -> None:
    """The same recipe has the same digest; any change of it, and another data set, another one."""
    pytest.importorskip("galsim")
    recipes = [toy_recipe("hsc"), toy_recipe("hsc"), toy_recipe("hsc", seed=8), toy_recipe("decam")]
    digests = [digest(recipe, "twin") for recipe in recipes]
    assert digests[0] == digests[1]
    assert len({*digests, digest(recipes[0], "twin-quick")}) == 4


REPOSITORY = Path(__file__).resolve().parents[3]


def hsc() -> Camera:
    """Return the registry's entry of HSC."""
    body = yaml.safe_load((REPOSITORY / "obs_registry" / "cameras" / "hsc.yaml").read_text())
    del body["schema"]
    return Camera.model_validate(body)


def with_sky(folder: Path, recipe: Recipe) -> Path:
    """Write a recipe where that of HSC is looked for."""
    (folder / "skies").mkdir(parents=True)
    (folder / "skies" / "hsc.yaml").write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    return folder


@pytest.mark.pipeline
def test_a_data_set_is_drawn_once(toy_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """The first request draws and shows its progress, the second returns at once and shows none."""
    pytest.importorskip("galsim")
    from qa.twins.manifest import read_manifest

    camera = hsc()
    dataset = camera.datasets[0].model_copy(update={"bands": ("r",)})
    recipes, seen = with_sky(tmp_path, toy_recipe("hsc")), []
    for _ in range(2):
        folder = ensure(
            camera, dataset, cache=tmp_path / "cache", recipes=recipes, progress=lambda *counts: seen.append(counts)
        )
    assert seen == [(done, 32) for done in range(33)]
    manifest = read_manifest(folder)
    assert (manifest.camera, manifest.dataset, manifest.instrument) == ("hsc", "twin", "HSC")


def test_a_recipe_that_does_not_fit_the_registry_is_refused(toy_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """Another camera's recipe, a band it lacks and a filter the camera lacks are all told."""
    camera = hsc()
    recipes = with_sky(tmp_path, toy_recipe("decam"))
    with pytest.raises(RecipeError) as caught:
        ensure(camera, camera.datasets[0], cache=tmp_path / "cache", recipes=recipes, progress=lambda _a, _b: None)
    message = str(caught.value)
    assert "camera: must be hsc, found decam" in message
    assert "found none called i" in message
    assert "must be a filter of hsc in the band r" in message
    assert not (tmp_path / "cache").exists()
