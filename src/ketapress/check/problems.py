"""Collect the problems of a publication: of its posts, templates and settings, and of its next editions."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from ketapress.check.newsletter_problems import newsletter_problems
from ketapress.check.queue import compose_next_edition
from ketapress.check.site_lint import alias_conflicts, dead_links, missing_images, unused_templates
from ketapress.compose import ComposeContext, ComposedEdition, render_edition, with_initial_state
from ketapress.editions.slots import minute_slot
from ketapress.feeds.formats import FORMATS
from ketapress.i18n.dates import DateFormatter
from ketapress.model.build_target import Fingerprints
from ketapress.model.edition import Window
from ketapress.model.errors import KetapressError, Problem, Severity
from ketapress.model.post import Post, visible_posts
from ketapress.model.reserved import reserved_problem, reserved_settings
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.posts.source.attachments import find_attachments
from ketapress.settings.loader import SETTINGS_FILE
from ketapress.site.pages import site_targets
from ketapress.store.store import Store
from ketapress.templates.sources import has_overrides

_SAMPLE_SIZE = 4  # posts and editions; an edition of more than three posts has a table of contents


def collect_problems(
    context: ComposeContext, posts: Sequence[Post], post_problems: Iterable[Problem], now: datetime
) -> tuple[Problem, ...]:
    """Return the problems of posts, settings, attachments and templates, and of each newsletter's next edition."""
    all_problems = [
        *post_problems,
        *settings_warnings(context.settings),
        *reserved_problems(context.settings, context.store),
        *newsletter_problems(
            context.settings,
            context.store.read_overview(),
            lambda edition: context.store.editions.get_message_template(edition.id).sender_domain,
            posts,
            now,
        ),
        *unused_templates(context.root),
    ]
    public_posts = visible_posts(posts, now)
    attachments = find_attachments(
        context.root / "posts", (path for post in public_posts for path in post.files)
    )
    all_problems += [
        *attachments.problems,
        *alias_conflicts(public_posts),
        *missing_images(context.root, context.settings.site.url, public_posts),
        *dead_links(context.root, context.settings.site.url, public_posts),
    ]
    for newsletter in context.settings.newsletters.values():
        try:
            edition = compose_next_edition(context, newsletter, posts, now) or _trial_edition(
                context, newsletter, posts, now
            )
            edition_problems = edition.problems if edition else ()
        except KetapressError as error:
            edition_problems = error.problems
        all_problems.extend(problem for problem in edition_problems if problem not in all_problems)
    if has_overrides(context.root, "archive"):
        all_problems.extend(
            problem for problem in _page_problems(context, posts, now) if problem not in all_problems
        )
    return tuple(all_problems)


def _page_problems(context: ComposeContext, posts: Sequence[Post], now: datetime) -> Iterator[Problem]:
    """Yield the problems of the archive's templates, found by rendering pages of the newest posts and editions."""
    newest_posts, editions = (
        visible_posts(posts, now)[:_SAMPLE_SIZE],
        context.store.editions.list_public()[:_SAMPLE_SIZE],
    )
    site = context.settings.site
    days = DateFormatter(site.timezone, site.language)
    pages = site_targets(
        newest_posts, editions, context.settings, FORMATS, context.templates, Fingerprints(""), days
    )
    try:
        for page in pages:
            page.render()
    except KetapressError as error:  # the first is enough: other pages would repeat it
        yield from error.problems


def _trial_edition(
    context: ComposeContext, newsletter: NewsletterSettings, posts: Sequence[Post], now: datetime
) -> ComposedEdition | None:
    """Compose the newest posts, to test the mail templates where no edition is due."""
    newest_posts = visible_posts(posts, now)[:_SAMPLE_SIZE]
    if not newest_posts:
        return None
    slot = minute_slot(newsletter.name, context.settings.newsletter_zone(newsletter), now)
    edition = render_edition(context, newsletter, slot, Window(slot.at, slot.at), newest_posts)
    return with_initial_state(context, newsletter, edition, slot.at, slot.at)


def reserved_problems(settings: Settings, store: Store) -> Iterator[Problem]:
    """Yield a problem for each newsletter that has a reserved sender or site and real subscribers."""
    for newsletter in settings.newsletters.values():
        domains = reserved_settings(settings, newsletter)
        if domains and (address := store.subscribers.find_unreserved_address(newsletter.name)):
            yield reserved_problem(domains, newsletter.name, address)


def settings_warnings(settings: Settings) -> tuple[Problem, ...]:
    """Return warnings about valid settings that cause trouble."""
    warnings = [
        _warning(
            "settings.noreply",
            f"newsletter `{newsletter.name}` is sent from {newsletter.sender.address}: replies are lost, and filters "
            "distrust such addresses.",
            "Send from an address whose mail is read.",
        )
        for newsletter in settings.newsletters.values()
        if newsletter.sender.address.partition("@")[0].lower() in {"noreply", "no-reply", "donotreply"}
    ]
    if settings.newsletters and not settings.site.postal_address:
        warnings.append(
            _warning(
                "settings.postal-address",
                "`site.postal_address` is not set; many countries require a postal address in newsletters.",
                "Set it to your postal address.",
            )
        )
    if not settings.relay.url.is_local and not settings.web.url.startswith("https://"):
        warnings.append(
            _warning(
                "settings.web-url",
                "`web.url` is not an https URL, so `send` to this relay is refused: links in the mail would not work.",
                'Set [web] url = "https://…" to the public URL of the web server.',
            )
        )
    return tuple(warnings)


def _warning(code: str, message: str, cure: str) -> Problem:
    return Problem(code=code, severity=Severity.WARNING, path=SETTINGS_FILE, message=message, cure=cure)
