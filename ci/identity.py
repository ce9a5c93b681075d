"""Who sits here, as git knows it."""

from __future__ import annotations

import subprocess

from qa.errors import RequestError


def git_identity() -> str:
    """Return the name and address that git would put on a commit made here.

    Raises
    ------
    RequestError
        If git is absent or has no identity.
    """
    try:
        found = subprocess.run(["git", "var", "GIT_AUTHOR_IDENT"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        msg = "the ledger must say who decides, and git gives no identity here; set git's user.name and user.email, or give --who"  # noqa: E501
        raise RequestError(msg) from None
    return found.stdout[: found.stdout.rindex(">") + 1]
