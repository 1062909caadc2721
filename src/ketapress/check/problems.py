"""Everything that is wrong with a publication, in one list: posts, templates, and settings that fit badly together."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from ketapress.check.queue import compose_next_edition
from ketapress.check.site_lint import alias_conflicts, missing_images, unused_templates
from ketapress.compose import ComposeContext, ComposedEdition, render_edition, with_initial_state
from ketapress.editions.slots import minute_slot
from ketapress.feeds.formats import FORMATS
from ketapress.i18n.dates import DateFormatter
from ketapress.model.build_target import Fingerprints
from ketapress.model.edition import Window
from ketapress.model.errors import KetapressError, Problem, Severity
from ketapress.model.post import Post, visible_posts
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.posts.source.attachments import find_attachments
from ketapress.settings.loader import SETTINGS_FILE
from ketapress.site.pages import site_targets
from ketapress.templates.sources import has_overrides

_SAMPLE_SIZE = 4  # posts: with more than three a letter has a list of contents, too


def collect_problems(
    context: ComposeContext, posts: Sequence[Post], post_problems: Iterable[Problem], now: datetime
) -> tuple[Problem, ...]:
    """The problems of the posts, of the settings, and of making the next edition of each newsletter."""
    all_problems = [*post_problems, *settings_warnings(context.settings), *unused_templates(context.root)]
    public_posts = visible_posts(posts, now)
    attachments = find_attachments(
        context.root / "posts", (path for post in public_posts for path in post.files)
    )
    all_problems += [
        *attachments.problems,
        *alias_conflicts(public_posts),
        *missing_images(context.root, context.settings.site.url, public_posts),
    ]
    for newsletter in context.settings.newsletters.values():
        try:
            edition = compose_next_edition(context, newsletter, posts, now) or _trial_edition(
                context, newsletter, posts, now
            )
            newsletter_problems = edition.problems if edition else ()
        except KetapressError as error:
            newsletter_problems = error.problems
        all_problems.extend(problem for problem in newsletter_problems if problem not in all_problems)
    if has_overrides(context.root, "archive"):
        all_problems.extend(
            problem for problem in _page_problems(context, posts, now) if problem not in all_problems
        )
    return tuple(all_problems)


def _page_problems(context: ComposeContext, posts: Sequence[Post], now: datetime) -> Iterator[Problem]:
    """What is wrong with the templates of the archive, as the newest posts and editions show it."""
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
    except KetapressError as error:  # one is enough: what pages share would be told with each of them
        yield from error.problems


def _trial_edition(
    context: ComposeContext, newsletter: NewsletterSettings, posts: Sequence[Post], now: datetime
) -> ComposedEdition | None:
    """An edition of the newest posts, to try the templates of mail where none is coming."""
    newest_posts = visible_posts(posts, now)[:_SAMPLE_SIZE]
    if not newest_posts:
        return None
    slot = minute_slot(newsletter.name, context.settings.newsletter_zone(newsletter), now)
    edition = render_edition(context, newsletter, slot, Window(slot.at, slot.at), newest_posts)
    return with_initial_state(context, newsletter, edition, slot.at, slot.at)


def settings_warnings(settings: Settings) -> tuple[Problem, ...]:
    """Settings that are valid and will still disappoint somebody."""
    warnings = [
        _noreply_warning(newsletter)
        for newsletter in settings.newsletters.values()
        if _is_noreply(newsletter)
    ]
    if settings.newsletters and not settings.site.postal_address:
        warnings.append(
            _warning(
                "settings.postal-address",
                "`site.postal_address` is not set; the law of many countries asks for it in mail.",
                "Set it to where a letter reaches you.",
            )
        )
    if not settings.relay.url.is_local and not settings.web.url.startswith("https://"):
        warnings.append(
            _warning(
                "settings.web-url",
                "`web.url` is not an https address, so `send` to this relay is refused: the links in the mail would be dead.",
                'Set [web] url = "https://…" to where the web door is reached.',
            )
        )
    return tuple(warnings)


def _is_noreply(newsletter: NewsletterSettings) -> bool:
    return newsletter.sender.address.partition("@")[0].lower() in {"noreply", "no-reply", "donotreply"}


def _noreply_warning(newsletter: NewsletterSettings) -> Problem:
    return _warning(
        "settings.noreply",
        f"newsletter `{newsletter.name}` is sent from {newsletter.sender.address}: answers are lost, and filters dislike it.",
        "Send from an address that somebody reads.",
    )


def _warning(code: str, message: str, cure: str) -> Problem:
    return Problem(code=code, severity=Severity.WARNING, path=SETTINGS_FILE, message=message, cure=cure)
