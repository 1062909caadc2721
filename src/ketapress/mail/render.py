"""Render the HTML part, the text part and the archive page of an edition from the templates.

The HTML has its styles in `<style>` blocks (`css_inline` inlines them). Merge values are markers in mail and None on the
web. `body` converts posts, `i18n.mail_messages` has the phrases.
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

COLUMN_WIDTH = 520  # CSS pixels: the 600 of the sheet minus its margins
_PREHEADER_LENGTH = 140  # characters; clients show 35 to 150
_ALIGNMENTS = {"ltr": "left", "rtl": "right"}

MergeValues = Mapping[str, str]
"""The values that differ per subscriber, by name: `unsubscribe_url`, `preferences_url`, `address`."""


class Article(NamedTuple):
    """One post as templates see it; the names are an API of editors' own templates.

    `body` is HTML or text; `heading` and `entry` are for the text part.
    """

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
    """The inputs of both parts and of the archive page."""

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
    """Render the HTML part or, without merge values, the archive page."""
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
    """Render the text part: lines of at most 76 columns, except for long URLs."""
    values = _shared_values(context, merge_values)
    values["title"] = "\n".join(underline(context.newsletter.title, "="))
    values["contents"] = "\n".join(underline(context.messages.in_this_issue, "-"))
    values["why"] = "\n".join(wrap_text(values["why"]))
    values["posts"] = [
        _text_article(context, number, item) for number, item in enumerate(context.edition.items, start=1)
    ]
    return neutralize_markup(remove_illegal_characters(render_template("mail/digest.txt", values)))


def _shared_values(context: DigestContext, merge_values: MergeValues | None) -> dict[str, Any]:
    """Return the template values that both parts use."""
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
        "more": [
            {"title": post.title, "url": context.settings.page_url(post.url)}
            for post in context.edition.overflow
        ],
        "more_line": messages.more.format(count=len(context.edition.overflow)),
        "web_url": context.web_url,
        "site_url": context.settings.page_url(""),
        "reader": merge_values,
        "why": reason.format(newsletter=context.newsletter.title, **(merge_values or {})),
    }


def _edition_day(context: DigestContext) -> datetime:
    """Return noon, in the site's zone, of the slot's date in the newsletter's zone: templates format in the site's zone."""
    day = datetime.strptime(context.edition.slot.key, "%Y-%m-%dT%H%M")  # noqa: DTZ007 - the next line sets the zone
    return day.replace(hour=12, minute=0, tzinfo=ZoneInfo(context.settings.site.timezone))


def _html_article(context: DigestContext, number: int, item: EditionItem) -> Article:
    body = _mail_body(context, number, item.post) if item.display is Display.FULL else ""
    article = _article(context, number, item)
    return article._replace(title=_break_host_lookalike(article.title), body=body)


def _break_host_lookalike(title: str) -> str:
    """Put an invisible word joiner behind the first dot of a title that looks like a host, such as `Next.js`.

    Filters take a link whose text names another host than its URL for phishing.
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
    """Return the id of a post in the HTML part."""
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
    """Return `ltr` or `rtl`: as the front matter says, else by the post's language, else by its letters."""
    if post.dir in _ALIGNMENTS:
        return post.dir
    if post.lang:
        return text_direction(post.lang)
    return detect_direction(post.title + post.summary) or text_direction(context.settings.site.language)


def _lead_image(post: Post, display: Display) -> Image | None:
    """Return the image above the text, no wider than the text; None where the text shows it or clients cannot."""
    image = post.image
    if image is None or not is_displayable(image.url) or (display is Display.FULL and image.url in post.html):
        return None
    width = min(image.width or COLUMN_WIDTH, COLUMN_WIDTH)
    height = round(image.height * width / image.width) if image.height and image.width else None
    return image._replace(alt=clean_line(image.alt or post.title), width=width, height=height)


def _preheader(context: DigestContext) -> str:
    """Return the line that clients show after the subject: the first summary, then titles, cut at a word."""
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
