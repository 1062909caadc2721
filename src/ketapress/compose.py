"""Decide every due slot, and compose the editions: render them, and write them to the outbox and the store.

The order of writes lets the next run finish after a crash at any point: render the message (an invalid template fails
here, before anything is decided), decide the slots in one transaction (`building`), move the outbox folder into place,
and save the message in the edition's row with its first state.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from ketapress.editions.planner import (
    SAME_MINUTE_SPAN,
    History,
    Plan,
    find_due_slots,
    has_long_gap,
    initial_state,
    plan_due_slots,
    plan_slots,
    send_deadline,
)
from ketapress.editions.selection import Candidates
from ketapress.editions.size_budget import fit_to_size
from ketapress.editions.slots import is_scheduled, minute_slot
from ketapress.mail.digest import build_digest, build_sample_message, html_size
from ketapress.mail.lint.run import message_problems
from ketapress.model.digests import digest as hash_values
from ketapress.model.edition import Decision, Edition, EditionState, Slot, StoredEdition, Window
from ketapress.model.errors import ConfigurationError, KetapressError, Problem, Severity
from ketapress.model.message import Digest
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.model.visibility import VisibilityRecords, observe_posts
from ketapress.outbox.manifest import edition_files
from ketapress.outbox.writer import write_edition
from ketapress.posts.source.files import read_text
from ketapress.settings.loader import SETTINGS_FILE, find_setting_line
from ketapress.store.editions import AlreadyDecidedError
from ketapress.store.store import Store
from ketapress.store.visibility import StoredSchedule
from ketapress.system.state_file import make_state_subfolder
from ketapress.templates.environment import Templates
from ketapress.templates.sources import overrides_fingerprint

_SOURCE_FIELDS = attrgetter(
    *(
        "id",
        "url",
        "title",
        "summary",
        "sha256",
        "date",
        "tags",
        "authors",
        "lang",
        "dir",
        "image",
        "canonical",
    )
)

_MAX_NAMES = 3  # of posts in one message


class ComposedEdition(NamedTuple):
    """An edition that was composed, or in a dry run would be.

    `reason` is why it waits for a person; empty if it does not. `problems` are those of its message: errors hold it.
    """

    edition: Edition
    digest: Digest
    state: EditionState
    reason: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ComposeReport:
    """The decision about each due slot, the composed editions, and the problems that stopped a newsletter."""

    slots: tuple[tuple[Slot, Decision], ...] = ()
    editions: tuple[ComposedEdition, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __add__(self, other: "ComposeReport") -> "ComposeReport":
        return ComposeReport(
            self.slots + other.slots, self.editions + other.editions, self.problems + other.problems
        )


class ComposeContext(NamedTuple):
    """What composing needs: the publication folder and its identity, its settings, store and templates."""

    root: Path
    settings: Settings
    store: Store
    templates: Templates
    folder_id: str = ""


def compose(
    context: ComposeContext,
    posts: Sequence[Post],
    newsletters: Iterable[NewsletterSettings],
    now: datetime,
    *,
    dry_run: bool = False,
) -> ComposeReport:
    """Decide every due slot of these newsletters, and compose the editions. A dry run writes nothing."""
    report = ComposeReport() if dry_run else _finish_interrupted(context, posts, now)
    memory = load_memory(context, posts, now, dry_run=dry_run)
    for newsletter in newsletters:
        newsletter_history = load_history(context.store, newsletter, memory, now)
        if newsletter_history.newest_decided is None and (lost_names := _lost_newsletters(context)):
            report += ComposeReport(problems=(_rename_problem(newsletter, lost_names),))
            continue
        plan = plan_due_slots(
            newsletter,
            context.settings.newsletter_zone(newsletter),
            posts,
            newsletter_history,
            now,
            context.settings.posts.late_posts,
        )
        if plan and has_long_gap(plan, newsletter_history, now):
            report += ComposeReport(problems=(_clock_problem(plan, now),))
        elif plan:
            try:
                report += _execute_plan(context, newsletter, plan, now, dry_run=dry_run)
            except (
                ConfigurationError
            ) as error:  # a template cannot be used for this edition; the others are composed
                report += ComposeReport(problems=error.problems)
    return report


def _lost_newsletters(context: ComposeContext) -> list[str]:
    """Return the newsletters that have editions and are not in the settings."""
    return sorted(context.store.editions.list_newsletters() - context.settings.newsletters.keys())


def _rename_problem(newsletter: NewsletterSettings, lost_names: Sequence[str]) -> Problem:
    """Return the problem that a new newsletter may be an old one with a new name, whose posts would be mailed again."""
    name, names = newsletter.name, ", ".join(f"`{lost_name}`" for lost_name in lost_names)
    return Problem(
        code="newsletter.renamed",
        severity=Severity.WARNING,
        needs_answer=True,
        path=SETTINGS_FILE,
        message=f"`{name}` has no editions, and {names} with editions {'is' if len(lost_names) == 1 else 'are'} not in "
        f"{SETTINGS_FILE}. If it is the same newsletter, its posts would be mailed again, so nothing was composed.",
        cure=f"If you renamed it, change its name back. If it is a new newsletter, `ketapress compose {name} --now` "
        "composes its first edition; later ones follow its schedule.",
    )


def _clock_problem(plan: Plan, now: datetime) -> Problem:
    first_slot, name = plan.first_slot, plan.slot.newsletter
    return Problem(
        code="clock.ahead",
        message=f"{first_slot.edition} was missed {(now - first_slot.at).days} days ago, if the clock of this machine is "
        f"right ({now:%Y-%m-%d %H:%M} UTC); after so long, nothing of {name} is composed or sent automatically.",
        cure=f"Correct the clock. If it is right, check `ketapress preview {name}`, then run `ketapress compose {name} --now`.",
    )


def compose_now(
    context: ComposeContext,
    posts: Sequence[Post],
    newsletter: NewsletterSettings,
    now: datetime,
    *,
    dry_run: bool,
) -> ComposeReport:
    """Compose an edition now, for a slot of this minute outside the schedule. Due slots are merged into it."""
    zone = context.settings.newsletter_zone(newsletter)
    slot = minute_slot(newsletter.name, zone, now)
    if context.store.editions.get(newsletter.name, slot.key):
        return ComposeReport(problems=(_same_minute_problem(slot),))
    memory = load_memory(context, posts, now, dry_run=dry_run)
    newsletter_history = load_history(context.store, newsletter, memory, now)
    earlier_slots = [
        due_slot
        for due_slot in find_due_slots(newsletter, zone, newsletter_history, now)
        if due_slot.key != slot.key
    ]
    plan = plan_slots(
        newsletter,
        zone,
        posts,
        newsletter_history,
        [*earlier_slots, slot],
        cutoff=now,
        late_after=context.settings.posts.late_posts,
    )
    is_extra = not is_scheduled(slot, newsletter.schedule.cron, zone)
    return _execute_plan(context, newsletter, plan, now, dry_run=dry_run, is_extra=is_extra)


def _same_minute_problem(slot: Slot) -> Problem:
    return Problem(
        code="edition.same-minute",
        severity=Severity.WARNING,
        message=f"{slot.edition} was decided already, so nothing was composed: there is one edition a minute.",
        cure="Run the command again in a minute, or list the editions with `ketapress outbox list`.",
    )


class ComposerMemory(NamedTuple):
    """What composing remembers: the visibility of posts, and the schedules that were acted on."""

    records: VisibilityRecords
    schedules: Mapping[str, StoredSchedule]


def load_memory(
    context: ComposeContext, posts: Sequence[Post], now: datetime, *, dry_run: bool
) -> ComposerMemory:
    """Observe which posts are visible and which schedules have changed. Store that, unless it is a dry run."""
    visibility = context.store.visibility
    records, schedules = visibility.read_records(), visibility.read_schedules()
    is_new = records.observed_at is None and not schedules
    current_schedules = {
        name: _act_on_schedule(
            newsletter.schedule.cron,
            context.settings.newsletter_zone(newsletter),
            schedules.get(name),
            None if is_new else now,
        )
        for name, newsletter in context.settings.newsletters.items()
    }
    changes = observe_posts(posts, records, now)
    if not dry_run:
        visibility.save(
            changes,
            {
                name: schedule
                for name, schedule in current_schedules.items()
                if schedule != schedules.get(name)
            },
            now,
        )
    return ComposerMemory(records.updated(changes, now), {**schedules, **current_schedules})


def _act_on_schedule(
    cron: str, zone: str, known_schedule: StoredSchedule | None, now: datetime | None
) -> StoredSchedule:
    """Return the record of a schedule. `now` is None where the publication is new: all slots since `starts` count."""
    if known_schedule is None:
        return StoredSchedule(cron, zone, since=now, added_at=now)
    if (known_schedule.cron, known_schedule.zone) == (cron, zone):
        is_ahead = known_schedule.since and now and known_schedule.since > now  # of a clock that was wrong
        return known_schedule._replace(since=now) if is_ahead else known_schedule
    return known_schedule._replace(cron=cron, zone=zone, since=now)


def load_history(
    store: Store, newsletter: NewsletterSettings, memory: ComposerMemory, now: datetime | None = None
) -> History:
    """Return what the store knows about a newsletter's earlier slots and editions.

    `now`, if given, is a moment at which the posts of an edition have to be visible, as well as at its slot.
    """
    schedule = memory.schedules.get(newsletter.name)
    newest_slot = store.editions.get_newest_decided_slot(newsletter.name)
    decided_keys: frozenset[str] = frozenset()
    if newest_slot:
        since = newest_slot.at - SAME_MINUTE_SPAN
        decided_keys = store.editions.list_slot_keys_since(newsletter.name, since)
    return History(
        newest_decided=newest_slot.at if newest_slot else None,
        decided_keys=decided_keys,
        last_composed=store.editions.get_newest_composed_at(newsletter.name),
        sent_post_ids=store.editions.list_taken_post_ids(newsletter.name),
        schedule_since=schedule.since if schedule else None,
        candidates=Candidates(
            records=memory.records.by_id,
            returned_ids=store.visibility.list_returned_post_ids(newsletter.name),
            added_at=schedule.added_at if schedule else None,
            now=now,
        ),
    )


def render_edition(
    context: ComposeContext, newsletter: NewsletterSettings, slot: Slot, window: Window, posts: Sequence[Post]
) -> tuple[Edition, Digest]:
    """Return the edition of these posts, shortened to the size limit, and its digest. The preview renders with it, too."""
    key_path = ("newsletters", newsletter.name, "subject")
    try:
        subject = context.templates.render_line(
            newsletter.subject,
            {"posts": posts, "newsletter": newsletter, "site": context.settings.site, "slot": slot},
            ".".join(key_path),
        )
    except ConfigurationError as error:
        line = find_setting_line(context.root, *key_path)
        names = ", ".join(f"`posts/{post.path}`" for post in posts[:_MAX_NAMES])
        others = f" and {len(posts) - _MAX_NAMES} more" if len(posts) > _MAX_NAMES else ""
        raise ConfigurationError(
            *(
                problem.with_location(SETTINGS_FILE, line)._replace(
                    message=f"{problem.message} {slot.edition} contains {names}{others}."
                )
                for problem in error.problems
            )
        ) from error

    def measure(edition: Edition) -> int:
        return html_size(edition, context.settings, newsletter, subject, context.templates)

    edition = fit_to_size(slot, window, posts, measure, newsletter.max_bytes)
    return edition, build_digest(edition, context.settings, newsletter, subject, context.templates)


def input_hash(context: ComposeContext, newsletter: NewsletterSettings, posts: Sequence[Post]) -> str:
    """Return the hash of what an edition of these posts is rendered from: their sources, settings and own templates.

    It does not depend on the version of the program.
    """
    settings = context.settings
    return hash_values(
        [_SOURCE_FIELDS(post) for post in posts],
        newsletter,
        settings.site,
        settings.web_base_url,
        overrides_fingerprint(context.root),
    )


def with_initial_state(
    context: ComposeContext,
    newsletter: NewsletterSettings,
    edition_and_digest: tuple[Edition, Digest],
    deadline: datetime,
    now: datetime,
    late_posts: Sequence[Post] = (),
) -> ComposedEdition:
    """Return the edition with its first state: HELD for an error of its message, else by deadline and approval."""
    edition, digest = edition_and_digest
    message = build_sample_message(digest.message_template, context.settings, newsletter, edition.slot)
    problems = message_problems(edition, digest, message, newsletter.max_bytes, _source_reader(context.root))
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    state, reason = initial_state(newsletter, deadline, now, late_posts)
    if errors:
        others = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        state = EditionState.HELD
        reason = f"its message has an error: {errors[0].where}: {errors[0].message.rstrip('.')}{others}"
    return ComposedEdition(edition, digest, state, reason, problems)


def _source_reader(root: Path) -> Callable[[str], str]:
    """Return the function that reads a post's file, for line numbers of problems; empty if the file is gone."""

    def read_source(post_path: str) -> str:
        try:
            return read_text(root / "posts", post_path)
        except KetapressError:
            return ""

    return read_source


def write_preview(context: ComposeContext, composed_edition: ComposedEdition) -> Path:
    """Write the outbox folder of an edition below `.ketapress/preview/`, without deciding its slot. Return its path."""
    slot = composed_edition.edition.slot
    files = outbox_files(context.settings, context.settings.newsletters[slot.newsletter], composed_edition)
    outbox = make_state_subfolder(context.root, "preview", "outbox")
    return write_edition(outbox.parent, slot, files)


def outbox_files(
    settings: Settings, newsletter: NewsletterSettings, composed_edition: ComposedEdition
) -> Mapping[str, bytes]:
    """Return the files of an edition's outbox folder by name."""
    message = build_sample_message(
        composed_edition.digest.message_template, settings, newsletter, composed_edition.edition.slot
    )
    return edition_files(composed_edition.edition, composed_edition.digest, message)


def _execute_plan(
    context: ComposeContext,
    newsletter: NewsletterSettings,
    plan: Plan,
    now: datetime,
    *,
    dry_run: bool,
    is_extra: bool = False,
) -> ComposeReport:
    """Render the edition, decide the slots, and store it. The report is empty if another process decided first."""
    composed_editions: tuple[ComposedEdition, ...] = ()
    if plan.posts:
        edition_and_digest = render_edition(context, newsletter, plan.slot, plan.window, plan.posts)
        composed_editions = (
            with_initial_state(
                context, newsletter, edition_and_digest, plan.send_deadline, now, plan.late_posts
            ),
        )
    if dry_run:
        return ComposeReport(plan.decisions, composed_editions)
    try:
        edition_id = context.store.editions.decide_slots(
            plan.decisions,
            window=plan.window,
            post_ids=[post.id for post in plan.posts],
            send_deadline=plan.send_deadline,
            now=now,
            is_extra=is_extra,
            first_slot_at=None if plan.first_slot == plan.decisions[0][0] else plan.first_slot.at,
        )
    except AlreadyDecidedError:
        return ComposeReport()
    if edition_id is not None:
        for composed_edition in composed_editions:
            _store_edition(context, newsletter, edition_id, composed_edition, now)
    return ComposeReport(plan.decisions, composed_editions)


def _store_edition(
    context: ComposeContext,
    newsletter: NewsletterSettings,
    edition_id: int,
    composed_edition: ComposedEdition,
    now: datetime,
) -> None:
    """Write the outbox folder first, then the row: a row in state READY always has its folder."""
    edition, digest = composed_edition.edition, composed_edition.digest
    write_edition(context.root, edition.slot, outbox_files(context.settings, newsletter, composed_edition))
    context.store.editions.save_message(
        edition_id,
        composed_edition.state,
        subject=digest.subject,
        digest=digest,
        post_ids=[post.id for post in edition.posts],
        reason=composed_edition.reason,
        input_hash=input_hash(context, newsletter, edition.posts),
        folder=context.folder_id,
        now=now,
    )


def _finish_interrupted(context: ComposeContext, posts: Sequence[Post], now: datetime) -> ComposeReport:
    """Compose again the editions whose composer died after deciding the slots, from the posts of that decision."""
    report = ComposeReport()
    for interrupted_edition in context.store.editions.claim_interrupted():
        newsletter = context.settings.newsletters.get(interrupted_edition.slot.newsletter)
        if newsletter and interrupted_edition.window:
            try:
                report += _finish_edition(
                    context, newsletter, interrupted_edition, interrupted_edition.window, posts, now
                )
            except ConfigurationError as error:
                report += ComposeReport(problems=error.problems)
    return report


def _finish_edition(
    context: ComposeContext,
    newsletter: NewsletterSettings,
    interrupted_edition: StoredEdition,
    window: Window,
    posts: Sequence[Post],
    now: datetime,
) -> ComposeReport:
    by_id = {post.id: post for post in posts}
    remaining_posts = [by_id[post_id] for post_id in interrupted_edition.post_ids if post_id in by_id]
    if not remaining_posts:
        context.store.editions.cancel(interrupted_edition.id, now, "none of its posts is in posts/ any more")
        return ComposeReport()
    deadline = interrupted_edition.send_deadline or send_deadline(
        newsletter, context.settings.newsletter_zone(newsletter), interrupted_edition.slot
    )
    edition_and_digest = render_edition(
        context, newsletter, interrupted_edition.slot, window, remaining_posts
    )
    composed_edition = with_initial_state(context, newsletter, edition_and_digest, deadline, now)
    _store_edition(context, newsletter, interrupted_edition.id, composed_edition, now)
    return ComposeReport(editions=(composed_edition,))
