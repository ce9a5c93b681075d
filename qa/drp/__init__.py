"""The embedded reference pipeline: LSST PipelineTasks over our own array functions."""
