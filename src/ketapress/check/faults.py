"""Everything that is wrong with a publication, in one list: posts, templates, and settings that fit badly together."""

from collections.abc import Iterable
from datetime import datetime

from ketapress.check.queue import coming_editions
from ketapress.compose import Press
from ketapress.model.errors import KetapressError, Problem, Severity
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.settings.file import NAME


def faults(
    press: Press, posts: Iterable[Post], problems: Iterable[Problem], now: datetime
) -> tuple[Problem, ...]:
    """The problems of the posts, then those of the settings, then what making the next edition runs into."""
    found = [*problems, *unwise_settings(press.settings)]
    try:
        for _ in coming_editions(press, tuple(posts), now):
            pass
    except KetapressError as error:
        found.extend(error.problems)
    return tuple(found)


def unwise_settings(settings: Settings) -> tuple[Problem, ...]:
    """Settings that are valid and will still disappoint somebody."""
    found = [
        problem for newsletter in settings.newsletters.values() for problem in _unwise(newsletter, settings)
    ]
    if not settings.relay.url.local and not settings.web.url.startswith("https://"):
        found.append(
            _warning(
                "settings.web-url",
                "`web.url` is not an https address, so `send` to this relay is refused: the links in the mail would be dead.",
                'Set [web] url = "https://…" to where the web door is reached.',
            )
        )
    return tuple(found)


def _unwise(newsletter: NewsletterSettings, settings: Settings) -> list[Problem]:
    found = []
    if not settings.site.postal_address:
        found.append(
            _warning(
                "settings.postal-address",
                "`site.postal_address` is not set; the law of many countries asks for it in mail.",
                "Set it to where a letter reaches you.",
            )
        )
    if newsletter.sender.address.partition("@")[0].lower() in {"noreply", "no-reply", "donotreply"}:
        found.append(
            _warning(
                "settings.noreply",
                f"newsletter `{newsletter.name}` is sent from {newsletter.sender.address}: answers are lost, and filters dislike it.",
                "Send from an address that somebody reads.",
            )
        )
    return found


def _warning(code: str, message: str, cure: str) -> Problem:
    return Problem(code=code, severity=Severity.WARNING, path=NAME, message=message, cure=cure)
