"""A pinned manuscript becomes a `Post`: clean HTML, a summary, addresses in full.

In comes what the author wrote and what is kept of it, out goes the noun that every other room works with, and
warnings about what was dropped or left on the way. Pure; never fails.
"""

from collections.abc import Mapping
from zlib import crc32

from ketapress.model.errors import Problem, Severity
from ketapress.model.post import Image, Post
from ketapress.model.urls import joined
from ketapress.posts.addresses import Place, absolute_url, placed
from ketapress.posts.leftovers import reported, without_tokens
from ketapress.posts.pinning import Pinned
from ketapress.posts.prose import cut, first_paragraph
from ketapress.posts.sanitise import sanitised

_NAMED_AT_MOST = 5  # dropped addresses in one warning


def post(pinned: Pinned, site_url: str, pages: Mapping[str, str]) -> tuple[Post, tuple[Problem, ...]]:
    """The post, and warnings about it. `pages` are the URLs of all posts by their paths."""
    written, kept = pinned.manuscript, pinned.record
    said = written.fields
    html, image, problems = _shown(pinned, joined(site_url, kept.url), pages)
    found = Post(
        id=kept.id,
        path=written.path,
        url=kept.url,
        title=written.title or written.name,
        summary=cut(said.summary or first_paragraph(html)),
        html=html,
        date=written.date,
        published=kept.published,
        updated=kept.updated or written.date,
        sha256=written.sha256,
        tags=said.tags,
        authors=said.authors,
        lang=said.lang,
        dir=written.dir,
        image=Image(url=image, alt=said.image_alt) if image else None,
        canonical=said.canonical,
        expires=written.expires,
        draft=written.draft,
        hold=said.hold or kept.held,
        in_editions=kept.in_editions,
        aliases=tuple(dict.fromkeys(alias for alias in (*kept.aliases, *said.aliases) if alias != kept.url)),
    )
    return found, problems


def _shown(
    pinned: Pinned, page: str, pages: Mapping[str, str]
) -> tuple[str, str | None, tuple[Problem, ...]]:
    """The body and the address of the image as they leave, and what was left behind."""
    written = pinned.manuscript
    prefix = f"p{crc32(pinned.record.id.encode()):08x}-"
    place = Place(page=page, prefix=prefix, path=written.path, marks=written.marks, pages=pages)
    fragment = placed(sanitised(written.html, well_nested=written.well_nested), written.html, place)
    said = written.fields.image
    image = absolute_url(page, said) if said else None
    dropped = fragment.dropped if image or not said else (*fragment.dropped, said)
    problems = (_dropped(written.path, dropped),) if dropped else ()
    if not written.marks:
        return fragment.html, image, problems
    left = reported(fragment.html, written.marks, written.path)
    return without_tokens(fragment.html, written.marks), image, (*problems, *left)


def _dropped(path: str, addresses: tuple[str, ...]) -> Problem:
    some = ", ".join(f"`{address[:80]}`" for address in addresses[:_NAMED_AT_MOST])
    more = f" and {len(addresses) - _NAMED_AT_MOST} more" if len(addresses) > _NAMED_AT_MOST else ""
    return Problem(
        code="post.address",
        severity=Severity.WARNING,
        message=f"these are no addresses that can be linked or shown, so they are left out: {some}{more}.",
        cure="Write them in full, https://…, or as paths on the site, /about.",
        path=f"posts/{path}",
    )
