"""Images and embeds of a post: each gets an `alt` and a size, or becomes a link. All functions edit the tree in place.

Nothing is fetched, so a size is known only where the HTML has it.
"""

import re

from lxml.html import HtmlElement

from ketapress.i18n.mail_messages import MailMessages
from ketapress.mail.body.dom import (
    BLOCK_TAGS,
    EMBED_LABELS,
    INLINE_TAGS,
    ancestor_link,
    new_element,
    replace_element,
    text_content,
    url_host,
)

_UNSUPPORTED_FORMAT = re.compile(r"\.(?:svgz?|webp|avif|heic|jxl)(?:[?#]|\Z)", re.IGNORECASE)
_FILE_NAME = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|avif)\Z", re.IGNORECASE)
_PIXELS = re.compile(r"\s*(\d{1,5})(?:\.\d*)?\s*(?:px)?\s*")
_MIN_SIZE = 3  # CSS pixels; anything smaller is a tracking pixel


def is_displayable(url: str) -> bool:
    """Return whether mail clients show the image: an https URL, in a format that Gmail and Outlook support."""
    return url.startswith("https://") and has_supported_format(url)


def has_supported_format(url: str) -> bool:
    """Return whether Gmail and Outlook show images of the format that the URL ends in."""
    return not _UNSUPPORTED_FORMAT.search(url.partition("?")[0])


def link_embeds(root: HtmlElement, messages: MailMessages) -> None:
    """Replace video, audio and frames, which no mail client plays, by links (with the poster image, if any)."""
    for embed in list(root.iter(*EMBED_LABELS)):
        url = _embed_url(embed)
        label = getattr(messages, EMBED_LABELS[embed.tag])
        description = embed.get("title") or url_host(url)
        text = f"{label}: {description}" if description else label
        poster = embed.get("poster")
        link = new_element("a", None if poster else text, href=url)
        if poster:
            link.append(new_element("img", src=poster, alt=text))
        paragraph = new_element("p")
        paragraph.append(link)
        replace_element(embed, paragraph)
    for source in list(root.iter("source")):
        source.drop_tree()


def _embed_url(embed: HtmlElement) -> str:
    urls = (embed.get("src"), embed.get("data"), *(element.get("src") for element in embed.iter("source")))
    return next((url for url in urls if url), "")


def fix_images(root: HtmlElement, messages: MailMessages) -> None:
    """Give displayable images an https URL and an `alt`; replace others by a link or their `alt` text, or remove them."""
    for image in list(root.iter("img")):
        # Web mail loads http images over https anyway (W3C Mixed Content, 4.1).
        url = re.sub(r"\Ahttps?:", "https:", image.get("src") or "", flags=re.IGNORECASE)
        alt = " ".join((image.get("alt") or "").split())
        image.set("src", url)
        image.set("alt", "" if _FILE_NAME.search(alt) else alt)
        if not url.startswith("https://") or _is_tracking_pixel(image):
            replace_element(image, new_element("span", image.get("alt")) if image.get("alt") else None)
        elif not is_displayable(url):
            _replace_with_link(image, messages)


def _is_tracking_pixel(image: HtmlElement) -> bool:
    sizes = [_pixels(image, attribute) for attribute in ("width", "height")]
    return any(size is not None and size < _MIN_SIZE for size in sizes)


def _replace_with_link(image: HtmlElement, messages: MailMessages) -> None:
    alt, url = image.get("alt"), image.get("src") or ""
    label = f"{messages.picture}: {alt}" if alt else messages.picture
    is_linked = ancestor_link(image) is not None
    replace_element(image, new_element("span", label) if is_linked else new_element("a", label, href=url))


def label_linked_images(root: HtmlElement, messages: MailMessages) -> None:
    """Give an `alt` to an image that is all of a link: a screen reader reads it as the name of the link."""
    for image in root.iter("img"):
        link = ancestor_link(image)
        if link is not None and not image.get("alt") and not text_content(link):
            image.set("alt", messages.picture)


def fit_images(root: HtmlElement, max_width: int) -> None:
    """Set integer widths and heights, at most as wide as the text: Outlook ignores max-width."""
    for image in root.iter("img"):
        width, height = _pixels(image, "width"), _pixels(image, "height")
        display_width = min(width or max_width, max_width)
        image.set("width", str(display_width))
        image.attrib.pop("height", None)
        if width and height:
            image.set("height", str(max(1, round(height * display_width / width))))
        image.set(
            "class", f"{'sized' if width else 'unsized'} {'alone' if _is_only_content(image) else 'among'}"
        )


def _pixels(image: HtmlElement, attribute: str) -> int | None:
    match = _PIXELS.fullmatch(image.get(attribute) or "")
    return int(match[1]) if match else None


def _is_only_content(image: HtmlElement) -> bool:
    """Return whether the image is alone in its block, so that it can be a block itself."""
    block = image.getparent()
    while block.tag in INLINE_TAGS:
        block = block.getparent()
    siblings = [element for element in block.iterdescendants(*BLOCK_TAGS, "img") if element is not image]
    return not siblings and not text_content(block)
