"""Pictures, and what is shown by a picture: every one gets a name and a size, or becomes a link.

In and out: the tree of a fragment. Nothing is fetched: a size that is not written is not known.
"""

import re

from lxml.html import HtmlElement

from ketapress.i18n.mail_messages import Words
from ketapress.mail.body.dom import (
    BLOCKS,
    EMBEDS,
    INLINE,
    host,
    link_around,
    new_element,
    replace_element,
    text_of,
)

_UNDRAWN = re.compile(r"\.(?:svgz?|webp|avif|heic|jxl)(?:[?#]|\Z)", re.IGNORECASE)
_FILE_NAME = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|avif)\Z", re.IGNORECASE)
_PIXELS = re.compile(r"\s*(\d{1,5})(?:\.\d*)?\s*(?:px)?\s*")
_SMALLEST = 3  # CSS pixels; what is smaller only counts readers


def is_drawn(address: str) -> bool:
    """Whether mail clients show a picture of that address: by https, in no format that Gmail or Outlook leave blank."""
    return address.startswith("https://") and not _UNDRAWN.search(address.partition("?")[0])


def link_embeds(root: HtmlElement, words: Words) -> None:
    """Video, sound and frames become links, with the picture that stands for them: no mail client plays them."""
    for embed in list(root.iter(*EMBEDS)):
        address = _embedded(embed)
        label = getattr(words, EMBEDS[embed.tag])
        about = embed.get("title") or host(address)
        text = f"{label}: {about}" if about else label
        poster = embed.get("poster")
        link = new_element("a", None if poster else text, href=address)
        if poster:
            link.append(new_element("img", src=poster, alt=text))
        paragraph = new_element("p")
        paragraph.append(link)
        replace_element(embed, paragraph)
    for source in list(root.iter("source")):
        source.drop_tree()


def _embedded(embed: HtmlElement) -> str:
    sources = (embed.get("src"), embed.get("data"), *(each.get("src") for each in embed.iter("source")))
    return next((source for source in sources if source), "")


def mend_images(root: HtmlElement, words: Words) -> None:
    """Images that can be shown have a name, even an empty one; others are linked, named in words, or gone."""
    for image in list(root.iter("img")):
        # Web mail asks for http images by https anyway (W3C Mixed Content, 4.1).
        source = re.sub(r"\Ahttps?:", "https:", image.get("src") or "", flags=re.IGNORECASE)
        alt = " ".join((image.get("alt") or "").split())
        image.set("src", source)
        image.set("alt", "" if _FILE_NAME.search(alt) else alt)
        if not source.startswith("https://") or _counts_readers(image):
            replace_element(image, new_element("span", image.get("alt")) if image.get("alt") else None)
        elif not is_drawn(source):
            _link_picture(image, words)


def _counts_readers(image: HtmlElement) -> bool:
    sizes = [_pixels(image, side) for side in ("width", "height")]
    return any(size is not None and size < _SMALLEST for size in sizes)


def _link_picture(image: HtmlElement, words: Words) -> None:
    alt, source = image.get("alt"), image.get("src") or ""
    label = f"{words.picture}: {alt}" if alt else words.picture
    linked = link_around(image) is not None
    replace_element(image, new_element("span", label) if linked else new_element("a", label, href=source))


def name_linked_images(root: HtmlElement, words: Words) -> None:
    """A link that holds nothing but a picture is read out by the picture's name."""
    for image in root.iter("img"):
        link = link_around(image)
        if link is not None and not image.get("alt") and not text_of(link):
            image.set("alt", words.picture)


def fit_images(root: HtmlElement, widest: int) -> None:
    """Integer width and height, at most as wide as the text: Outlook knows no other limit."""
    for image in root.iter("img"):
        width, height = _pixels(image, "width"), _pixels(image, "height")
        shown = min(width or widest, widest)
        image.set("width", str(shown))
        image.attrib.pop("height", None)
        if width and height:
            image.set("height", str(max(1, round(height * shown / width))))
        image.set("class", f"{'sized' if width else 'unsized'} {'alone' if _alone(image) else 'among'}")


def _pixels(image: HtmlElement, side: str) -> int | None:
    found = _PIXELS.fullmatch(image.get(side) or "")
    return int(found[1]) if found else None


def _alone(image: HtmlElement) -> bool:
    """Whether nothing stands beside it in its block, so that it can be a block itself."""
    box = image.getparent()
    while box.tag in INLINE:
        box = box.getparent()
    others = [each for each in box.iterdescendants(*BLOCKS, "img") if each is not image]
    return not others and not text_of(box)
