"""A pinned manuscript becomes a `Post`: clean HTML, a summary, addresses in full.

In comes what the author wrote and what is kept of it, out goes its body, with warnings about what was dropped or left on
the way, and then the noun that every other room works with. Pure; never fails.
"""

from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import NamedTuple
from urllib.parse import unquote
from zlib import crc32

from ketapress.model.errors import Problem, Severity
from ketapress.model.output import face, text_sha256
from ketapress.model.post import Image, Post
from ketapress.model.urls import decoded_path, joined
from ketapress.posts.dialects.placeholders import reported, without_tokens
from ketapress.posts.identity.assign import Pinned
from ketapress.posts.identity.registry import Record
from ketapress.posts.parsing.parse import Manuscript
from ketapress.posts.rendering.links import Fragment, Place, picture_url, placed
from ketapress.posts.rendering.sanitize import sanitised, unchanged
from ketapress.posts.source.attachments import FOLDER
from ketapress.posts.text.excerpt import cut, first_paragraph

_NAMED_AT_MOST = 5  # dropped addresses in one warning


class Body(NamedTuple):
    """What readers see of a post, as it leaves, and warnings about it.

    It was made for a post of this `id` at this `url`; `asked` are the paths of the posts that it links to as files, with
    the URLs of their pages (None: there is no such post). Where these are the same, so is the body. `files` are the
    paths of files beside the post that it shows or links to. `sha256` is of the HTML.
    """

    id: str
    url: str
    asked: tuple[tuple[str, str | None], ...]
    html: str
    summary: str
    image: str | None
    problems: tuple[Problem, ...]
    files: tuple[str, ...]
    sha256: str

    def fits(self, record: Record, pages: Mapping[str, str]) -> bool:
        """Whether it is still the body of its manuscript, with this record among these pages."""
        same = (self.id, self.url) == (record.id, record.url)
        return same and all(pages.get(path) == url for path, url in self.asked)


class _Noted(Mapping[str, str]):
    """The URLs of posts by their paths; notes which were asked for, and what was answered."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        self._pages = pages
        self.asked: dict[str, str | None] = {}

    def __getitem__(self, path: str) -> str:
        self.asked[path] = self._pages.get(path)
        return self._pages[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pages)

    def __len__(self) -> int:
        return len(self._pages)


def body(pinned: Pinned, site_url: str, pages: Mapping[str, str], reread: Callable[[], str]) -> Body:
    """The body of a manuscript as it leaves. `pages` are the URLs of all posts by their paths.

    `reread` gives the file's text again; it is asked where a warning has to name a line.
    """
    written, kept = pinned.manuscript, pinned.record
    noted = _Noted(pages)
    prefix = f"p{crc32(kept.id.encode()):08x}-"
    page, files = joined(site_url, kept.url), joined(site_url, FOLDER)
    place = Place(page=page, prefix=prefix, path=written.path, marks=written.marks, pages=noted)
    html, image, problems = _shown(written, place, reread)
    return Body(
        id=kept.id,
        url=kept.url,
        asked=tuple(noted.asked.items()),
        html=html,
        summary=cut(written.fields.summary or first_paragraph(html)),
        image=image,
        problems=problems,
        files=tuple(
            dict.fromkeys(
                decoded_path(url.removeprefix(files))
                for url in noted.asked.values()
                if url and url.startswith(files)
            )
        ),
        sha256=text_sha256(html),
    )


def post(pinned: Pinned, body: Body) -> Post:
    """The post that a manuscript is, with its record and its body."""
    written, kept = pinned.manuscript, pinned.record
    said = written.fields
    made = Post(
        id=kept.id,
        path=written.path,
        url=kept.url,
        title=written.title or written.name,
        summary=body.summary,
        html=body.html,
        date=written.date,
        published=kept.published,
        updated=kept.updated or written.date,
        sha256=written.sha256,
        tags=said.tags,
        authors=said.authors,
        lang=written.lang,
        dir=written.dir,
        image=Image(url=body.image, alt=said.image_alt) if body.image else None,
        canonical=said.canonical,
        expires=written.expires,
        draft=written.draft,
        hold=said.hold or kept.held,
        in_editions=kept.in_editions,
        files=body.files,
        html_sha256=body.sha256,
        aliases=tuple(dict.fromkeys(alias for alias in (*kept.aliases, *said.aliases) if alias != kept.url)),
    )
    return made._replace(face=face(made))


def _shown(
    written: Manuscript, place: Place, reread: Callable[[], str]
) -> tuple[str, str | None, tuple[Problem, ...]]:
    """The HTML and the address of the image as they leave, and what was left behind."""
    fragment = _fragment(written, place)
    said = written.fields.image
    image = picture_url(said, place) if said else None
    dropped = fragment.dropped if image or not said else (*fragment.dropped, said)
    problems = (_dropped(written.path, dropped, reread()),) if dropped else ()
    if not written.marks:
        return fragment.html, image, problems
    left = reported(fragment.html, written.marks, written.path)
    return without_tokens(fragment.html, written.marks), image, (*problems, *left)


def _fragment(written: Manuscript, place: Place) -> Fragment:
    """The HTML, safe and in its place."""
    if written.well_nested and not written.marks and (html := unchanged(written.html)) is not None:
        return Fragment(html, ())
    return placed(sanitised(written.html, well_nested=written.well_nested), written.html, place)


def _dropped(path: str, addresses: tuple[str, ...], text: str) -> Problem:
    some = ", ".join(f"`{address[:80]}`" for address in addresses[:_NAMED_AT_MOST])
    more = f" and {len(addresses) - _NAMED_AT_MOST} more" if len(addresses) > _NAMED_AT_MOST else ""
    lines = [line for address in addresses if (line := _line_of(address, text))]
    return Problem(
        code="post.address",
        severity=Severity.WARNING,
        message=f"these lead to no post and no address that can be linked or shown, so they are left out: {some}{more}.",
        cure="Write them in full, https://…, as paths on the site, /about, or name a post by its file.",
        path=f"posts/{path}",
        line=min(lines, default=None),
    )


def _line_of(address: str, written: str) -> int | None:
    """The line on which an address stands, as it was written or with its escapes undone."""
    spellings = (address, unquote(address), escape(address))
    found = min((at for each in spellings if (at := written.find(each)) >= 0), default=None)
    return None if found is None else written.count("\n", 0, found) + 1
