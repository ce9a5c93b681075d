"""Carrying out a quantum graph in persistent workers: `run` drives, `schedule` orders, `books` keeps what was done."""
