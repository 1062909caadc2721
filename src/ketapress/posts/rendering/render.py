"""Render posts: a parsed post and its record become a body with sanitized HTML and full URLs, and then a `Post`.

Pure. Whatever a parsed post contains, it becomes a post; what was dropped from it is a warning.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from html import escape
from typing import NamedTuple
from urllib.parse import unquote
from zlib import crc32

from ketapress.model.digests import listing_fingerprint, text_sha256
from ketapress.model.errors import Problem, Severity
from ketapress.model.post import Image, Post
from ketapress.model.urls import decode_path, join_url
from ketapress.posts.dialects.placeholders import collect_tag_problems, restore_tags
from ketapress.posts.identity.assign import IdentifiedPost
from ketapress.posts.parsing.parse import ParsedPost
from ketapress.posts.rendering.links import LinkContext, absolutize_links, resolve_image_url
from ketapress.posts.rendering.sanitize import sanitize
from ketapress.posts.source.attachments import ATTACHMENT_FOLDER
from ketapress.posts.text.excerpt import extract_first_paragraph, truncate

_MOST_NAMED = 5  # dropped addresses in one warning


class Body(NamedTuple):
    """What readers see of a post, and warnings about it.

    `links` are the targets that were looked up among the pages of the site; where these, the id and the URL of the post
    stay the same, its body does. `files` are paths of files beside the post that it shows or links to. `sha256` is of
    the HTML, in hexadecimal.
    """

    html: str
    summary: str
    image: str | None
    problems: tuple[Problem, ...]
    links: tuple[str, ...]
    files: tuple[str, ...]
    sha256: str


class _Lookups(Mapping[str, str]):
    """The URLs of pages; `targets` are those that were looked up, None where there is no such page."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        self._pages = pages
        self.targets: dict[str, str | None] = {}

    def __getitem__(self, path: str) -> str:
        self.targets[path] = self._pages.get(path)
        return self._pages[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pages)

    def __len__(self) -> int:
        return len(self._pages)


def render_body(
    post: IdentifiedPost, site_url: str, pages: Mapping[str, str], reread: Callable[[], str]
) -> Body:
    """Return the body of a post. `pages` are the URLs of all posts and attachments, by their paths.

    `reread` returns the text of the file; it is called where a warning has to name a line.
    """
    parsed_post, record = post
    lookups = _Lookups(pages)
    prefix = f"p{crc32(record.id.encode()):08x}-"
    page, files = join_url(site_url, record.url), join_url(site_url, ATTACHMENT_FOLDER)
    link_context = LinkContext(
        page_url=page,
        id_prefix=prefix,
        path=parsed_post.path,
        foreign_tags=parsed_post.foreign_tags,
        link_targets=lookups,
    )
    html, image, problems = _render_html(parsed_post, link_context, reread)
    urls = (url for url in lookups.targets.values() if url and url.startswith(files))
    return Body(
        html=html,
        summary=truncate(parsed_post.fields.summary or extract_first_paragraph(html)),
        image=image,
        problems=problems,
        links=tuple(lookups.targets),
        files=tuple(dict.fromkeys(decode_path(url.removeprefix(files)) for url in urls)),
        sha256=text_sha256(html),
    )


def build_post(source: IdentifiedPost, body: Body, *, has_author_date: bool) -> Post:
    """Return the post of a parsed post, its record and its body.

    Readers see the author's date with `has_author_date`, else when the post was first visible.
    """
    parsed_post, record = source
    published = record.published
    if published and has_author_date:
        published = parsed_post.date.astimezone(UTC).replace(microsecond=0)
    updated = record.updated or parsed_post.date
    fields = parsed_post.fields
    post = Post(
        id=record.id,
        path=parsed_post.path,
        url=record.url,
        title=parsed_post.title or parsed_post.slug,
        summary=body.summary,
        html=body.html,
        date=parsed_post.date,
        published=published,
        updated=max(updated, published) if published else updated,
        sha256=parsed_post.sha256,
        tags=fields.tags,
        authors=fields.authors,
        lang=parsed_post.lang,
        dir=parsed_post.dir,
        image=Image(url=body.image, alt=fields.image_alt) if body.image else None,
        canonical=fields.canonical,
        expires=parsed_post.expires,
        draft=parsed_post.draft,
        hold=fields.hold or record.held,
        in_editions=record.in_editions,
        edition_date=record.published,
        files=body.files,
        html_sha256=body.sha256,
        aliases=tuple(
            dict.fromkeys(alias for alias in (*record.aliases, *fields.aliases) if alias != record.url)
        ),
    )
    return post._replace(face=listing_fingerprint(post))


def _render_html(
    parsed_post: ParsedPost, link_context: LinkContext, reread: Callable[[], str]
) -> tuple[str, str | None, tuple[Problem, ...]]:
    """Return the HTML, the URL of the image, and warnings about what was dropped."""
    fragment = absolutize_links(sanitize(parsed_post.html), parsed_post.html, link_context)
    address = parsed_post.fields.image
    image = resolve_image_url(address, link_context) if address else None
    removed_names = fragment.dropped_urls if image or not address else (*fragment.dropped_urls, address)
    problems = (_removed_elements(parsed_post.path, removed_names, reread()),) if removed_names else ()
    if not parsed_post.foreign_tags:
        return fragment.html, image, problems
    leftovers = collect_tag_problems(fragment.html, parsed_post.foreign_tags, parsed_post.path)
    return restore_tags(fragment.html, parsed_post.foreign_tags), image, (*problems, *leftovers)


def _removed_elements(path: str, addresses: tuple[str, ...], text: str) -> Problem:
    some = ", ".join(f"`{address[:80]}`" for address in addresses[:_MOST_NAMED])
    more = f" and {len(addresses) - _MOST_NAMED} more" if len(addresses) > _MOST_NAMED else ""
    lines = [line for address in addresses if (line := _find_line(address, text))]
    return Problem(
        code="post.address",
        severity=Severity.WARNING,
        message=f"these lead to no post and no address that can be linked or shown, so they are left out: {some}{more}.",
        cure="Write them in full, https://…, as paths on the site, /about, or name a post by its file.",
        path=f"posts/{path}",
        line=min(lines, default=None),
    )


def _find_line(address: str, written: str) -> int | None:
    """Return the line of an address in a text, as it was written or with its escapes undone; None where there is none."""
    spellings = (address, unquote(address), escape(address))
    position = min((start for spelling in spellings if (start := written.find(spelling)) >= 0), default=None)
    return None if position is None else written.count("\n", 0, position) + 1
