# ruff: noqa: F401 - all of these are imported for the processes forked from here
"""What steps need, imported and compiled once a night by the fork server. Importing this module is its work."""

from __future__ import annotations

import lsst.ctrl.mpexec.cli.pipetask
import lsst.daf.butler.cli.cliLog

import qa.drp.harvest
import qa.drp.ingest
import qa.drp.tasks.calibrate
import qa.drp.tasks.characterize
import qa.drp.tasks.coadd
import qa.drp.tasks.isr
import qa.drp.tasks.measure_coadd
import qa.drp.tasks.measure_metrics
import qa.drp.tasks.warp
import qa.engines.worker
import qa.twins.cache
from qa.drp.algorithms.rehearsal import rehearse

rehearse()
