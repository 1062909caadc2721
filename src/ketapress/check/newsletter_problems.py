"""Find newsletters whose settings stopped meaning what they meant: gone, without posts, without a slot, another sender."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from ketapress.editions.slots import find_next_slot
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.errors import Problem, Severity
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.model.subscriber import SubscriptionState
from ketapress.model.suggestions import closest_name
from ketapress.model.tags import has_tag
from ketapress.settings.loader import SETTINGS_FILE
from ketapress.store.overview import StoreOverview

_SENT_STATES = (EditionState.SENDING, EditionState.DONE)


def newsletter_problems(
    settings: Settings,
    overview: StoreOverview | None,
    find_sender_domain: Callable[[StoredEdition], str],
    posts: Sequence[Post],
    now: datetime,
) -> tuple[Problem, ...]:
    """Return what is wrong with newsletters, seen from their subscribers, posts and editions.

    `overview` is None where there is no database yet. `find_sender_domain` returns the domain that an edition was sent from, or an empty string where that is not known.
    """
    problems = list(_lost_newsletters(settings, overview)) if overview else []
    for newsletter in settings.newsletters.values():
        problems += _selection_problems(newsletter, posts)
        zone = settings.newsletter_zone(newsletter)
        if find_next_slot(newsletter.name, newsletter.schedule.cron, zone, now) is None:
            problems.append(
                _problem(
                    "settings.no-slot",
                    f"`newsletters.{newsletter.name}.schedule` ({newsletter.schedule.text}) names no send time in the next "
                    "eight years, so nothing is ever sent.",
                    f"Correct it; `ketapress queue` then shows the next one. `ketapress compose {newsletter.name} --now` "
                    "composes an edition without a schedule.",
                )
            )
        if overview:
            problems += _sender_problems(newsletter, overview, find_sender_domain)
    return tuple(problems)


def _lost_newsletters(settings: Settings, overview: StoreOverview) -> Iterator[Problem]:
    """Yield the newsletters that have active subscribers and are not in the settings."""
    for (name, state), count in sorted(overview.subscription_counts.items()):
        if state is SubscriptionState.ACTIVE and name not in settings.newsletters:
            known = ", ".join(f"`{known_name}`" for known_name in settings.newsletters) or "no newsletter"
            yield _problem(
                "settings.newsletter-gone",
                f"{count:,} {'person is' if count == 1 else 'people are'} subscribed to `{name}`, but {SETTINGS_FILE} has "
                f"{known}, so {'that person gets' if count == 1 else 'they get'} no mail.",
                f"If it was renamed, give [newsletters.{name}] its name back. If it has ended, "
                f"`ketapress subscribers export --newsletter {name}` lists them, and `ketapress subscribers remove ADDRESS "
                f"--newsletter {name}` ends a subscription.",
            )


def _selection_problems(newsletter: NewsletterSettings, posts: Sequence[Post]) -> Iterator[Problem]:
    """Yield the problem of a selection that not one of the posts matches, be it a draft or a coming one."""
    if not newsletter.tags or not posts or any(has_tag(post.tags, newsletter.tags) for post in posts):
        return
    used_names = sorted({name for post in posts for name in post.tags})
    suggestions = [name for tag in newsletter.tags if (name := closest_name(tag, used_names))]
    names = ", ".join(f"`{tag}`" for tag in newsletter.tags)
    yield _problem(
        "settings.no-match",
        f"`newsletters.{newsletter.name}.tags` selects no post: none of {len(posts):,} has {names}.",
        f"Did you mean {', '.join(f'`{name}`' for name in suggestions)}?"
        if suggestions
        else "Correct it, or add the tag to a post; `ketapress queue` shows which newsletters each coming post is in.",
    )


def _sender_problems(
    newsletter: NewsletterSettings,
    overview: StoreOverview,
    find_sender_domain: Callable[[StoredEdition], str],
) -> Iterator[Problem]:
    """Yield a warning where the last edition that was sent came from another domain."""
    for edition in overview.editions:
        if edition.slot.newsletter == newsletter.name and edition.state in _SENT_STATES:
            domain = find_sender_domain(edition)
            if domain and domain != newsletter.sender.domain:
                yield _problem(
                    "settings.sender-changed",
                    f"{newsletter.name} is now sent from {newsletter.sender.domain}; {edition.slot.edition} came from "
                    f"{domain}. Mail programs file it as another list, and filters know nothing about the new domain.",
                    "`ketapress doctor` checks its SPF, DKIM and DMARC; set `relay.warm_up` if it never sent mail. "
                    "The warning ends with the next edition.",
                )._replace(severity=Severity.WARNING, needs_answer=False)
            return


def _problem(code: str, message: str, cure: str) -> Problem:
    return Problem(
        code=code,
        severity=Severity.WARNING,
        needs_answer=True,
        path=SETTINGS_FILE,
        message=message,
        cure=cure,
    )
