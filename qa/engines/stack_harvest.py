"""Bundles of metrics out of a Butler repository, read into results: which scope a data ID becomes, what is averaged."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.errors import DocumentError
from qa.foreign.bundles import read
from qa.model import Measurement, Scope, Unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from obs_registry.model import Stored
    from qa.foreign.model import Definition
    from qa.model import Result

_MEDIAN = "Where several visits, detectors or patches gave it, it is the median of their values."
# Of a sample from a normal distribution, the standard error of the median is larger than that of the mean by this.
_MEDIAN_ERROR = math.sqrt(math.pi / 2)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was fetched: its dataset type, its data ID with what follows from it, and its file."""

    kind: str
    data_id: Mapping[str, Any]
    path: Path

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Bundle:
        """Read what the environment of the stack says of a bundle."""
        return cls(str(told["type"]), dict(told["data_id"]), Path(told["file"]))


@dataclass(frozen=True, slots=True)
class Reading:
    """What the bundles of a data set hold."""

    results: tuple[Result, ...]
    definitions: tuple[Definition, ...]
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _One:
    """A result with the dataset type it came from."""

    kind: str
    result: Result


def read_bundles(bundles: Iterable[Bundle], *, camera: str, dataset: Stored) -> Reading:
    """Read bundles into results, one for each metric and scope.

    The scope has the tract of the data ID, and its band: that of the record, of the data ID, or the one at the head of
    the metric's name, as analysis_tools writes it. Whatever else a data ID has (visit, detector, patch) is averaged
    over: the result is the median, its n the number of bundles, its error that of the median.

    Raises
    ------
    DocumentError
        If none of the files is a bundle; of several, one that is none is a caveat.
    """
    found: list[_One] = []
    definitions: dict[str, Definition] = {}
    caveats: dict[str, None] = {}
    unreadable: list[DocumentError] = []
    for bundle in sorted(bundles, key=lambda one: (one.kind, sorted(map(str, one.data_id.items())))):
        try:
            foreign = read(bundle.path, band=lambda _, bundle=bundle: bundle.data_id.get("band"))  # type: ignore[misc]
        except DocumentError as error:
            unreadable.append(error)
            caveats[f"{bundle.kind}: {error}"] = None
            continue
        caveats |= dict.fromkeys(f"{bundle.kind}: {text}" for text in foreign.caveats)
        families = {one.name: one.family for one in foreign.definitions}
        for result in foreign.results:
            metric, band = _name_and_band(result, families.get(result.metric), bundle, dataset.bands)
            scope = Scope(camera, dataset.name, band, bundle.data_id.get("tract"), result.scope.task)
            found.append(_One(bundle.kind, replace(result, metric=metric, scope=scope)))
        for one in foreign.definitions:
            name, _ = _split(one.name, one.family, dataset.bands)
            definitions.setdefault(name, replace(one, name=name))
    if unreadable and not found:
        raise unreadable[0]
    results, shared = _merged(found)
    caveats |= dict.fromkeys(shared)
    averaged = {one.metric for one in results if isinstance(one, Measurement) and one.n > 1}
    worded = (
        replace(one, text=f"{one.text} {_MEDIAN}") if one.name in averaged else one for one in definitions.values()
    )
    return Reading(results, tuple(worded), tuple(caveats))


def _name_and_band(
    result: Result, family: str | None, bundle: Bundle, bands: tuple[str, ...]
) -> tuple[str, str | None]:
    own = result.scope.band or bundle.data_id.get("band")
    if own or family is None:
        return result.metric, own
    return _split(result.metric, family, bands)


def _split(metric: str, family: str, bands: tuple[str, ...]) -> tuple[str, str | None]:
    """Take the band out of a metric's name: `package.action_band_metric` is `package.action_metric` in a band."""
    head, mark, tail = metric.partition(f"{family}_")
    for band in bands:
        if mark and tail.startswith(f"{band}_"):
            return f"{head}{mark}{tail.removeprefix(f'{band}_')}", band
    return metric, None


def _merged(found: Iterable[_One]) -> tuple[tuple[Result, ...], tuple[str, ...]]:
    """Merge the results of each metric and scope; of two dataset types that both give one, the first is taken."""
    groups: dict[tuple[str, Scope], dict[str, list[Result]]] = {}
    for one in found:
        groups.setdefault((one.result.metric, one.result.scope), {}).setdefault(one.kind, []).append(one.result)
    results, caveats = [], []
    for (metric, scope), by_kind in groups.items():
        kinds = list(by_kind)
        results.append(_median(by_kind[kinds[0]]))
        if len(kinds) > 1:
            caveats.append(f"{metric} of {scope} is in {' and '.join(kinds)}: that of {kinds[0]} is taken")
    return tuple(results), tuple(caveats)


def _median(results: list[Result]) -> Result:
    """Return the median of results of one metric and scope; what was not measured counts where nothing was."""
    measured = [one for one in results if isinstance(one, Measurement)]
    if len(measured) < 2:  # noqa: PLR2004 - of one there is nothing to average
        return measured[0] if measured else _unmeasured(results)
    unit = measured[0].unit
    values = [one.value for one in measured if one.unit == unit]
    error = _MEDIAN_ERROR * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    return replace(measured[0], value=statistics.median(values), n=len(values), stderr=error)


def _unmeasured(results: list[Result]) -> Result:
    first = results[0]
    more = f" (and {len(results) - 1} more)" if len(results) > 1 else ""
    reason = first.reason if isinstance(first, Unmeasured) else ""
    return Unmeasured(first.metric, first.scope, f"{reason}{more}")
