"""What a bisect is going to do: which packages, which commits, on which data, at what cost. Nothing is run here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ci.bisect import git
from ci.bisect.runners import EXIT_CODE
from qa.bisect import Changed, Cost, Probe, changed_packages, choose, cost_of
from qa.bisect.probes import with_small
from qa.errors import RequestError
from qa.metrics import catalogue
from qa.model import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ci.bisect.packages import Package
    from obs_registry.model import Camera
    from qa.bisect.search import Lineage
    from qa.record import RunRecord

ANY = "any"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    metric: str | None = None
    camera: str | None = None
    dataset: str | None = None
    by_exit_code: bool = False
    first_parent: bool = False
    repeats: int = 2


@dataclass(frozen=True, slots=True)
class BisectPlan:
    """The packages to search, how their revisions are related, the probes in the order of trying, and the cost.

    `fixed` are packages with a repository that are the same in both runs, and so in every trial; `left_out` those that
    differ and cannot be exchanged, with the reason; `others` facts that differ and are no packages.
    """

    good: str
    bad: str
    changed: tuple[Changed, ...]
    lineages: Mapping[str, Lineage]
    fixed: Mapping[str, str]
    left_out: Mapping[str, str]
    others: tuple[str, ...]
    probes: tuple[Probe, ...]
    repeats: int
    cost: Cost


def make_plan(
    good: RunRecord,
    bad: RunRecord,
    *,
    packages: Mapping[str, Package],
    wish: Wish,
    cameras: Mapping[str, Camera],
) -> BisectPlan:
    """Plan a bisect; `cameras` are those whose small data sets may be tried first.

    Raises
    ------
    RequestError
        If no package that differs can be exchanged, or nothing moved.
    """
    difference = changed_packages(good.provenance, bad.provenance)
    left_out = dict.fromkeys(difference.one_sided, "only one of the two runs has it")
    resolved: list[Changed] = []
    for one in difference.packages:
        found = _resolved(one, packages.get(one.package))
        if isinstance(found, str):
            left_out[one.package] = found
        elif found.good != found.bad:
            resolved.append(found)
    _check(good, bad, resolved, left_out, difference.others)
    lineages = _lineages(resolved, packages, wish)
    return BisectPlan(
        good=good.run_id,
        bad=bad.run_id,
        changed=tuple(resolved),
        lineages=lineages,
        fixed=_fixed(difference.same, packages),
        left_out=left_out,
        others=difference.others,
        probes=_probes(good, bad, wish, cameras),
        repeats=wish.repeats,
        cost=_cost(resolved, lineages, wish.repeats),
    )


def _fixed(same: Mapping[str, str], packages: Mapping[str, Package]) -> dict[str, str]:
    """Return the revisions of packages that did not change, as far as they can be checked out."""
    found = {
        name: _resolved(Changed(name, same[name], same[name]), packages[name]) for name in packages if name in same
    }
    return {name: one.good for name, one in found.items() if isinstance(one, Changed)}


def _resolved(changed: Changed, package: Package | None) -> Changed | str:
    """Return the change with full SHAs, or why the package cannot be exchanged."""
    if package is None:
        return "no repository is given for it"
    if package.repository is None:
        bad = [one for one in (changed.good, changed.bad) if not git.REVISION.fullmatch(one) or "/" in one]
        return f"{bad[0]!r} is no version" if bad else changed
    shas = {revision: git.resolve(package.repository, revision) for revision in (changed.good, changed.bad)}
    unknown = [revision for revision, sha in shas.items() if sha is None]
    if unknown:
        return f"{unknown[0]} is no commit or tag of {package.repository}"
    return replace(changed, good=shas[changed.good] or "", bad=shas[changed.bad] or "")


def _check(
    good: RunRecord, bad: RunRecord, resolved: list[Changed], left_out: Mapping[str, str], others: tuple[str, ...]
) -> None:
    if resolved:
        return
    reasons = [f"{name}: {reason}" for name, reason in left_out.items()]
    found = "; ".join([*reasons, *([f"what differs is {', '.join(others)}"] if others else [])])
    msg = (
        f"{good.run_id} and {bad.run_id} must differ in a package that can be exchanged, found "
        f"{found or 'no difference'}; name its repository with --package or --packages"
    )
    raise RequestError(msg)


def _lineages(changed: Iterable[Changed], packages: Mapping[str, Package], wish: Wish) -> dict[str, Lineage]:
    return {
        one.package: git.lineage(repository, one.good, one.bad, first_parent=wish.first_parent)
        for one in changed
        if (repository := packages[one.package].repository) is not None
    }


def _probes(good: RunRecord, bad: RunRecord, wish: Wish, cameras: Mapping[str, Camera]) -> tuple[Probe, ...]:
    if wish.by_exit_code:
        scope = Scope(wish.camera or ANY, wish.dataset or ANY)
        return (_exit_code(scope, bad),)
    probes = choose(good, bad, definitions=catalogue(), metric=wish.metric, camera=wish.camera)
    every = with_small(probes, cameras)
    chosen = tuple(probe for probe in every if wish.dataset in {None, probe.scope.dataset})
    if not chosen:
        known = ", ".join(sorted({probe.scope.dataset for probe in every}))
        msg = f"--dataset must be one on which the change shows or may show ({known}), got {wish.dataset!r}"
        raise RequestError(msg)
    return chosen


def _exit_code(scope: Scope, bad: RunRecord) -> Probe:
    """Return the probe of a command's exit code: what it takes is not known."""
    return Probe(
        metric=EXIT_CODE,
        scope=scope,
        lane=bad.plan.lane,
        unit="",
        before=None,
        after=None,
        spread=0.0,
        learned=False,
        sigma=0.0,
        cpu_seconds=None,
        wall_seconds=None,
    )


def _cost(changed: list[Changed], lineages: Mapping[str, Lineage], repeats: int) -> Cost:
    pairs = [lineages.get(one.package) for one in changed]
    commits = [max(len(one.added.commits), len(one.lost.commits)) if one else 0 for one in pairs]
    parted = sum(1 for one in pairs if one and one.added.commits and one.lost.commits)
    return cost_of(commits, repeats=repeats, parted=parted)
