"""`obsqa baseline noise`: learn from repeated runs how much each metric varies when nothing changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ci import options
from ci.verbs.baseline import shared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ci.settings import Settings
    from qa.baselines.noise import Learned, Spread
    from qa.record import RunRecord

INCOMPLETE = 4


@click.command(
    epilog="""\b
Examples:
  obsqa baseline noise --repeat 5 --quick
  obsqa baseline noise 20261120T010000Z 20261121T010000Z 20261122T010000Z"""
)
@click.argument("names", nargs=-1, metavar="[RUN]...")
@click.option("--repeat", type=click.IntRange(min=3), metavar="N", help="Run the lane this many times, three at least.")
@options.camera
@click.option("--quick", is_flag=True, help="With --repeat: use the small data sets of the commit lane.")
@click.option("--jobs", type=click.IntRange(min=1), help="With --repeat: processes side by side.")
@click.option("--why", help="Why, for those who read the ledger.  [default: the runs it was learned from]")
@shared.ticket
@shared.dry_run
@shared.who
@options.registry
@options.runs
@options.as_json
def noise(  # noqa: PLR0913 - an argument for each option
    names: tuple[str, ...],
    repeat: int | None,
    cameras: tuple[str, ...],
    *,
    quick: bool,
    jobs: int | None,
    why: str | None,
    ticket: str | None,
    dry_run: bool,
    who: str | None,
    registry: tuple[Path, ...],
    runs: Path | None,
    as_json: bool,
) -> int:
    """Learn each metric's run-to-run spread from RUNs of one plan and one software, or by running the lane N times.

    A metric that is the same to the last bit in all of them gets a spread of zero. Accepting a baseline keeps what
    was learned. Values do not move; metrics without a baseline are left out.
    """
    from ci.decisions import decision  # noqa: PLC0415 - heavy
    from ci.repeats import repeated  # noqa: PLC0415
    from ci.settings import Settings  # noqa: PLC0415
    from ci.wiring import make_context  # noqa: PLC0415
    from qa.model import Lane  # noqa: PLC0415

    if bool(names) == (repeat is not None):
        msg = "give either RUNs or --repeat N"
        raise click.UsageError(msg)
    settings = Settings.from_environment().override(runs=runs, registry=registry)
    if not dry_run:
        decision(
            who, why or "to be said"
        )  # whose name is not known, or what has no reason, is told before hours of work
    if repeat is None:
        return _conclude(
            settings, _records(settings, names), cameras, (who, why, ticket), dry_run=dry_run, as_json=as_json
        )
    context = make_context(settings, cameras, jobs=jobs)
    with repeated(context, lane=Lane.COMMIT if quick else Lane.NIGHTLY, times=repeat) as records:
        return _conclude(settings, records, cameras, (who, why, ticket), dry_run=dry_run, as_json=as_json)


def _records(settings: Settings, names: tuple[str, ...]) -> list[RunRecord]:
    from ci.lanes import find_run  # noqa: PLC0415
    from qa.journal import read_record  # noqa: PLC0415

    return [read_record(find_run(settings.runs, name)) for name in names]


def _conclude(
    settings: Settings,
    records: Sequence[RunRecord],
    cameras: tuple[str, ...],
    said: tuple[str | None, str | None, str | None],
    *,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Learn from runs, write it, and say what was learned; incomplete where a run lacks what another one measured."""
    from ci.decisions import decision, processors  # noqa: PLC0415
    from qa import baselines  # noqa: PLC0415
    from qa.baselines.noise import learn  # noqa: PLC0415
    from qa.foreign.definitions import definitions  # noqa: PLC0415
    from qa.metrics import catalogue  # noqa: PLC0415

    who, why, ticket = said
    known = dict(catalogue())
    for record in records:
        known |= definitions(record)
    learned = learn(records, known)
    spreads = [one for one in learned.spreads if not cameras or one.scope.camera in cameras]
    partial = [one for one in learned.partial if not cameras or one[0][1].camera in cameras]
    for (metric, scope), count in partial:
        shared.tell(f"warning: {metric} of {scope} was measured in {count} of {len(records)} runs, and is left out")
    if dry_run:
        _print_spreads(spreads, learned, as_json=as_json)
    else:
        runs = ", ".join(record.run_id for record in records)
        made = decision(who, why or f"run-to-run spread of {len(records)} runs: {runs}", ticket=ticket)
        known_on = processors(settings, records)
        entries = baselines.learn(
            settings.regression_data, spreads, decision=made, processors=known_on, tell=shared.tell
        )
        shared.print_entries(entries, as_json=as_json)
    if not as_json:
        click.echo(_summary(spreads, len(records)))
    return INCOMPLETE if partial or not spreads else 0


def _print_spreads(spreads: Sequence[Spread], learned: Learned, *, as_json: bool) -> None:
    if as_json:
        shared.print_json(
            {
                "spreads": [
                    {
                        "metric": one.metric,
                        "scope": str(one.scope),
                        "unit": one.unit,
                        "tolerance": one.tolerance,
                        "n": one.n,
                    }
                    for one in spreads
                ],
                "partial": [{"metric": key[0], "scope": str(key[1]), "n": n} for key, n in learned.partial],
            }
        )
        return
    for line in _lines(spreads):
        click.echo(line)


def _lines(spreads: Sequence[Spread]) -> Iterator[str]:
    from qa.judging.wording import quantity  # noqa: PLC0415

    for one in spreads:
        yield f"  {one.metric:<24} {one.scope!s:<32} spread {quantity(one.tolerance, one.unit, digits=2)}"


def _summary(spreads: Sequence[Spread], runs: int) -> str:
    from qa.baselines.noise import uncertainty  # noqa: PLC0415

    same = sum(one.tolerance == 0 for one in spreads)
    known = f" (each known to {100 * uncertainty(runs):.0f}%)" if same < len(spreads) else ""
    metrics = "1 metric" if len(spreads) == 1 else f"{len(spreads)} metrics"
    return f"{metrics} from {runs} runs: {same} the same to the last bit, {len(spreads) - same} with a spread{known}"
