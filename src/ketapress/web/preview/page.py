"""The values of the template `preview/page.html`: times in the newsletter's zone, sizes as shares of their limits.

The template escapes everything; nothing is escaped here.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ketapress.check.explain import EditionExplanation
from ketapress.check.preview import Preview, UpcomingEdition
from ketapress.mail.lint.styles import GMAIL_STYLE_LIMIT
from ketapress.model.edition import Edition, EditionState
from ketapress.model.errors import Problem, Severity
from ketapress.web.preview.renditions import MessageParts, split_message
from ketapress.web.preview.watch import PreviewState

FRAMES = (
    ("Phone", "light", "phone"),
    ("Desktop", "light", "desktop"),
    ("Phone, dark", "dark", "phone"),
    ("Desktop, dark", "dark", "desktop"),
    ("Images off", "without-pictures", "phone"),
    ("Style sheet removed", "without-styles", "desktop"),
)
"""Title, rendition and width of each frame, in the order of the page."""

_MAX_EXCLUDED_POSTS = 30  # named on the page: an archive of ten thousand would hide the rest of it
_STYLE = re.compile(rb"<style\b.*?</style>", re.IGNORECASE | re.DOTALL)
_READY_REASON = "the first send after its send time delivers it"


def build_page_values(state: PreviewState, name: str | None) -> dict[str, Any]:
    """Return the values for the page of a newsletter; without a name, only the problems."""
    preview = state.previews.get(name) if name else None
    upcoming = preview.upcoming if preview else None
    zone = ZoneInfo(preview.zone) if preview else state.attempt.created_at.tzinfo
    problems = state.attempt.problems + (upcoming.composed_edition.problems if upcoming else ())
    return {
        "number": state.number,
        "site": state.attempt.site_title,
        "made_at": f"{state.attempt.created_at.astimezone(zone):%H:%M:%S %Z}",
        "names": tuple(state.attempt.newsletter_names or state.previews),
        "name": name,
        "stale": name in state.stale_names,
        "title": preview.newsletter.title if preview else "",
        "problems": [
            _convert_problem(problem)
            for problem in sorted(problems, key=lambda problem: problem.severity is not Severity.ERROR)
        ],
        "unsent": [
            {"edition": edition.slot.edition, "subject": edition.subject, "state": str(edition.state)}
            for edition in (preview.unsent_editions if preview else ())
        ],
        "edition": _build_edition_values(preview, upcoming) if preview and upcoming else None,
        "frames": FRAMES,
    }


def _convert_problem(problem: Problem) -> dict[str, str]:
    return {
        "severity": str(problem.severity),
        "where": problem.where,
        "message": problem.message,
        "cure": problem.cure,
    }


def _build_edition_values(preview: Preview, upcoming: UpcomingEdition) -> dict[str, Any]:
    composed, zone = upcoming.composed_edition, ZoneInfo(preview.zone)
    parts = split_message(upcoming.sample_message)
    window = composed.edition.window
    return {
        "edition": composed.edition.slot.edition,
        "subject": composed.digest.subject,
        "at": _format_moment(composed.edition.slot.at, zone),
        "send_by": _format_moment(upcoming.send_deadline, zone),
        "window": (_format_moment(window.start, zone), _format_moment(window.end, zone)),
        "state": str(composed.state),
        "why": _READY_REASON if composed.state is EditionState.READY else composed.reason,
        "sizes": list(_list_sizes(preview, upcoming, parts)),
        "posts": list(_list_posts(composed.edition)),
        "left_out": _list_excluded_posts(upcoming.explanation),
        "headers": parts.headers,
        "text": parts.text,
        "source": upcoming.sample_message.decode("ascii", "backslashreplace").replace("\r\n", "\n"),
    }


def _format_moment(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %d %b %Y, %H:%M %Z}"


def _list_posts(edition: Edition) -> Iterator[dict[str, str]]:
    for item in edition.items:
        yield {"title": item.post.title, "path": item.post.path, "display": str(item.display)}
    for post in edition.overflow:
        yield {"title": post.title, "path": post.path, "display": "only counted"}


def _list_excluded_posts(explanation: EditionExplanation) -> dict[str, Any]:
    excluded = [entry for entry in explanation.post_explanations if not entry.is_included]
    posts = [
        {"title": entry.post.title, "path": entry.post.path, "why": entry.reason}
        for entry in excluded[:_MAX_EXCLUDED_POSTS]
    ]
    return {"posts": posts, "others": len(excluded) - len(posts)}


def _list_sizes(preview: Preview, upcoming: UpcomingEdition, parts: MessageParts) -> Iterator[dict[str, Any]]:
    """Yield each part with its size in bytes, and its limit where it has one."""
    sizes = upcoming.composed_edition.digest.sizes
    max_bytes = preview.newsletter.max_bytes
    style_size = sum(map(len, _STYLE.findall(parts.html.encode())))
    yield _build_size("HTML part", sizes["html"], max_bytes, "The limit is the newsletter's max_bytes.")
    yield _build_size("Style sheets", style_size, GMAIL_STYLE_LIMIT, "Gmail drops larger ones.")
    yield _build_size("Text part", sizes["text"])
    yield _build_size("Whole message", sizes["message"])


def _build_size(name: str, size: int, limit: int | None = None, explanation: str = "") -> dict[str, Any]:
    return {
        "what": name,
        "limit": explanation,
        "share": min(round(100 * size / limit), 100) if limit else None,
        "told": f"{size:,} of {limit:,} bytes ({size / limit:.0%})" if limit else f"{size:,} bytes",
    }
