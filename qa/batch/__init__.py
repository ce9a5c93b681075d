"""Pipelines on batch systems through BPS: which quanta make a job, what BPS is told, and what became of it."""
