"""Results as bundles and back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.metrics import catalogue
from qa.metrics.bundle import from_bundle, identifier, to_bundle
from qa.model import Measurement, Scope, Unmeasured

SCOPE = Scope("hsc", "twin", "r", 0)
finite = st.floats(allow_nan=False, allow_infinity=False)
scopes = st.sampled_from([SCOPE, replace(SCOPE, task="isr"), replace(SCOPE, task="detectCoadd")])
metrics = st.sampled_from([*catalogue(), "somethingElse"])
measurements = st.builds(
    Measurement,
    metric=metrics,
    scope=scopes,
    value=finite,
    unit=st.sampled_from(["mmag", "mas", "%", ""]),
    n=st.integers(0, 10**9),
    stderr=st.none() | st.floats(min_value=0, allow_nan=False, allow_infinity=False),
)
unmeasured = st.builds(Unmeasured, metric=metrics, scope=scopes, reason=st.text(min_size=1))


@given(st.lists(measurements | unmeasured))
def test_what_goes_into_a_bundle_comes_out(results: list[Measurement | Unmeasured]) -> None:
    """Through JSON without NaN, family by family."""
    bundle = json.loads(json.dumps(to_bundle(results), allow_nan=False))
    back = from_bundle(bundle, SCOPE)
    assert sorted(map(repr, back)) == sorted(map(repr, results))


def test_the_shape_is_that_of_a_metric_measurement_bundle() -> None:
    """Families hold lists of lsst.verify measurements; reserved keys begin with two underscores."""
    results = [Measurement("PA1", SCOPE, 7.5, "mmag", 30, 0.4), Unmeasured("AM3", SCOPE, "the field is small")]
    bundle = to_bundle(results, dataset="twin-quick", timestamp="20260801T120000Z")
    assert bundle == {
        "__reference_package": "obsqa",
        "__timestamp_version": "20260801T120000Z",
        "__dataset_identifier": "twin-quick",
        "photometry": [
            {
                "metric": "PA1",
                "identifier": identifier("PA1", SCOPE),
                "value": 7.5,
                "unit": "mmag",
                "blob_refs": [],
                "n": 30,
                "stderr": 0.4,
            }
        ],
        "astrometry": [
            {
                "metric": "AM3",
                "identifier": identifier("AM3", SCOPE),
                "value": None,
                "unit": "mas",
                "blob_refs": [],
                "reason": "the field is small",
            }
        ],
    }


def test_identifiers_are_the_same_every_time_and_different_for_each() -> None:
    """Metric and scope decide."""
    assert identifier("PA1", SCOPE) == identifier("PA1", replace(SCOPE))
    assert len(
        {identifier(name, scope) for name in catalogue() for scope in (SCOPE, replace(SCOPE, band="i"))}
    ) == 2 * len(catalogue())
    assert len(identifier("PA1", SCOPE)) == 32


@pytest.mark.parametrize("value", ["NaN", "null", "Infinity"])
def test_a_foreign_value_that_is_no_number_is_unmeasured(value: str) -> None:
    """analysis_tools writes bare NaN tokens; they stop here, and the reason says where they came from."""
    text = f'{{"stellarPhotometricRepeatability": [{{"metric": "PA1", "value": {value}, "unit": "mmag"}}]}}'
    (result,) = from_bundle(json.loads(text), SCOPE)
    assert isinstance(result, Unmeasured)
    assert "stellarPhotometricRepeatability" in result.reason


def test_a_foreign_measurement_has_no_n_and_no_error() -> None:
    """A record of analysis_tools has value and unit; the misspelt reserved key of its reader is skipped as well."""
    bundle = {
        "__reference_package": "lsst_distrib",
        "__metricNamePrefix": "",
        "atool": [{"metric": "r_AM1", "identifier": "0" * 32, "value": 5, "unit": "marcsec", "blob_refs": []}],
    }
    assert from_bundle(bundle, SCOPE) == (Measurement("r_AM1", SCOPE, 5.0, "marcsec", 0),)


@pytest.mark.parametrize("records", ["text", {"metric": "PA1"}, [1], [{"value": 1}]])
def test_anything_else_is_refused(records: object) -> None:
    """The entry is named."""
    with pytest.raises(ValueError, match="entry 'atool' of a bundle must be a list of measurements"):
        from_bundle({"atool": records}, SCOPE)


def test_what_compares_bands_names_its_band() -> None:
    """One bundle holds several bands, and each result comes back with its own."""
    results = tuple(
        Measurement(metric, Scope("hsc", "twin", band, 0), 5.0, "mas", 9, 0.5)
        for metric, band in (("AB1", "g"), ("AB1", "i"), ("AB2", "i"))
    )
    bundle = to_bundle(results)
    assert [record["band"] for record in bundle["astrometry"]] == ["g", "i", "i"]
    assert from_bundle(bundle, Scope("hsc", "twin", tract=0)) == results
