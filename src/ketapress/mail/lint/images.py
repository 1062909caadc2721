"""Images: each has an `alt`, a full URL, a common format and a width."""

import re
from collections.abc import Iterator

from ketapress.mail.body.images import has_supported_format
from ketapress.mail.lint.document import Page, excerpt
from ketapress.model.errors import Problem

_FILE_NAME = re.compile(r"[^\s/]+\.(?:jpe?g|png|gif|webp|svg|avif)", re.IGNORECASE)
_IMAGE_URL = re.compile(r"(?:https?|cid):.", re.IGNORECASE)


def image_problems(page: Page) -> Iterator[Problem]:
    """Yield images without a useful `alt`, a full URL, a common format or a width."""
    for image in page.elements("img"):
        url, alt = image.get("src") or "", image.get("alt")
        name = excerpt(url)
        if alt is None:
            yield page.error(
                "alt-missing",
                image,
                f"the image {name} has no `alt`: screen readers read its URL instead.",
                'Describe it in `alt`; use alt="" for decoration.',
            )
        elif _FILE_NAME.fullmatch(alt.strip()):
            yield page.warning(
                "alt-file-name",
                image,
                f"the `alt` of the image {name} is a file name, {excerpt(alt)}.",
                "Describe the image in `alt`.",
            )
        if not _IMAGE_URL.match(url):
            yield page.error(
                "picture-address",
                image,
                f"the image URL {name or '(empty)'} does not work in mail: Gmail drops `data:` URLs, and relative ones have no base.",
                "Use a full URL, https://….",
            )
        elif not has_supported_format(url):
            yield page.warning(
                "picture-format",
                image,
                f"the image {name} has a format that Gmail or Outlook do not show.",
                "Use PNG, JPEG or GIF.",
            )
        if not (image.get("width") or "").isdecimal():
            yield page.warning(
                "picture-width",
                image,
                f"the image {name} has no width in whole pixels: Outlook shows it at its full size.",
                'Set width="…" on it.',
            )
