from __future__ import annotations

import pytest
from pydantic import ValidationError

from obs_registry.model import Batch, BatchService, Limits, Runtime


def test_a_runtime_says_nothing_unless_asked() -> None:
    """Steps run here, with limits that a small machine can keep."""
    runtime = Runtime()
    assert (runtime.image, runtime.setup, runtime.batch) == (None, None, None)
    assert runtime.limits == Limits(memory_gib=8.0, cpus=2.0, processes=512, hours=4.0)


def test_a_batch_system_is_one_of_those_bps_knows() -> None:
    """Its options are plain values."""
    batch = Batch.model_validate({"service": "slurm", "options": {"partition": "night", "nodes": 2}})
    assert (batch.service, batch.quanta_per_job) == (BatchService.SLURM, 50)
    with pytest.raises(ValidationError):
        Batch.model_validate({"service": "pbs"})
    with pytest.raises(ValidationError):
        Batch.model_validate({"service": "slurm", "options": {"nodes": [1]}})


@pytest.mark.parametrize("text", ["", "a\nb", "a\x1b[0m"])
def test_places_are_one_line(text: str) -> None:
    """What becomes a path or an argument holds no control characters."""
    with pytest.raises(ValidationError):
        Runtime(setup=text)
