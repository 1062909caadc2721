"""An edition and the settings become the values of the templates, and those a document.

In: an edition, the settings, `fill`, and what stands for the reader: marks in a letter, nothing on the web. Out: HTML
before its styles are inlined, and the text part. What a client can show of a post is `fragment`'s matter, wording is
`words`', and no byte of mail is made here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ketapress.i18n.mail_messages import MailMessages, mail_messages
from ketapress.mail.body.bidi import detect_direction
from ketapress.mail.body.dom import apparent_host, remove_illegal_characters
from ketapress.mail.body.images import is_displayable
from ketapress.mail.body.mail_html import FragmentContext, to_mail_html
from ketapress.mail.body.plaintext import to_plain_text
from ketapress.mail.body.wrap import WIDTH, WORD_JOINER, neutralize_markup, underline, wrap_text
from ketapress.mail.mime.headers import clean_line
from ketapress.mail.theme import font_stacks, theme_colors
from ketapress.mail.tokens import edition_url
from ketapress.model.edition import Display, Edition, EditionItem
from ketapress.model.language import text_direction
from ketapress.model.post import Image, Post
from ketapress.model.renderer import Renderer
from ketapress.model.settings import NewsletterSettings, Settings

COLUMN_WIDTH = 520  # CSS pixels: the sheet's 600 less its margins
_PREHEADER_LENGTH = 140  # characters; clients show 35 to 150
_ALIGNMENTS = {"ltr": "left", "rtl": "right"}

MergeValues = Mapping[str, str]
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


class DigestContext(NamedTuple):
    """All that a document is made from."""

    edition: Edition
    settings: Settings
    newsletter: NewsletterSettings
    subject: str

    @property
    def messages(self) -> MailMessages:
        return mail_messages(self.settings.site.language)

    @property
    def web_url(self) -> str:
        return edition_url(self.settings, self.edition.slot)


def render_html(context: DigestContext, merge_values: MergeValues | None, render_template: Renderer) -> str:
    """The HTML part, or (without a reader) the page of the archive, with its styles in two `<style>` blocks."""
    values = _shared_values(context, merge_values)
    values["posts"] = [
        _html_article(context, number, item) for number, item in enumerate(context.edition.items, start=1)
    ]
    values["more"] = [{**link, "title": _break_host_lookalike(link["title"])} for link in values["more"]]
    values["preheader"] = _preheader(context)
    values["colours"] = theme_colors(context.settings.site.accent, context.newsletter.theme)
    values["fonts"] = font_stacks(context.settings.site.language, context.newsletter.font)
    return remove_illegal_characters(render_template(f"mail/{context.newsletter.theme}.html", values))


def render_text(context: DigestContext, merge_values: MergeValues, render_template: Renderer) -> str:
    """The plain text part: lines of at most 76 columns, but for addresses."""
    values = _shared_values(context, merge_values)
    values["title"] = "\n".join(underline(context.newsletter.title, "="))
    values["contents"] = "\n".join(underline(context.messages.in_this_issue, "-"))
    values["why"] = "\n".join(wrap_text(values["why"]))
    values["posts"] = [
        _text_article(context, number, item) for number, item in enumerate(context.edition.items, start=1)
    ]
    return neutralize_markup(remove_illegal_characters(render_template("mail/digest.txt", values)))


def _shared_values(context: DigestContext, merge_values: MergeValues | None) -> dict[str, Any]:
    """What both parts know."""
    site, messages = context.settings.site, context.messages
    site_direction = text_direction(site.language)
    reason = messages.because if merge_values else messages.this_is_web
    return {
        "lang": site.language,
        "dir": site_direction,
        "start": _ALIGNMENTS[site_direction],
        "subject": context.subject,
        "site": site,
        "newsletter": context.newsletter,
        "issue_day": _edition_day(context),
        "words": messages,
        "more": [_link_values(context, post) for post in context.edition.overflow],
        "more_line": messages.more.format(count=len(context.edition.overflow)),
        "web_url": context.web_url,
        "site_url": context.settings.page_url(""),
        "reader": merge_values,
        "why": reason.format(newsletter=context.newsletter.title, **(merge_values or {})),
    }


def _edition_day(context: DigestContext) -> datetime:
    """Noon of the slot's civil day, which is counted in the newsletter's zone, in the site's, in which days are written."""
    day = datetime.strptime(context.edition.slot.key, "%Y-%m-%dT%H%M")  # noqa: DTZ007 - the zone is the next line's matter
    return day.replace(hour=12, minute=0, tzinfo=ZoneInfo(context.settings.site.timezone))


def _link_values(context: DigestContext, post: Post) -> dict[str, str]:
    return {"title": post.title, "url": context.settings.page_url(post.url)}


def _html_article(context: DigestContext, number: int, item: EditionItem) -> Article:
    body = _mail_body(context, number, item.post) if item.display is Display.FULL else ""
    article = _article(context, number, item)
    return article._replace(title=_break_host_lookalike(article.title), body=body)


def _break_host_lookalike(title: str) -> str:
    """A title as a link may show it: one that reads as a host, as `Next.js` does, gets a word joiner behind its dot.

    To filters a link that reads as one host and leads to another is phishing; nobody sees the joiner.
    """
    return title.replace(".", f".{WORD_JOINER}", 1) if apparent_host(title) else title


def _text_article(context: DigestContext, number: int, item: EditionItem) -> Article:
    post = item.post
    body = ""
    if item.display is Display.FULL:
        body = to_plain_text(_mail_body(context, number, post), links_heading=context.messages.links)
    elif item.display is Display.EXCERPT:
        body = "\n".join(wrap_text(post.summary))
    article = _article(context, number, item)
    first_line, *other_lines = wrap_text(article.title, WIDTH - 4)
    entry = "\n".join([f"{number:2}. {first_line}", *(f"    {line}" for line in other_lines)])
    return article._replace(body=body, heading="\n".join(underline(article.title, "=")), entry=entry)


def _article(context: DigestContext, number: int, item: EditionItem) -> Article:
    post = item.post
    post_direction = _post_direction(context, post)
    return Article(
        anchor=post_anchor(number),
        title=clean_line(post.title),
        url=context.settings.page_url(post.url),
        date=post.date,
        lang=post.lang or context.settings.site.language,
        dir=post_direction,
        start=_ALIGNMENTS[post_direction],
        display=item.display.value,
        summary=clean_line(post.summary),
        authors=tuple(map(clean_line, post.authors)),
        kicker=clean_line(post.tags[0]) if post.tags else "",
        image=_lead_image(post, item.display),
    )


def post_anchor(number: int) -> str:
    """The id of a post in its letter."""
    return f"p{number}"


def _mail_body(context: DigestContext, number: int, post: Post) -> str:
    fragment_context = FragmentContext(
        id_prefix=post_anchor(number),
        post_url=context.settings.page_url(post.url),
        direction=_post_direction(context, post),
        width=COLUMN_WIDTH,
        messages=context.messages,
    )
    return to_mail_html(post.html, fragment_context)


def _post_direction(context: DigestContext, post: Post) -> str:
    """As the post says, else as its language runs, else as its letters do."""
    if post.dir in _ALIGNMENTS:
        return post.dir
    if post.lang:
        return text_direction(post.lang)
    return detect_direction(post.title + post.summary) or text_direction(context.settings.site.language)


def _lead_image(post: Post, display: Display) -> Image | None:
    """The post's picture as it is shown above the text: not twice, not wider than the text, never without a name."""
    image = post.image
    if image is None or not is_displayable(image.url) or (display is Display.FULL and image.url in post.html):
        return None
    width = min(image.width or COLUMN_WIDTH, COLUMN_WIDTH)
    height = round(image.height * width / image.width) if image.height and image.width else None
    return image._replace(alt=clean_line(image.alt or post.title), width=width, height=height)


def _preheader(context: DigestContext) -> str:
    """What a list of messages shows behind the subject: the first summary, then titles, up to a whole word."""
    first_post, *other_posts = [item.post for item in context.edition.items]
    text = clean_line(
        " · ".join(
            [first_post.summary, *(post.title for post in other_posts), context.settings.site.description]
        )
    )
    if len(text) <= _PREHEADER_LENGTH:
        return text.rstrip(" ·")
    head, _, _ = text[:_PREHEADER_LENGTH].rpartition(" ")
    return f"{head or text[:_PREHEADER_LENGTH]}…"
