"""Pictures: each has a name, an address that a mail can ask for, and a width."""

import re
from collections.abc import Iterator

from ketapress.mail.lint.document import Page, excerpt
from ketapress.model.errors import Problem

_FILE_NAME = re.compile(r"[^\s/]+\.(?:jpe?g|png|gif|webp|svg|avif)", re.IGNORECASE)
_IMAGE_URL = re.compile(r"(?:https?|cid):.", re.IGNORECASE)
_UNSUPPORTED_FORMAT = re.compile(r"\.(?:svgz?|webp|avif|heic|jxl)(?:[?#]|\Z)", re.IGNORECASE)


def image_problems(page: Page) -> Iterator[Problem]:
    """A name, an address and a width for every picture."""
    for image in page.elements("img"):
        url, alt = image.get("src") or "", image.get("alt")
        name = excerpt(url)
        if alt is None:
            yield page.error(
                "alt-missing",
                image,
                f"the picture {name} has no `alt`: who does not see it is read its address.",
                'Say in `alt` what it shows; alt="" where it is mere ornament.',
            )
        elif _FILE_NAME.fullmatch(alt.strip()):
            yield page.warning(
                "alt-file-name",
                image,
                f"the picture {name} is named by its file, {excerpt(alt)}.",
                "Say in `alt` what it shows.",
            )
        if not _IMAGE_URL.match(url):
            yield page.error(
                "picture-address",
                image,
                f"the picture's address {name or 'is empty and'} leads nowhere from a mail: Gmail drops `data:`, and nothing else is a full address.",
                "Write its full address, https://….",
            )
        elif _UNSUPPORTED_FORMAT.search(url.partition("?")[0]):
            yield page.warning(
                "picture-format",
                image,
                f"the picture {name} is in a format that Gmail or Outlook leave blank.",
                "Use PNG, JPEG or GIF.",
            )
        if not (image.get("width") or "").isdecimal():
            yield page.warning(
                "picture-width",
                image,
                f"the picture {name} has no width in whole pixels: Outlook draws it as large as its file.",
                'Write width="…" on it.',
            )
