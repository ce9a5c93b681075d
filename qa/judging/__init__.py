"""From measurements to verdicts: each against its baseline and its requirements, over nights, and told in words."""
