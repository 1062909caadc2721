"""Find newsletters that are missing from the settings, match no post, have no send time, or changed their sender."""

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
    """Return the problems of newsletters, in view of their subscribers, posts and editions.

    `overview` is None where there is no database yet. `find_sender_domain` returns the domain from which an edition was
    sent, or an empty string if it is not known.
    """
    problems = list(_lost_newsletters(settings, overview)) if overview else []
    for newsletter in settings.newsletters.values():
        problems += _selection_problems(newsletter, posts)
        zone = settings.newsletter_zone(newsletter)
        if find_next_slot(newsletter.name, newsletter.schedule.cron, zone, now) is None:
            problems.append(
                _problem(
                    "settings.no-slot",
                    f"`newsletters.{newsletter.name}.schedule` ({newsletter.schedule.text}) has no send time in the next "
                    "eight years, so nothing is sent.",
                    f"Correct it; `ketapress queue` then shows the next one. `ketapress compose {newsletter.name} --now` "
                    "composes an edition without a schedule.",
                )
            )
        if overview:
            problems += _sender_problems(newsletter, overview, find_sender_domain)
    return tuple(problems)


def _lost_newsletters(settings: Settings, overview: StoreOverview) -> Iterator[Problem]:
    """Yield a problem for each newsletter that has active subscribers and is not in the settings."""
    for (name, state), count in sorted(overview.subscription_counts.items()):
        if state is SubscriptionState.ACTIVE and name not in settings.newsletters:
            names = ", ".join(f"`{newsletter}`" for newsletter in settings.newsletters) or "no newsletter"
            yield _problem(
                "settings.newsletter-gone",
                f"{count:,} {'subscriber of' if count == 1 else 'subscribers of'} `{name}` will get no mail, because it is "
                f"not in {SETTINGS_FILE}, which has {names}.",
                f"If you renamed the newsletter, change its name back to [newsletters.{name}]. If it has ended, "
                f"`ketapress subscribers export --newsletter {name}` lists them, and `ketapress subscribers remove ADDRESS "
                f"--newsletter {name}` ends a subscription.",
            )


def _selection_problems(newsletter: NewsletterSettings, posts: Sequence[Post]) -> Iterator[Problem]:
    """Yield a problem if no post has one of the tags of a newsletter; drafts and future posts count."""
    if not newsletter.tags or not posts or any(has_tag(post.tags, newsletter.tags) for post in posts):
        return
    used_names = sorted({name for post in posts for name in post.tags})
    suggestions = [name for tag in newsletter.tags if (name := closest_name(tag, used_names))]
    names = ", ".join(f"`{tag}`" for tag in newsletter.tags)
    yield _problem(
        "settings.no-match",
        f"`newsletters.{newsletter.name}.tags` selects no post: none of the {len(posts):,} posts has {names}.",
        f"Did you mean {', '.join(f'`{name}`' for name in suggestions)}?"
        if suggestions
        else "Correct it, or add the tag to a post; `ketapress queue` shows the newsletters of each future post.",
    )


def _sender_problems(
    newsletter: NewsletterSettings,
    overview: StoreOverview,
    find_sender_domain: Callable[[StoredEdition], str],
) -> Iterator[Problem]:
    """Yield a warning if the last edition was sent from another domain."""
    for edition in overview.editions:
        if edition.slot.newsletter == newsletter.name and edition.state in _SENT_STATES:
            domain = find_sender_domain(edition)
            if domain and domain != newsletter.sender.domain:
                yield _problem(
                    "settings.sender-changed",
                    f"{newsletter.name} is now sent from {newsletter.sender.domain}; {edition.slot.edition} came from "
                    f"{domain}. Mail programs treat it as another list, and spam filters do not know the new domain.",
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
