"""A pinned manuscript becomes a `Post`: clean HTML, a summary, addresses in full.

In comes what the author wrote and what is kept of it, out goes the noun that every other room works with, and
a warning about what was dropped on the way. Pure; never fails.
"""

from hashlib import sha256

from ketapress.model.errors import Problem, Severity
from ketapress.model.post import Image, Post
from ketapress.model.urls import joined
from ketapress.posts.pinning import Pinned
from ketapress.posts.prose import cut, first_paragraph
from ketapress.posts.sanitise import absolute_url, sanitised

_NAMED_AT_MOST = 5  # dropped addresses in one warning


def post(pinned: Pinned, site_url: str) -> tuple[Post, tuple[Problem, ...]]:
    """The post, and warnings about it."""
    written, kept = pinned.manuscript, pinned.record
    said = written.fields
    page = joined(site_url, kept.url)
    fragment = sanitised(written.html, page, f"p{sha256(kept.id.encode()).hexdigest()[:8]}-")
    image = absolute_url(page, said.image) if said.image else None
    dropped = fragment.dropped if image or not said.image else (*fragment.dropped, said.image)
    found = Post(
        id=kept.id,
        path=written.path,
        url=kept.url,
        title=written.title or written.name,
        summary=cut(said.summary or first_paragraph(fragment.html)),
        html=fragment.html,
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
    return found, (_dropped(written.path, dropped),) if dropped else ()


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
