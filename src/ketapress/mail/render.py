"""An edition and the settings become the values of the templates, and those a document.

In: an edition, the settings, `fill`, and what stands for the reader: marks in a letter, nothing on the web. Out: HTML
before its styles are inlined, and the text part. What a client can show of a post is `fragment`'s matter, wording is
`words`', and no byte of mail is made here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ketapress.i18n.mail_messages import Words, words
from ketapress.mail.body.bidi import written_direction
from ketapress.mail.body.dom import seeming_host, writable
from ketapress.mail.body.images import is_drawn
from ketapress.mail.body.mail_html import Frame, mail_fragment
from ketapress.mail.body.plaintext import fragment_text
from ketapress.mail.body.wrap import WIDTH, WORD_JOINER, underlined, unmistakable, wrapped
from ketapress.mail.mime.headers import cleaned
from ketapress.mail.theme import colours, fonts
from ketapress.mail.tokens import edition_url
from ketapress.model.edition import Display, Edition, Item
from ketapress.model.language import direction
from ketapress.model.post import Image, Post
from ketapress.model.renderer import Fill
from ketapress.model.settings import NewsletterSettings, Settings

COLUMN = 520  # CSS pixels: the sheet's 600 less its margins
_PREHEADER = 140  # characters; clients show 35 to 150
_SIDES = {"ltr": "left", "rtl": "right"}

Reader = Mapping[str, str]
"""What differs for each subscriber, by name: `unsubscribe_url`, `preferences_url`, `address`."""


class Article(NamedTuple):
    """One post as the templates show it. `body` is HTML or text; `heading` and `entry` are for the text part."""

    anchor: str
    title: str
    url: str
    date: datetime
    lang: str
    dir: str
    start: str
    display: str
    summary: str
    authors: tuple[str, ...]
    kicker: str
    image: Image | None
    body: str = ""
    heading: str = ""
    entry: str = ""


class Issue(NamedTuple):
    """All that a document is made from."""

    edition: Edition
    settings: Settings
    newsletter: NewsletterSettings
    subject: str

    @property
    def words(self) -> Words:
        return words(self.settings.site.language)

    @property
    def web_url(self) -> str:
        return edition_url(self.settings, self.edition.slot)


def html_document(issue: Issue, reader: Reader | None, fill: Fill) -> str:
    """The HTML part, or (without a reader) the page of the archive, with its styles in two `<style>` blocks."""
    values = _values(issue, reader)
    values["posts"] = [
        _html_article(issue, number, item) for number, item in enumerate(issue.edition.items, start=1)
    ]
    values["more"] = [{**each, "title": _worded(each["title"])} for each in values["more"]]
    values["preheader"] = _preheader(issue)
    values["colours"] = colours(issue.settings.site.accent, issue.newsletter.theme)
    values["fonts"] = fonts(issue.settings.site.language, issue.newsletter.font)
    return writable(fill(f"mail/{issue.newsletter.theme}.html", values))


def text_document(issue: Issue, reader: Reader, fill: Fill) -> str:
    """The plain text part: lines of at most 76 columns, but for addresses."""
    values = _values(issue, reader)
    values["title"] = "\n".join(underlined(issue.newsletter.title, "="))
    values["contents"] = "\n".join(underlined(issue.words.in_this_issue, "-"))
    values["why"] = "\n".join(wrapped(values["why"]))
    values["posts"] = [
        _text_article(issue, number, item) for number, item in enumerate(issue.edition.items, start=1)
    ]
    return unmistakable(writable(fill("mail/digest.txt", values)))


def _values(issue: Issue, reader: Reader | None) -> dict[str, Any]:
    """What both parts know."""
    site, language = issue.settings.site, issue.words
    way = direction(site.language)
    about = language.because if reader else language.this_is_web
    return {
        "lang": site.language,
        "dir": way,
        "start": _SIDES[way],
        "subject": issue.subject,
        "site": site,
        "newsletter": issue.newsletter,
        "issue_day": _issue_day(issue),
        "words": language,
        "more": [_linked(issue, post) for post in issue.edition.more],
        "more_line": language.more.format(count=len(issue.edition.more)),
        "web_url": issue.web_url,
        "site_url": issue.settings.page(""),
        "reader": reader,
        "why": about.format(newsletter=issue.newsletter.title, **(reader or {})),
    }


def _issue_day(issue: Issue) -> datetime:
    """Noon of the slot's civil day, which is counted in the newsletter's zone, in the site's, in which days are written."""
    day = datetime.strptime(issue.edition.slot.key, "%Y-%m-%dT%H%M")  # noqa: DTZ007 - the zone is the next line's matter
    return day.replace(hour=12, minute=0, tzinfo=ZoneInfo(issue.settings.site.timezone))


def _linked(issue: Issue, post: Post) -> dict[str, str]:
    return {"title": post.title, "url": issue.settings.page(post.url)}


def _html_article(issue: Issue, number: int, item: Item) -> Article:
    body = _body(issue, number, item.post) if item.display is Display.FULL else ""
    article = _article(issue, number, item)
    return article._replace(title=_worded(article.title), body=body)


def _worded(title: str) -> str:
    """A title as a link may show it: one that reads as a host, as `Next.js` does, gets a word joiner behind its dot.

    To filters a link that reads as one host and leads to another is phishing; nobody sees the joiner.
    """
    return title.replace(".", f".{WORD_JOINER}", 1) if seeming_host(title) else title


def _text_article(issue: Issue, number: int, item: Item) -> Article:
    post = item.post
    body = ""
    if item.display is Display.FULL:
        body = fragment_text(_body(issue, number, post), links=issue.words.links)
    elif item.display is Display.EXCERPT:
        body = "\n".join(wrapped(post.summary))
    article = _article(issue, number, item)
    first, *others = wrapped(article.title, WIDTH - 4)
    entry = "\n".join([f"{number:2}. {first}", *(f"    {line}" for line in others)])
    return article._replace(body=body, heading="\n".join(underlined(article.title, "=")), entry=entry)


def _article(issue: Issue, number: int, item: Item) -> Article:
    post = item.post
    way = _direction(issue, post)
    return Article(
        anchor=anchor(number),
        title=cleaned(post.title),
        url=issue.settings.page(post.url),
        date=post.date,
        lang=post.lang or issue.settings.site.language,
        dir=way,
        start=_SIDES[way],
        display=item.display.value,
        summary=cleaned(post.summary),
        authors=tuple(map(cleaned, post.authors)),
        kicker=cleaned(post.tags[0]) if post.tags else "",
        image=_picture(post, item.display),
    )


def anchor(number: int) -> str:
    """The id of a post in its letter."""
    return f"p{number}"


def _body(issue: Issue, number: int, post: Post) -> str:
    frame = Frame(
        prefix=anchor(number),
        page=issue.settings.page(post.url),
        direction=_direction(issue, post),
        width=COLUMN,
        words=issue.words,
    )
    return mail_fragment(post.html, frame)


def _direction(issue: Issue, post: Post) -> str:
    """As the post says, else as its language runs, else as its letters do."""
    if post.dir in _SIDES:
        return post.dir
    if post.lang:
        return direction(post.lang)
    return written_direction(post.title + post.summary) or direction(issue.settings.site.language)


def _picture(post: Post, display: Display) -> Image | None:
    """The post's picture as it is shown above the text: not twice, not wider than the text, never without a name."""
    image = post.image
    if image is None or not is_drawn(image.url) or (display is Display.FULL and image.url in post.html):
        return None
    width = min(image.width or COLUMN, COLUMN)
    height = round(image.height * width / image.width) if image.height and image.width else None
    return image._replace(alt=cleaned(image.alt or post.title), width=width, height=height)


def _preheader(issue: Issue) -> str:
    """What a list of messages shows behind the subject: the first summary, then titles, up to a whole word."""
    first, *others = [item.post for item in issue.edition.items]
    text = cleaned(
        " · ".join([first.summary, *(post.title for post in others), issue.settings.site.description])
    )
    if len(text) <= _PREHEADER:
        return text.rstrip(" ·")
    head, _, _ = text[:_PREHEADER].rpartition(" ")
    return f"{head or text[:_PREHEADER]}…"
