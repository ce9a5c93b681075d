"""Bisecting for real: repositories, checkouts, builds, runs and the journal of trials. `qa.bisect` decides what to try.

The parts: `packages` (which repositories) and `git` (what is in them), `checkouts` (a folder for each revision),
`runners` (the port and its real forms), `journal` (what was tried), `plan` and `session` (the verb), `text` (words).
"""

from __future__ import annotations

from ci.bisect.session import trials

__all__ = ["trials"]
