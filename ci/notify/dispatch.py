"""From a run's record to notices that were sent. Nothing here raises: what goes wrong is returned as lines."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ci.notify.channels import NullChannel
from ci.notify.mail import MailChannel
from ci.notify.outbox import Outbox, Post
from ci.notify.retry import Patience
from ci.notify.secrets import PASSWORD, TOKEN, Secrets
from ci.notify.site import public_address, read_site
from ci.notify.web import GithubChannel, WebhookChannel, commit_in
from qa.errors import DocumentError, ObsqaError
from qa.journal import read_record, runs_under
from qa.notices.digest import digests
from qa.notices.model import Service
from qa.notices.people import everybody
from qa.notices.text import alarm_of, cut_off_of, notice_of, one_line, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from ci.lanes import Context
    from ci.notify.channels import Channel
    from ci.notify.site import Site
    from ci.settings import Settings
    from qa.notices.model import Notice
    from qa.record import RunRecord

COMMIT, REPORT = "OBSQA_GITHUB_COMMIT", "OBSQA_REPORT_URL"
LONGEST_FAULT = 1000
"""Characters of a line about what could not be sent."""


def send_all(
    context: Context,
    folder: Path,
    record: RunRecord,
    *,
    environ: Mapping[str, str] = os.environ,
    patience: Patience | None = None,
    again: bool = False,
) -> tuple[str, ...]:
    """Send the notices of a judged run that were not sent before, and return a line for each that could not be.

    What of the run before did not get through is tried once more.

    Parameters
    ----------
    context
        Its settings name the file of subscriptions; nobody is told anything without one.
    folder, record
        The run.
    environ
        Where the secrets are, and the commit whose status is set.
    patience
        How long to try.
    again
        Send also what was sent before.
    """
    place = context.settings.subscriptions
    if place is None:
        return ()
    secrets = Secrets.from_environment(environ)

    def send() -> Iterator[str]:
        site = read_site(place)
        outbox = Outbox(channels_of(site, secrets, context.clock), patience=patience)
        if before := _before(folder, record):
            late = outbox.at(before[0])
            try:
                yield from late.send(_without(secrets, _late(context, *before, site, environ, late)))
            except ObsqaError as error:
                yield str(error)
        found, unreachable = posts(context, folder, record, site, environ=environ)
        yield from unreachable
        yield from outbox.at(folder).send(_without(secrets, found), again=again)

    return _never_raising(send, secrets)


def tell(context: Context, folder: Path, record: RunRecord) -> None:
    """Send the notices of a judged run, and warn on the console of those that could not be."""
    _warn(context, send_all(context, folder, record))


def tell_begun(context: Context, folder: Path) -> None:
    """Say of the commit that a run tests that it is under way."""
    _tell_commit(context, folder, status_of)


def tell_cut_off(context: Context, folder: Path) -> None:
    """Say of the commit that a run tests that it was cut off, lest it be taken to be under way for ever."""
    _tell_commit(context, folder, cut_off_of)


@contextmanager
def told_when_cut_off(context: Context, folder: Path) -> Iterator[None]:
    """Say so of the commit when the work on a run ends by an exception."""
    try:
        yield
    except BaseException:
        tell_cut_off(context, folder)
        raise


def send_alarm(
    settings: Settings,
    subject: str,
    lines: Iterable[str],
    *,
    environ: Mapping[str, str] = os.environ,
    patience: Patience | None = None,
) -> tuple[str, ...]:
    """Tell those who asked for alarms of something that left no run to report; return a line for each fault."""
    place = settings.subscriptions
    if place is None:
        return ()
    secrets = Secrets.from_environment(environ)

    def send() -> Iterator[str]:
        site = read_site(place)
        notice = alarm_of(subject, lines)
        people = [one for one in site.values if one.alarms]
        found = [Post(way.service, way.where, one.name, notice) for one in people for way in one.addresses]
        channels = channels_of(site, secrets, lambda: datetime.now(UTC))
        yield from Outbox(channels, patience=patience).send(_without(secrets, found))

    return _never_raising(send, secrets)


def shown(
    context: Context, folder: Path, record: RunRecord, *, environ: Mapping[str, str] = os.environ
) -> tuple[tuple[Post, ...], tuple[str, ...]]:
    """Return what `send_all` would send, and lines on those who cannot be told.

    Raises
    ------
    DocumentError
        If the file of subscriptions is not one.
    """
    place = context.settings.subscriptions
    if place is None:
        return (), ()
    found, unreachable = posts(context, folder, record, read_site(place), environ=environ)
    return tuple(_without(Secrets.from_environment(environ), found)), unreachable


def posts(
    context: Context,
    folder: Path,
    record: RunRecord,
    site: Site,
    *,
    environ: Mapping[str, str],
    today: date | None = None,
) -> tuple[tuple[Post, ...], tuple[str, ...]]:
    """Return what a run has to tell on a day, today unless given, and lines on those who cannot be told."""
    report, faults = _report(site, environ)
    statuses = tuple(_statuses(record, site, environ, report))
    if record.plan.lane not in site.lanes:
        return statuses, faults
    today = today or context.clock().date()
    before = _before(folder, record)
    known = everybody(site.values, context.cameras if site.sponsors else (), today)
    made = digests(record, before[1] if before else None, known.people, cameras=context.cameras, today=today)
    told = tuple(
        Post(way.service, way.where, digest.person.name, notice_of(digest, report))
        for digest in made
        for way in digest.person.addresses
        if way.service is not Service.MAIL or site.mail is not None
    )
    return (*told, *statuses), (*faults, *known.unreachable)


def channels_of(site: Site, secrets: Secrets, clock: Callable[[], datetime]) -> dict[Service, Channel]:
    """Return the channels of a site; the null form where it has none."""
    mail, github = site.mail, site.github
    return {
        Service.MAIL: MailChannel(mail, secrets.get(PASSWORD), clock=clock) if mail else NullChannel(),
        Service.WEBHOOK: WebhookChannel(secrets.get),
        Service.GITHUB: GithubChannel(github.api, github.repository, secrets.get(TOKEN)) if github else NullChannel(),
    }


def _tell_commit(context: Context, folder: Path, words: Callable[[RunRecord, str], Notice]) -> None:
    """Set the status of a run's commit while nothing is final: tried once, and not made up for later."""
    place, secrets = context.settings.subscriptions, Secrets.from_environment(os.environ)
    if place is None:
        return

    def send() -> Iterator[str]:
        site = read_site(place)
        report, _ = _report(site, os.environ)
        found = _statuses(read_record(folder), site, os.environ, report, words)
        outbox = Outbox(channels_of(site, secrets, context.clock), patience=Patience(0.0))
        yield from outbox.send(_without(secrets, found))

    _warn(context, _never_raising(send, secrets))


def _statuses(
    record: RunRecord,
    site: Site,
    environ: Mapping[str, str],
    report: str,
    words: Callable[[RunRecord, str], Notice] = status_of,
) -> Iterator[Post]:
    github = site.github
    if github is None or record.plan.lane not in github.lanes:
        return
    commit = commit_in(environ.get(COMMIT, "")) or commit_in(record.provenance.get(github.commit, ""))
    if commit:
        yield Post(Service.GITHUB, commit, github.repository, words(record, report))


def _report(site: Site, environ: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Return the address of reports: a build server's, which knows its own, or else the site's."""
    try:
        given = environ.get(REPORT)
        return (public_address(given) if given else site.report or ""), ()
    except ValueError as error:
        return site.report or "", (f"{REPORT} {error}",)


def _before(folder: Path, record: RunRecord) -> tuple[Path, RunRecord] | None:
    """Return the last judged run of the lane before this one; one that cannot be read is passed over."""
    for run in reversed([run for run in runs_under(folder.parent) if run.name < folder.name]):
        try:
            one = read_record(run)
        except DocumentError:
            continue
        if one.exit_code is not None and one.plan.lane is record.plan.lane:
            return run, one
    return None


def _late(
    context: Context, folder: Path, record: RunRecord, site: Site, environ: Mapping[str, str], outbox: Outbox
) -> Iterator[Post]:
    """Yield what of an earlier run did not get through; commit and reports of the environment are not that run's."""
    if outstanding := outbox.outstanding():
        own = {name: value for name, value in environ.items() if name not in {COMMIT, REPORT}}
        found, _ = posts(context, folder, record, site, environ=own, today=record.plan.created.date())
        yield from (post for post in found if post.key in outstanding)


def _without(secrets: Secrets, found: Iterable[Post]) -> Iterator[Post]:
    """Take secrets out of what is said: they may have come into a record in ways nobody thought of."""
    for post in found:
        said, cut = post.notice, secrets.cut_out
        clean = replace(
            said, subject=cut(said.subject), text=cut(said.text), link=cut(said.link), context=cut(said.context)
        )
        yield replace(post, notice=clean)


def _warn(context: Context, faults: Iterable[str]) -> None:
    for line in faults:
        context.console.say(f"warning: {line}")


def _never_raising(send: Callable[[], Iterator[str]], secrets: Secrets) -> tuple[str, ...]:
    """Collect lines, and one more for an exception: no notice is worth a night."""
    lines: list[str] = []
    try:
        lines += send()
    except ObsqaError as error:
        lines.append(str(error))
    except Exception as error:  # noqa: BLE001 - the last line of defence; what is lost is a notice
        lines.append(f"not all were sent: {type(error).__name__}: {error}")
    return tuple(one_line(f"notices: {secrets.cut_out(line)}", LONGEST_FAULT) for line in lines)
