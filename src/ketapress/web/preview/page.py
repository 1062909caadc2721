"""What the preview's page says, as values for its template: plain words, times in the newsletter's zone, shares of limits.

In: what is shown and the name of one newsletter. Out: a mapping for `preview/page.html`. Nothing is escaped here: the
template does that for everything it is given.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ketapress.check.explain import EditionExplanation
from ketapress.check.preview import Preview, UpcomingEdition
from ketapress.mail.lint.styles import GMAIL_STYLE_LIMIT
from ketapress.model.edition import Edition, EditionState, StoredEdition
from ketapress.model.errors import Problem, Severity
from ketapress.web.preview.renditions import Parts, parts
from ketapress.web.preview.watch import Shown

FRAMES = (
    ("Phone", "light", "phone"),
    ("Desktop", "light", "desktop"),
    ("Phone, dark", "dark", "phone"),
    ("Desktop, dark", "dark", "desktop"),
    ("Images off", "without-pictures", "phone"),
    ("Style sheet removed", "without-styles", "desktop"),
)
"""Title, copy and width of each frame, in the order of the page: two a row where there is room."""

_MOST_LEFT_OUT = 30  # posts by name: an archive of ten thousand would bury the page
_STYLE = re.compile(rb"<style\b.*?</style>", re.IGNORECASE | re.DOTALL)
_READY = "the first send after its slot takes it"


def page_values(shown: Shown, name: str | None) -> dict[str, Any]:
    """All that the page of a newsletter knows; without a name, what is wrong, and nothing else."""
    found = shown.previews.get(name) if name else None
    zone = ZoneInfo(found.zone) if found else shown.made.at.tzinfo
    return {
        "number": shown.number,
        "site": shown.made.site,
        "made_at": f"{shown.made.at.astimezone(zone):%H:%M:%S %Z}",
        "names": tuple(shown.made.names or shown.previews),
        "name": name,
        "stale": name in shown.stale,
        "title": found.newsletter.title if found else "",
        "problems": [_problem(each) for each in _ordered(_problems(shown, found))],
        "unsent": [_unsent(each) for each in found.unsent_editions] if found else [],
        "edition": _edition(found, found.upcoming) if found and found.upcoming else None,
        "frames": FRAMES,
    }


def _problems(shown: Shown, found: Preview | None) -> tuple[Problem, ...]:
    """Those of the try, and of the letter that is shown."""
    return shown.made.problems + (
        found.upcoming.composed_edition.problems if found and found.upcoming else ()
    )


def _ordered(problems: Sequence[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda each: each.severity is not Severity.ERROR)


def _problem(problem: Problem) -> dict[str, str]:
    return {
        "severity": str(problem.severity),
        "where": problem.where,
        "message": problem.message,
        "cure": problem.cure,
    }


def _unsent(stored: StoredEdition) -> dict[str, str]:
    return {"edition": stored.slot.edition, "subject": stored.subject, "state": str(stored.state)}


def _edition(found: Preview, coming: UpcomingEdition) -> dict[str, Any]:
    made, slot, zone = coming.composed_edition, coming.composed_edition.edition.slot, ZoneInfo(found.zone)
    letter = parts(coming.sample_message)
    window = made.edition.window
    return {
        "edition": slot.edition,
        "subject": made.digest.subject,
        "at": _moment(slot.at, zone),
        "send_by": _moment(coming.send_deadline, zone),
        "window": (_moment(window.start, zone), _moment(window.end, zone)),
        "state": str(made.state),
        "why": _READY if made.state is EditionState.READY else made.reason,
        "sizes": list(_sizes(found, coming, letter)),
        "posts": list(_posts(made.edition)),
        "left_out": _left_out(coming.explanation),
        "headers": letter.headers,
        "text": letter.text,
        "source": coming.sample_message.decode("ascii", "backslashreplace").replace("\r\n", "\n"),
    }


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %d %b %Y, %H:%M %Z}"


def _posts(edition: Edition) -> Iterator[dict[str, str]]:
    for item in edition.items:
        yield {"title": item.post.title, "path": item.post.path, "display": str(item.display)}
    for post in edition.overflow:
        yield {"title": post.title, "path": post.path, "display": "only counted"}


def _left_out(reasons: EditionExplanation) -> dict[str, Any]:
    out = [each for each in reasons.post_explanations if not each.is_included]
    named = [
        {"title": each.post.title, "path": each.post.path, "why": each.reason}
        for each in out[:_MOST_LEFT_OUT]
    ]
    return {"posts": named, "others": len(out) - len(named)}


def _sizes(found: Preview, coming: UpcomingEdition, letter: Parts) -> Iterator[dict[str, Any]]:
    """Each part in bytes, and its limit where it has one."""
    sizes = coming.composed_edition.digest.sizes
    page = letter.html.encode()
    yield _size(
        "HTML part", sizes["html"], found.newsletter.max_bytes, "The limit is max_bytes of the newsletter."
    )
    yield _size(
        "Style sheets in it",
        sum(map(len, _STYLE.findall(page))),
        GMAIL_STYLE_LIMIT,
        "Gmail drops them beyond that.",
    )
    yield _size("Text part", sizes["text"])
    yield _size("Whole message", sizes["message"])


def _size(what: str, size: int, most: int | None = None, limit: str = "") -> dict[str, Any]:
    return {
        "what": what,
        "limit": limit,
        "share": min(round(100 * size / most), 100) if most else None,
        "told": f"{size:,} of {most:,} bytes ({size / most:.0%})" if most else f"{size:,} bytes",
    }
