"""Everything that is wrong with a publication, in one list: posts, templates, and settings that fit badly together."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from ketapress.check.queue import coming_edition
from ketapress.check.site_lint import clashing_addresses, missing_pictures, unused_templates
from ketapress.compose import Composed, Press, composed, rendered
from ketapress.editions.slots import slot_at
from ketapress.feeds.formats import FORMATS
from ketapress.i18n.dates import Days
from ketapress.model.edition import Window
from ketapress.model.errors import KetapressError, Problem, Severity
from ketapress.model.output import Keys
from ketapress.model.post import Post, visible_posts
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.posts.source.attachments import attached
from ketapress.settings.loader import NAME
from ketapress.site.pages import site_pages
from ketapress.templates.sources import has_own

_ENOUGH = 4  # posts: with more than three a letter has a list of contents, too


def faults(
    press: Press, posts: Sequence[Post], problems: Iterable[Problem], now: datetime
) -> tuple[Problem, ...]:
    """The problems of the posts, of the settings, and of making the next edition of each newsletter."""
    found = [*problems, *unwise_settings(press.settings), *unused_templates(press.root)]
    shown = visible_posts(posts, now)
    beside = attached(press.root / "posts", (path for post in shown for path in post.files))
    found += [
        *beside.problems,
        *clashing_addresses(shown),
        *missing_pictures(press.root, press.settings.site.url, shown),
    ]
    for newsletter in press.settings.newsletters.values():
        try:
            coming = coming_edition(press, newsletter, posts, now) or _trial(press, newsletter, posts, now)
            wrong = coming.problems if coming else ()
        except KetapressError as error:
            wrong = error.problems
        found.extend(problem for problem in wrong if problem not in found)
    if has_own(press.root, "archive"):
        found.extend(problem for problem in _page_faults(press, posts, now) if problem not in found)
    return tuple(found)


def _page_faults(press: Press, posts: Sequence[Post], now: datetime) -> Iterator[Problem]:
    """What is wrong with the templates of the archive, as the newest posts and editions show it."""
    newest, editions = visible_posts(posts, now)[:_ENOUGH], press.store.editions.public()[:_ENOUGH]
    site = press.settings.site
    days = Days(site.timezone, site.language)
    pages = site_pages(newest, editions, press.settings, FORMATS, press.templates, Keys(""), days)
    try:
        for page in pages:
            page.make()
    except KetapressError as error:  # one is enough: what pages share would be told with each of them
        yield from error.problems


def _trial(
    press: Press, newsletter: NewsletterSettings, posts: Sequence[Post], now: datetime
) -> Composed | None:
    """An edition of the newest posts, to try the templates of mail where none is coming."""
    newest = visible_posts(posts, now)[:_ENOUGH]
    if not newest:
        return None
    slot = slot_at(newsletter.name, press.settings.zone(newsletter), now)
    made = rendered(press, newsletter, slot, Window(slot.at, slot.at), newest)
    return composed(press, newsletter, made, slot.at, slot.at)


def unwise_settings(settings: Settings) -> tuple[Problem, ...]:
    """Settings that are valid and will still disappoint somebody."""
    found = [_unread(each) for each in settings.newsletters.values() if _is_unread(each)]
    if settings.newsletters and not settings.site.postal_address:
        found.append(
            _warning(
                "settings.postal-address",
                "`site.postal_address` is not set; the law of many countries asks for it in mail.",
                "Set it to where a letter reaches you.",
            )
        )
    if not settings.relay.url.local and not settings.web.url.startswith("https://"):
        found.append(
            _warning(
                "settings.web-url",
                "`web.url` is not an https address, so `send` to this relay is refused: the links in the mail would be dead.",
                'Set [web] url = "https://…" to where the web door is reached.',
            )
        )
    return tuple(found)


def _is_unread(newsletter: NewsletterSettings) -> bool:
    return newsletter.sender.address.partition("@")[0].lower() in {"noreply", "no-reply", "donotreply"}


def _unread(newsletter: NewsletterSettings) -> Problem:
    return _warning(
        "settings.noreply",
        f"newsletter `{newsletter.name}` is sent from {newsletter.sender.address}: answers are lost, and filters dislike it.",
        "Send from an address that somebody reads.",
    )


def _warning(code: str, message: str, cure: str) -> Problem:
    return Problem(code=code, severity=Severity.WARNING, path=NAME, message=message, cure=cure)
