"""Act: every due slot is decided, and what is due becomes an edition in the outbox and the store.

In: posts, settings, the store, templates, now. Out: a report. Order of writes, so that a kill at any point leaves
something that the next run finishes: the letter is rendered (a broken template stops here, before anything is
decided), the slots are decided in one transaction (`building`), the outbox folder is renamed into place, and the
letter goes into the row with the edition's first state.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ketapress.editions.planner import (
    SAME_MINUTE,
    History,
    Plan,
    due_slots,
    first_state,
    plan_for,
    planned,
    send_by,
    was_silent_too_long,
)
from ketapress.editions.size_budget import fitted
from ketapress.editions.slots import slot_at
from ketapress.mail.digest import digest as digest_of, measured, specimen
from ketapress.mail.lint.run import letter_problems
from ketapress.model.edition import Decision, Edition, EditionState, Slot, StoredEdition, Window
from ketapress.model.errors import KetapressError, Problem, Severity
from ketapress.model.message import Digest
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.outbox.manifest import edition_files
from ketapress.outbox.writer import write_edition
from ketapress.posts.source.files import text as post_text
from ketapress.store.editions import AlreadyDecidedError
from ketapress.store.store import Store
from ketapress.system.state_file import private_subfolder
from ketapress.templates.environment import Templates


class Composed(NamedTuple):
    """One edition that was composed, or in a dry run would be. `why` is for people, where one has to act.

    `problems` are what is wrong with its letter: errors hold it.
    """

    edition: Edition
    digest: Digest
    state: EditionState
    why: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ComposeReport:
    """What became of each due slot, the editions that came of them, and why nothing was decided where nothing was."""

    slots: tuple[tuple[Slot, Decision], ...] = ()
    editions: tuple[Composed, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __add__(self, other: "ComposeReport") -> "ComposeReport":
        return ComposeReport(
            self.slots + other.slots, self.editions + other.editions, self.problems + other.problems
        )


class Press(NamedTuple):
    """What composing needs, wired once: the folder, its settings, its store and its templates."""

    root: Path
    settings: Settings
    store: Store
    templates: Templates


def compose(
    press: Press,
    posts: Sequence[Post],
    newsletters: Iterable[NewsletterSettings],
    now: datetime,
    *,
    dry_run: bool = False,
) -> ComposeReport:
    """Decides every slot that is due for these newsletters, and composes what there is to say."""
    report = ComposeReport() if dry_run else _finish_leftovers(press, posts, now)
    for newsletter in newsletters:
        past = history(press.store, newsletter)
        plan = planned(newsletter, press.settings.zone(newsletter), posts, past, now)
        if plan and was_silent_too_long(plan, past, now):
            report += ComposeReport(problems=(_too_long_silent(plan, now),))
        elif plan:
            report += _carry_out(press, newsletter, plan, now, dry_run=dry_run)
    return report


def _too_long_silent(plan: Plan, now: datetime) -> Problem:
    first, name = plan.decisions[0][0], plan.slot.newsletter
    return Problem(
        code="clock.ahead",
        message=(
            f"{first.edition} was missed {(now - first.at).days} days ago, if this machine's clock is right "
            f"({now:%Y-%m-%d %H:%M} UTC): nothing of {name} is decided or mailed by itself after so long."
        ),
        cure=f"Set the clock; if it is right, look at `ketapress preview {name}`, then run `ketapress compose {name} --now`.",
    )


def compose_now(
    press: Press, posts: Sequence[Post], newsletter: NewsletterSettings, now: datetime, *, dry_run: bool
) -> ComposeReport:
    """Composes an edition at once, for a slot of this minute that no schedule names; what is due is merged into it."""
    zone, past = press.settings.zone(newsletter), history(press.store, newsletter)
    slot = slot_at(newsletter.name, zone, now)
    due = [each for each in due_slots(newsletter, zone, past, now) if each.key != slot.key]
    plan = plan_for(newsletter, zone, posts, past, [*due, slot], until=now)
    return _carry_out(press, newsletter, plan, now, dry_run=dry_run)


def history(store: Store, newsletter: NewsletterSettings) -> History:
    """What the store knows of a newsletter's past."""
    newest = store.editions.newest_decided(newsletter.name)
    return History(
        newest_decided=newest.at if newest else None,
        decided_keys=store.editions.keys_since(newsletter.name, newest.at - SAME_MINUTE)
        if newest
        else frozenset(),
        last_composed=store.editions.newest_composed(newsletter.name),
        taken=store.editions.taken_posts(newsletter.name),
    )


def rendered(
    press: Press, newsletter: NewsletterSettings, slot: Slot, window: Window, posts: Sequence[Post]
) -> tuple[Edition, Digest]:
    """The edition of these posts, made to fit, and its digest. The one way to a letter: preview takes it too."""
    subject = press.templates.line(
        newsletter.subject,
        subject_values(press.settings, newsletter, slot, posts),
        f"newsletters.{newsletter.name}.subject",
    )

    def measure(edition: Edition) -> int:
        return measured(edition, press.settings, newsletter, subject, press.templates)

    edition = fitted(slot, window, posts, measure, newsletter.max_bytes)
    return edition, digest_of(edition, press.settings, newsletter, subject, press.templates)


def composed(
    press: Press, newsletter: NewsletterSettings, made: tuple[Edition, Digest], until: datetime, now: datetime
) -> Composed:
    """An edition with the state it begins in: what is wrong with its letter comes before the hour and approval."""
    edition, digest = made
    message = specimen(digest.letter, press.settings, newsletter, edition.slot)
    problems = letter_problems(edition, digest, message, newsletter.max_bytes, _written(press.root))
    errors = [each for each in problems if each.severity is Severity.ERROR]
    state, why = first_state(newsletter, until, now)
    if errors:
        state, why = EditionState.HELD, _reason(errors)
    return Composed(edition, digest, state, why, problems)


def _written(root: Path) -> Callable[[str], str]:
    """What a post's file holds, for the line of a fault; nothing where it changed or went since it was read."""

    def text(path: str) -> str:
        try:
            return post_text(root / "posts", path)
        except KetapressError:
            return ""

    return text


def _reason(errors: Sequence[Problem]) -> str:
    others = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    return f"something is wrong with its letter: {errors[0].where}: {errors[0].message.rstrip('.')}{others}"


def subject_values(
    settings: Settings, newsletter: NewsletterSettings, slot: Slot, posts: Sequence[Post]
) -> dict[str, Any]:
    """What a subject's template knows."""
    return {"posts": posts, "newsletter": newsletter, "site": settings.site, "slot": slot}


def keep_preview(press: Press, coming: Composed) -> Path:
    """Writes an edition that nothing was decided about below `.ketapress/preview/`, by the outbox's own way."""
    slot = coming.edition.slot
    files = specimen_files(press.settings, press.settings.newsletters[slot.newsletter], coming)
    outbox = private_subfolder(press.root, "preview", "outbox")
    return write_edition(outbox.parent, slot, files)


def specimen_files(settings: Settings, newsletter: NewsletterSettings, made: Composed) -> Mapping[str, bytes]:
    """An edition's files in the outbox."""
    message = specimen(made.digest.letter, settings, newsletter, made.edition.slot)
    return edition_files(made.edition, made.digest, message)


def _carry_out(
    press: Press, newsletter: NewsletterSettings, plan: Plan, now: datetime, *, dry_run: bool
) -> ComposeReport:
    """Renders, decides, writes. When another process decided first, its decision stands and nothing is reported."""
    editions: tuple[Composed, ...] = ()
    if plan.posts:
        made = rendered(press, newsletter, plan.slot, plan.window, plan.posts)
        editions = (composed(press, newsletter, made, plan.send_by, now),)
    if dry_run:
        return ComposeReport(plan.decisions, editions)
    try:
        edition_id = _decide(press.store, plan, now)
    except AlreadyDecidedError:
        return ComposeReport()
    if edition_id is not None:
        for each in editions:
            _keep(press, newsletter, edition_id, each, now)
    return ComposeReport(plan.decisions, editions)


def _decide(store: Store, plan: Plan, now: datetime) -> int | None:
    post_ids = [post.id for post in plan.posts]
    return store.editions.decide(
        plan.decisions, window=plan.window, post_ids=post_ids, send_by=plan.send_by, now=now
    )


def _keep(
    press: Press, newsletter: NewsletterSettings, edition_id: int, made: Composed, now: datetime
) -> None:
    """The folder first, then the row: a row that is ready always has its folder."""
    edition, digest = made.edition, made.digest
    write_edition(press.root, edition.slot, specimen_files(press.settings, newsletter, made))
    press.store.editions.finish(
        edition_id,
        made.state,
        subject=digest.subject,
        digest=digest,
        post_ids=[post.id for post in edition.posts],
        why=made.why,
        now=now,
    )


def _finish_leftovers(press: Press, posts: Sequence[Post], now: datetime) -> ComposeReport:
    """Editions whose maker died between deciding and writing: made anew from the posts that were chosen."""
    report = ComposeReport()
    for left in press.store.editions.unfinished():
        newsletter = press.settings.newsletters.get(left.slot.newsletter)
        if newsletter and left.window:
            report += _finish(press, newsletter, left, left.window, posts, now)
    return report


def _finish(
    press: Press,
    newsletter: NewsletterSettings,
    left: StoredEdition,
    window: Window,
    posts: Sequence[Post],
    now: datetime,
) -> ComposeReport:
    by_id = {post.id: post for post in posts}
    found = [by_id[post_id] for post_id in left.post_ids if post_id in by_id]
    if not found:
        press.store.editions.cancel(left.id, now, "its posts are gone from posts/")
        return ComposeReport()
    until = left.send_by or send_by(newsletter, press.settings.zone(newsletter), left.slot)
    made = rendered(press, newsletter, left.slot, window, found)
    finished = composed(press, newsletter, made, until, now)
    _keep(press, newsletter, left.id, finished, now)
    return ComposeReport(editions=(finished,))
