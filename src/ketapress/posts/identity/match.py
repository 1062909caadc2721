"""Which manuscript is which post that is remembered.

In come manuscripts and records, out go pairs. A manuscript is a known post by its `id:`, else by path and content,
else by content alone (a rename), else by path alone (an edit). Content comes before path, so that a file that moved
and left its old name to another keeps its id. What is made of a pair is decided in `pinning`.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import quote

from ketapress.model.errors import Problem
from ketapress.model.lazy_regex import pattern
from ketapress.model.urls import joined
from ketapress.posts.identity.registry import Record
from ketapress.posts.parsing.parse import Manuscript

_URI = pattern(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")


class Matches(NamedTuple):
    """Each manuscript with its record, in the order of paths; None for a post never seen before.

    `missing` are records whose file is not there; `unread` those whose file is there and cannot be a post now.
    """

    pairs: tuple[tuple[Manuscript, Record | None], ...]
    missing: tuple[Record, ...]
    unread: tuple[Record, ...]
    problems: tuple[Problem, ...]


def own_id(manuscript: Manuscript, site_url: str) -> str | None:
    """The id that the header gives, as the URI that feeds need: `id: 42` becomes one under the site's URL."""
    written = manuscript.fields.id
    if written is None or _URI.fullmatch(written):
        return written
    return joined(site_url, "#" + quote(written, safe=""))


def matches(
    manuscripts: Iterable[Manuscript], unread: frozenset[str], records: Iterable[Record], site_url: str
) -> Matches:
    """The manuscripts with their records; `unread` are paths of files and folders that cannot be read.

    A second manuscript with the `id:` of another one is a problem, and no post.
    """
    ordered = sorted(manuscripts, key=lambda each: each.path)
    free = {record.id: record for record in sorted(records, key=lambda each: (not each.is_home, each.id))}
    found: dict[str, Record] = {}
    refused = _claim_ids(ordered, unread, free, found, site_url)
    spared = unread | refused.keys()
    unreadable = tuple(record for record in free.values() if _within(record.path, spared))
    for record in unreadable:
        del free[record.id]
    open_ones = [each for each in ordered if each.path not in refused]
    for key in (_path_and_content, _content, _path):
        _pair(open_ones, free, found, key)
    pairs = tuple((each, found.get(each.path)) for each in open_ones)
    return Matches(
        pairs, tuple(free.values()), unreadable, tuple(_doubled(*each) for each in refused.items())
    )


def _claim_ids(
    ordered: list[Manuscript],
    unread: frozenset[str],
    free: dict[str, Record],
    found: dict[str, Record],
    site_url: str,
) -> dict[str, str]:
    """Pairs manuscripts with the records whose id they name; returns those that name another's, with its path."""
    paths = {each.path: each for each in ordered}
    claims: dict[str, str] = {}
    refused = {}

    def owner(each: Manuscript, name: str) -> str | None:
        """The path of the file that the id belongs to, if that is not this one."""
        if name in claims:
            return claims[name]
        place = free[name].path if name in free and free[name].is_home else each.path
        other = paths.get(place)
        taken = place in unread or (other is not None and own_id(other, site_url) in {None, name})
        return place if place != each.path and taken else None

    named = [(each, name) for each in ordered if (name := own_id(each, site_url))]
    for each, name in sorted(
        named, key=lambda pair: pair[1] not in free or free[pair[1]].path != pair[0].path
    ):
        if other := owner(each, name):
            refused[each.path] = other
            continue
        claims[name] = each.path
        if name in free:
            found[each.path] = free[name]
    for record in found.values():
        del free[record.id]
    return refused


def _pair(
    ordered: list[Manuscript],
    free: dict[str, Record],
    found: dict[str, Record],
    key: Callable[[Manuscript | Record], object],
) -> None:
    """Moves records from `free` to `found` for the manuscripts that are alike under the key."""
    alike: dict[object, list[Record]] = {}
    for record in free.values():
        alike.setdefault(key(record), []).append(record)
    for each in ordered:
        if each.path not in found and (candidates := alike.get(key(each))):
            record = candidates.pop(0)
            found[each.path] = record
            del free[record.id]


def _path_and_content(each: Manuscript | Record) -> object:
    return each.path, each.sha256


def _content(each: Manuscript | Record) -> object:
    return each.sha256


def _path(each: Manuscript | Record) -> object:
    return each.path


def _within(path: str, places: Iterable[str]) -> bool:
    """Whether a path is one of the places or lies in one of them."""
    return path in places or any(path.startswith(f"{place}/") for place in places)


def _doubled(path: str, other: str) -> Problem:
    return Problem(
        code="post.same-id",
        message=f"its `id:` belongs to `{other}`.",
        cure="Give each post an `id:` of its own, or take it out of the header of the copy.",
        path=f"posts/{path}",
    )
