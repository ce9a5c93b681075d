"""The plan and the answer of a bisect, for people and for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qa.bisect import Outcome
from qa.documents import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ci.bisect.plan import BisectPlan
    from qa.bisect import Answer, Commit, Culprit, Probe
    from qa.bisect.answer import Trial
    from qa.bisect.search import Lineage

SHORT = 9
"""Digits of a SHA that are shown."""


def plan_text(plan: BisectPlan, *, known: int = 0) -> str:
    """Lay out what is going to be done and what it costs."""
    lines = [f"bisect {plan.good} .. {plan.bad}", "", "packages that changed:"]
    lines += [f"  {_span(one.package, one.good, one.bad)}{_relation(plan, one.package)}" for one in plan.changed]
    lines += [f"  {name}  left out: {reason}" for name, reason in plan.left_out.items()]
    if plan.fixed:
        lines += [f"the same in both runs and in all trials: {', '.join(plan.fixed)}"]
    if plan.others:
        lines += [f"also different, and as they are now in all trials: {', '.join(plan.others)}"]
    lines += ["", "what shows the change, cheapest first:", *(f"  {_probe(probe)}" for probe in plan.probes)]
    lines += ["", *_cost(plan, known)]
    return "\n".join(lines)


def plan_plain(plan: BisectPlan) -> dict[str, Any]:
    """Lay the plan out for machines."""
    names = ("good", "bad", "changed", "fixed", "left_out", "others", "probes", "repeats", "cost")
    body = {name: to_plain(getattr(plan, name), Any) for name in names}
    commits = {name: [one.sha for one in lineage.added.commits] for name, lineage in plan.lineages.items()}
    lost = {name: [one.sha for one in lineage.lost.commits] for name, lineage in plan.lineages.items()}
    return {"schema": 1, **body, "commits": commits, "lost_commits": lost}


def answer_text(plan: BisectPlan, probe: Probe, answer: Answer) -> str:
    """Lay out the trials, the smallest set of commits, and how sure it is."""
    lines = [f"{probe}: {answer.ends.good:.6g} good, {answer.ends.bad:.6g} bad {probe.unit}".rstrip(), ""]
    lines += [*_table(plan, answer.trials), ""]
    packages = len(answer.found.culprits)
    lines += ["the smallest set that brings the change:" if packages > 1 else "what brings the change:"]
    lines += [line for culprit in answer.found.culprits for line in _culprit(culprit)]
    lines += [f"note: {note}" for note in answer.found.notes]
    chance = "unknown" if answer.certainty.chance is None else f"{answer.certainty.chance:.4g}"
    lines += ["", f"chance that no trial was misjudged: {chance}; {answer.certainty.reason}"]
    return "\n".join(lines)


def answer_plain(plan: BisectPlan, probe: Probe, answer: Answer) -> dict[str, Any]:
    """Lay the answer out for machines."""
    return {
        "schema": 1,
        "plan": plan_plain(plan),
        "probe": to_plain(probe, Any),
        "exact": answer.exact,
        **to_plain(answer, Any),
    }


def _relation(plan: BisectPlan, package: str) -> str:
    lineage = plan.lineages.get(package)
    if lineage is None:
        return "  (versions)"
    parts = [_count(lineage.added.commits, "commit"), *_lost(lineage)]
    return f"  ({', '.join(parts)})"


def _lost(lineage: Lineage) -> list[str]:
    return [f"without {_count(lineage.lost.commits, 'commit')} of the good one"] if lineage.lost.commits else []


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _probe(probe: Probe) -> str:
    if probe.expected is None:
        return f"{probe}: not in these runs, cost unknown"
    seconds, wall = probe.cpu_seconds, probe.wall_seconds or 0.0
    cost = "cost unknown" if seconds is None else f"{seconds:.4g} s CPU, {wall:.4g} s"
    values = f"{probe.before:.6g} -> {probe.after:.6g} {probe.unit}".rstrip()
    return f"{probe}: {values}, {probe.sigma:.3g} spreads, {cost}"


def _cost(plan: BisectPlan, known: int) -> Iterable[str]:
    cost = plan.cost
    seconds = next((probe.cpu_seconds for probe in plan.probes if probe.cpu_seconds), None)
    wall = next((probe.wall_seconds for probe in plan.probes if probe.cpu_seconds), None) or 0.0
    yield f"trials, {cost.ends} of them to verify the ends:"
    for label, trials in (
        ("at best", cost.best),
        ("one commit to blame, at most", cost.single),
        ("all interacting, or hardly anything testable", cost.worst),
    ):
        price = "" if seconds is None else f"  {_time(trials * seconds)} CPU, {_time(trials * wall)}"
        yield f"  {label}: {trials}{price}"
    if seconds is not None:
        yield "  (by what the dearest needed in the two runs; builds come on top)"
    if known:
        yield f"{known} trials are known from an earlier attempt"


def _time(seconds: float) -> str:
    if seconds < 120:  # noqa: PLR2004 - seconds are read easily up to two minutes
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004


def _table(plan: BisectPlan, trials: Sequence[Trial]) -> list[str]:
    names = [one.package for one in plan.changed]
    # What a failure said is long: it stands last and is not padded.
    rows = [("trial", *names, "value", "CPU s", "outcome")]
    rows += [
        (
            str(number),
            *(_state(plan, name, trial) for name in names),
            "-" if trial.value is None else f"{trial.value:.6g}",
            f"{trial.cpu_seconds:.3g}",
            f"{trial.outcome}: {trial.reason}" if trial.reason else trial.outcome.value,
        )
        for number, trial in enumerate(trials, start=1)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _state(plan: BisectPlan, name: str, trial: Trial) -> str:
    one = next(one for one in plan.changed if one.package == name)
    revision = trial.combination[name]
    word = {one.good: Outcome.GOOD.value, one.bad: Outcome.BAD.value}.get(revision)
    return word or _short(revision)


def _culprit(culprit: Culprit) -> Iterable[str]:
    if not culprit.suspects:
        yield f"  {_span(culprit.package, culprit.good, culprit.bad)}"
        return
    lost = "  (the bad state lacks it)" if culprit.removed else ""
    if culprit.found:
        yield f"  {culprit.package}  {_commit(culprit.suspects[0])}{lost}"
        return
    yield f"  {culprit.package}  one of {len(culprit.suspects)} commits; those before the last cannot be tested{lost}"
    for commit in culprit.suspects:
        yield f"    {_commit(commit)}"


def _commit(commit: Commit) -> str:
    return f"{_short(commit.sha)}  {commit.date}  {commit.subject}"


def _span(package: str, good: str, bad: str) -> str:
    return f"{package}  {_short(good)} .. {_short(bad)}"


def _short(revision: str) -> str:
    return revision[:SHORT] if len(revision) == 40 else revision  # noqa: PLR2004 - a SHA
