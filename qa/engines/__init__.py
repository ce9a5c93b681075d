"""Where a step is carried out: an engine maps a step to its outcome."""
