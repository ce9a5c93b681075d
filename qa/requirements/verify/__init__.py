"""Metrics packages of lsst.verify: metrics and specifications, merged by its rules, with file and line of each."""

from __future__ import annotations

from qa.requirements.verify.merge import merge
from qa.requirements.verify.model import Counts, Metric, Package, SpecDocument, Specification, from_job
from qa.requirements.verify.package import is_package, load_package, package_of

__all__ = [
    "Counts",
    "Metric",
    "Package",
    "SpecDocument",
    "Specification",
    "from_job",
    "is_package",
    "load_package",
    "merge",
    "package_of",
]
