"""Jobs of lsst.verify with the traps of real files."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from qa.errors import DocumentError
from qa.foreign import jobs
from qa.foreign.jobs import direction, origin_of
from qa.foreign.testing import a_job, a_measurement_of, a_spec
from qa.model import Level, Measurement, Scope, Unmeasured
from qa.requirements import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

LPM_17 = load()
NAN = float("nan")


def read(path: Path, **given: Any) -> Any:
    """Read a Job with the default requirements."""
    return jobs.read(path, LPM_17, **given)


def test_a_sound_job_is_read_whole(write: Write) -> None:
    """Values, definitions, where it comes from, its date and its packages."""
    foreign = read(write(a_job()))
    assert foreign.results == (Measurement("validate_drp.PA1", Scope("", ""), 6.0, "mmag", 0),)
    (definition,) = foreign.definitions
    assert (definition.text, definition.direction) == ("Repeatability.", "lower")
    assert definition.citation == "LPM-17, p. 21, http://ls.st/lpm-17"
    assert foreign.origin.instrument == "HSC"
    assert foreign.origin.dataset == "validation_data_hsc"
    assert foreign.origin.filter == "HSC-R"
    assert foreign.origin.when == datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert foreign.facts == {"package afw": "a" * 40}
    assert foreign.caveats == ()


def test_nan_and_null_are_not_measured_and_say_why(write: Write) -> None:
    """The blob's reason is given where it has one; a value it could give does not fill in."""
    job = a_job(
        measurements=[
            a_measurement_of("validate_drp.AM2", NAN, "marcsec"),
            a_measurement_of("validate_drp.PA1", NAN, "mmag"),
            a_measurement_of("pkg.count", None),
            a_measurement_of("pkg.other", float("inf")),
        ]
    )
    reasons = [one.reason for one in read(write(job)).results if isinstance(one, Unmeasured)]
    assert reasons == [
        "the file has NaN, and rmsDistMas of the blob validate_drp.AM2 is needed, and the job has no blob of that name",
        "the file has NaN, though its blob gives 6 mmag",
        "the file has no value",
        "the file has inf",
    ]


def test_a_value_its_blob_does_not_give_is_told(write: Write) -> None:
    """With as many digits as it takes; what rounding explains is not."""
    job = a_job(measurements=[a_measurement_of("validate_drp.PA1", 6.1, "mmag")])
    assert read(write(job)).caveats == ("validate_drp.PA1 says 6.1 mmag, its blob gives 6 mmag.",)
    job["measurements"][0]["value"] = 6.0000001
    assert "says 6.0000001 mmag" in read(write(job)).caveats[0]
    job["measurements"][0]["value"] = 6.0 * (1 + 1e-10)
    assert read(write(job)).caveats == ()


def test_percentages_without_their_unit_are_percentages(write: Write) -> None:
    """29.78 with the unit '' is 29.78 %, not 2978 %: by the requirement, the metric or the specification."""
    metrics = [{"name": "pkg.share", "unit": "percent"}]
    specs = [a_spec("pkg.part.x", 10.0, unit="%")]
    names = ("validate_drp.AF1_design", "pkg.share", "pkg.part")
    job = a_job(measurements=[a_measurement_of(name, 29.78) for name in names], metrics=metrics, specs=specs)
    foreign = read(write(job))
    assert [(one.value, one.unit) for one in foreign.results] == [(29.78, "%")] * 3
    assert foreign.caveats[0] == f"Taken as percent, though the file gives no unit: {', '.join(names)}."


def test_a_unit_that_is_null_is_that_of_the_requirement(write: Write) -> None:
    """Old files give none."""
    foreign = read(write(a_job(measurements=[a_measurement_of("validate_drp.PA1", 6.0, None)])))
    assert foreign.results[0].unit == "mmag"


def test_a_job_of_measurements_and_meta_alone_is_read(write: Write) -> None:
    """As job-768: no metrics, no specs, blobs without a name or a metric."""
    job = a_job(_job_number=768, blobs=[{"identifier": "x", "data": {}}])
    del job["metrics"], job["specs"]
    foreign = read(write(job))
    assert foreign.definitions[0].text == "The file says no more of validate_drp.PA1 than its name."
    assert foreign.ladders == ()


def test_metrics_that_are_none_of_lpm_17_answer_to_the_specifications(write: Write) -> None:
    """Those whose query fits: the Job's own, or those of a package."""
    specs = [
        a_spec("pkg.M.here", 5.0, metadata_query={"filter_name": "HSC-R"}),
        a_spec("pkg.M.there", 1.0, metadata_query={"filter_name": "HSC-I"}),
        a_spec("validate_drp.PA1.design_gri", 0.1),
    ]
    job = a_job(measurements=[a_measurement_of("pkg.M", 6.0, "mmag"), *a_job()["measurements"]], specs=specs)
    path = write(job)
    (ladder,) = read(path).ladders
    assert (ladder.metric, ladder.design, ladder.only) == ("pkg.M", 5.0, Level.MINIMUM)
    assert [one.direction for one in read(path).definitions] == ["lower", "lower"]
    (own,) = jobs.read_job(path)[0].specifications[:1]
    (ladder,) = read(path, package=[replace(own, value=9.0)]).ladders
    assert ladder.design == 9.0


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ([], "found no list of measurements"),
        ({"blobs": []}, "found no list of measurements"),
        ({"measurements": {}}, "found at measurements: "),
        ({"measurements": [{"value": 1}]}, "found at measurements.0.metric: field required"),
        ({"measurements": [{"metric": "a.b", "value": "much"}]}, "found at measurements.0.value: "),
        (
            {"measurements": [a_measurement_of("a.b", 1.0), a_measurement_of("a.b", 2.0)]},
            "must be one measurement of each metric, found two of a.b",
        ),
        (
            a_job(specs=[a_spec("a.b.c", 1.0, operator="~")]),
            "found at specs.0.threshold.operator: input should be '<'",
        ),
        (a_job(specs=[a_spec("a.b.c", NAN)]), "found at specs.0.threshold.value: input should be a finite number"),
    ],
)
def test_what_is_no_job_is_one_line(write: Write, document: Any, found: str) -> None:
    """It names the file and what is wrong."""
    with pytest.raises(DocumentError) as caught:
        read(write(document))
    assert found in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({}, (None, None, None, None)),
        ({"filter_name": "any", "tract": "9813"}, (None, None, None, 9813)),
        ({"instrument": "HSC", "band": "i", "dataset": "rc2", "tract": 3}, ("HSC", "rc2", "i", 3)),
        ({"instrument": ["a"], "env": {"ci_dataset": "cfht"}, "tract": "x"}, (None, "cfht", None, None)),
        ({"env": None, "dataset_repo_url": "https://h/o/data_x.git/"}, (None, "data_x", None, None)),
    ],
)
def test_the_metadata_say_where_it_comes_from(meta: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """What is not there, or not what it should be, is None; `any` is no filter."""
    origin = origin_of(meta)
    assert (origin.instrument, origin.dataset, origin.filter, origin.tract) == expected


def test_packages_come_as_mapping_or_list(write: Write) -> None:
    """By git SHA, else by version; entries that say nothing are passed over."""
    packages = [
        {"name": "afw", "git_commit": "b1"},
        {"name": "utils", "eups_version": "19.0"},
        {"name": "empty"},
        {"git_sha": "c"},
        3,
    ]
    foreign = read(write(a_job(meta={"packages": packages})))
    assert foreign.facts == {"package afw": "b1", "package utils": "19.0"}
    assert read(write(a_job(meta={"packages": "none"}))).facts == {}


def test_the_direction_is_that_of_the_operators() -> None:
    """Without any, or with both, nearer to zero is better."""
    assert [direction(one) for one in ({"<="}, {">=", None}, set(), {"<=", ">="})] == [
        "lower",
        "higher",
        "zero",
        "zero",
    ]


def test_the_real_job_is_read_with_nothing_flagged(shared_data: Path) -> None:
    """42 measurements, 14 of them NaN, all 28 others as their blobs give them."""
    foreign = read(shared_data / "verify" / "CfhtQuick_output_r.json", band=lambda _: "r")
    assert len(foreign.results) == 42
    assert sum(isinstance(one, Unmeasured) for one in foreign.results) == 14
    assert foreign.caveats == ()
    ladder = next(one for one in foreign.ladders if one.metric == "validate_drp.psfPhotRepStar1")
    assert ladder.citation == "validate_drp.psfPhotRepStar1.minimum_gri"


def test_one_changed_value_of_the_real_job_is_told(shared_data: Path, write: Write) -> None:
    """PA1 and no other."""
    document = json.loads((shared_data / "verify" / "CfhtQuick_output_r.json").read_text())
    next(one for one in document["measurements"] if one["metric"] == "validate_drp.PA1")["value"] = 16.51
    assert read(write(document), band=lambda _: "r").caveats == (
        "validate_drp.PA1 says 16.51 mmag, its blob gives 16.48 mmag.",
    )
