"""Made-up incidents with a known cause; `KINDS` makes one of each kind."""

from __future__ import annotations

from incidents.camera import camera_config, camera_package, camera_tried, camera_watched, undecidable
from incidents.mixed import (
    first_run,
    noise,
    noise_in_changes,
    noise_rerun,
    stack_and_data,
    stack_and_slower,
    without_facts,
)
from incidents.stack import (
    stack_all,
    stack_and_host,
    stack_and_package,
    stack_late,
    stack_one,
    stack_some,
    stack_unseen,
    task_slower,
)
from incidents.surroundings import calibrations, container, drawn_anew, host, host_and_stack, recipe, refcat, threads

KINDS = (
    *(stack_all, stack_some, stack_one, stack_and_package, stack_and_host, stack_late, stack_unseen, task_slower),
    *(without_facts, first_run, camera_package, camera_watched, camera_config, camera_tried, undecidable),
    *(recipe, calibrations, refcat, drawn_anew, host, host_and_stack, threads, container),
    *(noise, noise_in_changes, noise_rerun, stack_and_data, stack_and_slower),
)
