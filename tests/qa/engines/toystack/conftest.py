"""An environment of its own for the toy stack: a virtual environment without obsqa, and a Butler repository."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sysconfig
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from astropy.time import Time

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
OURS = {"ci", "obs_registry", "qa", "reports"}
TOOLS = {"pipetask": "lsst.ctrl.mpexec.cli.pipetask", "butler": "lsst.daf.butler.cli.butler"}
DATING = """
    UPDATE dataset SET ingest_date = ? WHERE run_id = (SELECT collection_id FROM collection WHERE name = ?)
"""


class Stack:
    """Where the toy stack lies: its environment, its set-up script and its repository."""

    def __init__(self, root: Path) -> None:
        self.root, self.env, self.repository = root, root / "env", root / "repo"
        self.setup, self.code = root / "setup.sh", root / "toy_pipe"

    def run(self, *argv: str) -> str:
        """Run a command behind the set-up script and return what it prints."""
        command = ["bash", "-c", 'source "$1"; shift; exec "$@"', "toy", str(self.setup), *argv]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.root)}
        done = subprocess.run(command, env=environment, cwd=self.root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def build(self) -> None:
        """Make it, from what is installed here and nothing else."""
        venv.create(self.env, symlinks=True)
        (site,) = (self.env / "lib").glob("python*/site-packages")
        for entry in _installed():
            if not (site / entry.name).exists():
                (site / entry.name).symlink_to(entry)
        for name, module in TOOLS.items():
            script = self.env / "bin" / name
            # Workers are spawned, and import this script.
            guard = "if __name__ == '__main__':\n    main()\n"
            script.write_text(f"#!{self.env}/bin/python\nfrom {module} import main\n{guard}")
            script.chmod(0o755)
        shutil.copytree(HERE, self.code, ignore=shutil.ignore_patterns("conftest.py", "test_*", "__pycache__"))
        lines = [f"export PATH={self.env}/bin:$PATH", f"export PYTHONPATH={self.code}"]
        lines += [f"export TOY_PIPE_DIR={self.code}", f"export TOY_DATA={self.root}", "unset TOY_NOWHERE"]
        self.setup.write_text("\n".join(lines) + "\n")

    def fill(self) -> None:
        """Make the repository with the stack's own tools."""
        pixels = self.root / "pixels"
        pixels.mkdir()
        self.run("butler", "create", str(self.repository), "--seed-config", str(self.code / "seed.yaml"))
        self.run("butler", "register-instrument", str(self.repository), "toycam.ToyCam")
        self.run("python", str(self.code / "toycam.py"), str(self.repository), str(pixels))
        self._date("ToyCam/calib/epoch0", "2025-11-01T12:00:00")
        shutil.rmtree(pixels)

    def _date(self, collection: str, day: str) -> None:
        """Let what is in a collection have come into the repository on a day."""
        with sqlite3.connect(self.repository / "gen3.sqlite3") as database:
            nanoseconds = round(Time(day, scale="utc").unix_tai) * 10**9
            changed = database.execute(DATING, (nanoseconds, collection))
        assert changed.rowcount == 2


def _installed() -> Iterator[Path]:
    """Yield everything that is installed here, but for obsqa and what makes it importable."""
    for place in dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))):
        for entry in Path(place).iterdir():
            ours = entry.name in OURS or entry.name.startswith(("obsqa", "_obsqa", "__editable__"))
            if not ours and entry.suffix != ".pth" and entry.name != "__pycache__":
                yield entry


@pytest.fixture(scope="session")
def toy_stack(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Return the toy stack, with its repository filled."""
    stack = Stack(tmp_path_factory.mktemp("toy-stack"))
    stack.build()
    stack.fill()
    return stack
