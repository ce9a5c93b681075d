from __future__ import annotations

from collections import Counter
from graphlib import TopologicalSorter

from hypothesis import given
from hypothesis import strategies as st

from qa.batch.jobs import BatchJob, Quantum, make_jobs

Key = tuple[str | int, ...]


def pipeline(visits: int, detectors: int, patches: int, bands: str = "ri") -> list[Quantum[Key]]:
    """Make the quanta of a pipeline like ours: detectors of visits, tract and band, patches, tract."""
    of_visit = [(number, bands[number % len(bands)]) for number in range(visits)]
    each = [(visit, band, detector) for visit, band in of_visit for detector in range(detectors)]
    tract = {"instrument": "HSC", "tract": 0}
    quanta: list[Quantum[Key]] = [
        Quantum(("isr", v, d), "isr", {"instrument": "HSC", "exposure": v, "detector": d, "band": b, "group": str(v)})
        for v, b, d in each
    ]
    quanta += [
        Quantum(("characterize", v, d), "characterize", {"visit": v, "detector": d, "band": b}, (("isr", v, d),))
        for v, b, d in each
    ]
    for band in dict.fromkeys(band for _, band in of_visit):
        needs = tuple(("characterize", v, d) for v, b, d in each if b == band)
        quanta.append(Quantum(("calibrate", band), "calibrate", {**tract, "band": band}, needs))
    used = [quantum.data_id["band"] for quantum in quanta if quantum.task == "calibrate"]
    for task, before in (("coadd", "calibrate"), ("measure_coadd", "coadd")):
        for band in used:
            for patch in range(patches):
                need = (before, band) if before == "calibrate" else (before, band, patch)
                quanta.append(Quantum((task, band, patch), task, {**tract, "band": band, "patch": patch}, (need,)))
    last = tuple(("measure_coadd", band, patch) for band in used for patch in range(patches))
    quanta.append(Quantum(("colours",), "colours", tract, last))
    return quanta


def labels(jobs: tuple[BatchJob[Key], ...]) -> dict[str, int]:
    """Count the jobs of each label."""
    return dict(Counter(job.label for job in jobs))


PIPELINES = st.builds(pipeline, st.integers(1, 9), st.integers(1, 5), st.integers(1, 4), st.sampled_from(["r", "gri"]))


@given(PIPELINES, st.integers(1, 60), st.integers(1, 8), st.integers(0, 5))
def test_jobs_hold_each_quantum_once_and_can_be_carried_out(
    quanta: list[Quantum[Key]], per_job: int, slots: int, apart: int
) -> None:
    """Whatever the sizes: all quanta are there, no two jobs wait for each other, none is larger than allowed."""
    alone = [quantum.key for quantum in quanta[::7]][:apart]
    jobs = make_jobs(quanta, per_job=per_job, slots=slots, alone=alone)
    assert Counter(key for job in jobs for key in job.quanta) == Counter(quantum.key for quantum in quanta)
    assert len({job.name for job in jobs}) == len(jobs)
    home = {key: job.name for job in jobs for key in job.quanta}
    edges: dict[str, set[str]] = {job.name: set() for job in jobs}
    for quantum in quanta:
        edges[home[quantum.key]] |= {home[need] for need in quantum.needs} - {home[quantum.key]}
    TopologicalSorter(edges).prepare()  # raises where there is a cycle
    assert max(len(job.quanta) for job in jobs) <= per_job
    assert all(len(job.quanta) == 1 for job in jobs for key in alone if key in job.quanta)


@given(PIPELINES, st.integers(1, 60), st.integers(1, 8))
def test_within_a_job_nothing_waits_for_what_comes_later(quanta: list[Quantum[Key]], per_job: int, slots: int) -> None:
    """The quanta of a job stand in an order in which they can be carried out."""
    needs = {quantum.key: set(quantum.needs) for quantum in quanta}
    for job in make_jobs(quanta, per_job=per_job, slots=slots):
        assert not any(needs[key] & set(job.quanta[place:]) for place, key in enumerate(job.quanta))


def test_detectors_go_together_until_a_job_is_full() -> None:
    """Of 8 visits of 10 detectors, two tasks each, 160 quanta make 4 jobs of 40; each has one band."""
    jobs = make_jobs(pipeline(8, 10, 1)[:160], per_job=50)
    assert labels(jobs) == {"isr_to_characterize": 4}
    assert {len(job.quanta) for job in jobs} == {40}
    assert all(len({key[1] for key in job.quanta if isinstance(key[1], int)} & {0, 2, 4, 6}) in {0, 2} for job in jobs)


def test_no_slot_is_left_idle_for_larger_jobs() -> None:
    """With as many slots as detectors, each has its own job however many quanta a job may have."""
    jobs = make_jobs(pipeline(2, 6, 1)[:24], per_job=1000, slots=12)
    assert labels(jobs) == {"isr_to_characterize": 12}


def test_a_small_data_set_is_a_job_per_band() -> None:
    """What waits only for quanta of its own band goes on in its job; what compares bands has one of its own."""
    jobs = make_jobs(pipeline(4, 2, 1), per_job=50, slots=2)
    assert labels(jobs) == {"isr_to_measure_coadd": 2, "colours": 1}


def test_a_quantum_that_lost_its_job_has_one_of_its_own() -> None:
    """So has everything of its detector, which else might wait within its job for what is outside."""
    jobs = make_jobs(pipeline(1, 3, 1)[:6], per_job=50, alone=[("characterize", 0, 1)])
    assert [job.quanta for job in jobs] == [
        (("isr", 0, 1),),
        (("characterize", 0, 1),),
        (("isr", 0, 0), ("characterize", 0, 0), ("isr", 0, 2), ("characterize", 0, 2)),
    ]


def test_nothing_makes_no_jobs() -> None:
    """An empty graph is no error."""
    assert make_jobs([], per_job=5) == ()
