"""Runs a command and writes its CPU seconds, wall seconds and peak memory (KiB): `python meter.py REPORT COMMAND ...`.

A process of its own: a child begins with its parent's peak of memory, so the parent must be small.
"""

import os
import sys
import time

begin = time.monotonic()
child = os.fork()
if not child:
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell wanted
_, status, usage = os.wait4(child, 0)
wall = time.monotonic() - begin
with open(sys.argv[1], "w") as report:  # noqa: PTH123 - pathlib would triple the memory
    report.write(f"{usage.ru_utime + usage.ru_stime} {wall} {usage.ru_maxrss}")
sys.exit(os.waitstatus_to_exitcode(status))
