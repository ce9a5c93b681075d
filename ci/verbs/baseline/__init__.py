"""`obsqa baseline`: show what was accepted, accept a run's results, take that back, learn what varies by itself."""

from __future__ import annotations

import click

from ci.identity import git_identity
from ci.verbs.baseline.accept import accept
from ci.verbs.baseline.margins import margins
from ci.verbs.baseline.noise import noise
from ci.verbs.baseline.show import restore, show
from ci.verbs.baseline.take_back import drop, expire, undo

__all__ = ["baseline", "git_identity"]


@click.group()
def baseline() -> None:
    """Show, accept and undo the baselines that a night is compared with."""


for _verb in (show, accept, undo, expire, drop, noise, margins, restore):
    baseline.add_command(_verb)
