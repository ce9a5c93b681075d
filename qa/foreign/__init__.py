"""Files that others wrote - lsst.verify Jobs, analysis_tools bundles, pytest-benchmark JSON - as results of a run."""
