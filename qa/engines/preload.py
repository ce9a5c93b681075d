# ruff: noqa: F401 - all of these are imported for the processes forked from here
"""What steps need, imported and compiled once a night by the fork server. Importing this module is its work."""

from __future__ import annotations

import os

import qa.drp.calibrations
import qa.drp.executor.run
import qa.drp.harvest
import qa.drp.ingest
import qa.drp.tasks.calibrate
import qa.drp.tasks.characterize
import qa.drp.tasks.coadd
import qa.drp.tasks.isr
import qa.drp.tasks.masters
import qa.drp.tasks.measure_coadd
import qa.drp.tasks.measure_colours
import qa.drp.tasks.measure_metrics
import qa.engines.worker
import qa.twins.cache
from qa.drp.algorithms.jit import is_cold
from qa.drp.algorithms.rehearsal import rehearse


def _rehearse_apart() -> None:
    """Have the loops compiled by a process that ends: what the compiler takes of memory would be in every step's."""
    child = os.fork()
    if child == 0:
        try:
            rehearse()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


if is_cold():
    _rehearse_apart()
rehearse()
