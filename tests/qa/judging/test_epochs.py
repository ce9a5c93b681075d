from __future__ import annotations

from qa.judging.epochs import epoch_of, is_resource

FACTS = {"data hsc/twin": "abc", "data hsc/other": "def", "host": "a", "cpu": "b", "cores": "4", "threads": "1"}


def epoch(*, resources: bool = False, **changed: str) -> str:
    """Return the epoch with some facts changed."""
    facts = FACTS | {name.replace("_", " ").replace("hsc ", "hsc/"): value for name, value in changed.items()}
    return epoch_of(facts, "hsc", "twin", resources=resources)


def test_another_data_set_is_another_epoch() -> None:
    """Of all metrics of that data set, and of no other's."""
    assert epoch(data_hsc_twin="xyz") != epoch()
    assert epoch(resources=True, data_hsc_twin="xyz") != epoch(resources=True)
    assert epoch(data_hsc_other="xyz") == epoch()


def test_another_machine_is_another_epoch_of_resources_only() -> None:
    """What is measured on the sky does not depend on it; what it costs does, on every fact of the machine."""
    for fact in ("host", "cpu", "cores", "threads"):
        assert epoch(**{fact: "other"}) == epoch()
        assert epoch(resources=True, **{fact: "other"}) != epoch(resources=True)


def test_another_engine_is_another_epoch_of_that_cameras_resources() -> None:
    """What a batch job or a container costs is not what the same work costs here."""
    batch = FACTS | {"engine hsc": "batch slurm"}
    assert epoch_of(batch, "hsc", "twin", resources=False) == epoch()
    assert epoch_of(batch, "hsc", "twin", resources=True) != epoch(resources=True)
    assert epoch_of(FACTS | {"engine decam": "container"}, "hsc", "twin", resources=True) == epoch(resources=True)


def test_facts_that_are_new_do_not_begin_an_epoch() -> None:
    """A run that writes down more of its world belongs to the same series."""
    for fact in ("kernel", "instructions", "env TZ", "validity hsc/twin", "pipeline hsc/twin", "package llvmlite"):
        for resources in (False, True):
            more = FACTS | {fact: "new"}
            assert epoch_of(more, "hsc", "twin", resources=resources) == epoch(resources=resources)


def test_what_is_not_known_does_not_count() -> None:
    """Without any fact there is one epoch without a name; other facts do not matter."""
    assert epoch_of({}, "hsc", "twin", resources=True) == ""
    assert epoch_of({"package numpy": "2"}, "hsc", "twin", resources=True) == ""
    assert epoch(colour="green") == epoch()
    assert len(epoch()) == 16


def test_resource_metrics_are_known() -> None:
    """Those of the family `resources`."""
    assert is_resource("cpu_per_megapixel")
    assert is_resource("middleware_cpu")
    assert not is_resource("PA1")
