"""Match parsed posts with the entries of the registry.

A post is known by the `id:` in its header, else by path and content, else by content alone (a rename), else by path
alone (an edit), also where its letters with accents are composed in another way (a copy made by macOS). Content comes
before path, so that a file that moved and left its old name to another keeps its id. What this machine has built with comes
before what another machine wrote: the id of a post never changes here, also where both gave it one.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple
from unicodedata import normalize
from urllib.parse import quote

from ketapress.model.errors import Problem
from ketapress.model.urls import join_url
from ketapress.posts.identity.registry_entry import Registry, RegistryEntry
from ketapress.posts.parsing.parse import ParsedPost

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")

_Key = Callable[[ParsedPost | RegistryEntry], object]
"""What a post and its entry have in common."""
_CONTENT_KEYS: tuple[_Key, ...] = (lambda item: (item.path, item.sha256), lambda item: item.sha256)
_PATH_KEYS: tuple[_Key, ...] = (lambda item: item.path, lambda item: normalize("NFC", item.path))


class Matches(NamedTuple):
    """Each post with its entry, in the order of paths; None for a new post.

    `missing` are entries without a file; `unreadable` are those whose file exists and cannot be a post now.
    """

    pairs: tuple[tuple[ParsedPost, RegistryEntry | None], ...]
    missing: tuple[RegistryEntry, ...]
    unreadable: tuple[RegistryEntry, ...]
    problems: tuple[Problem, ...]


def get_header_id(parsed_post: ParsedPost, site_url: str) -> str | None:
    """Return the id in the header as a URI, which feeds need: `id: 42` becomes one under the site's URL."""
    value = parsed_post.fields.id
    if value is None or _URI.fullmatch(value):
        return value
    return join_url(site_url, "#" + quote(value, safe=""))


def match_posts(
    parsed_posts: Iterable[ParsedPost],
    unreadable_paths: frozenset[str],
    registry: Registry,
    site_url: str,
) -> Matches:
    """Match posts with entries. `unreadable_paths` are files and folders that exist and cannot be read.

    A second post with the `id:` of another one is a problem and is left out.
    """
    sorted_posts = sorted(parsed_posts, key=lambda parsed_post: parsed_post.path)
    free_entries = {
        entry.id: entry
        for entry in sorted(
            registry.entries,
            key=lambda entry: (not entry.has_own_path, entry.published is None, entry.id),
        )
    }
    entries_by_path: dict[str, RegistryEntry] = {}
    duplicates = _claim_ids(sorted_posts, unreadable_paths, free_entries, entries_by_path, site_url)
    excluded_paths = unreadable_paths | duplicates.keys()
    unreadable_entries = tuple(
        entry for entry in free_entries.values() if _is_within(entry.path, excluded_paths)
    )
    for entry in unreadable_entries:
        del free_entries[entry.id]
    candidates = [parsed_post for parsed_post in sorted_posts if parsed_post.path not in duplicates]
    foreign_entries = {
        post_id: free_entries.pop(post_id) for post_id in registry.foreign_ids & free_entries.keys()
    }
    for keys in (_CONTENT_KEYS, _PATH_KEYS):
        for key in keys:
            _pair_entries(candidates, free_entries, entries_by_path, key)
        for key in keys:
            _pair_alternates(candidates, free_entries, entries_by_path, registry.alternates, key)
    for key in (*_CONTENT_KEYS, *_PATH_KEYS):
        _pair_entries(candidates, foreign_entries, entries_by_path, key)
    return Matches(
        pairs=tuple((parsed_post, entries_by_path.get(parsed_post.path)) for parsed_post in candidates),
        missing=(*free_entries.values(), *foreign_entries.values()),
        unreadable=unreadable_entries,
        problems=tuple(
            Problem(
                code="post.same-id",
                message=f"the `id:` belongs to `{other_path}` already.",
                cure="Give each post an `id:` of its own, or remove it from the header of the copy.",
                path=f"posts/{path}",
            )
            for path, other_path in duplicates.items()
        ),
    )


def _claim_ids(
    sorted_posts: list[ParsedPost],
    unreadable_paths: frozenset[str],
    free_entries: dict[str, RegistryEntry],
    entries_by_path: dict[str, RegistryEntry],
    site_url: str,
) -> dict[str, str]:
    """Move the entries of posts with an `id:` from the free ones to `entries_by_path`.

    Returns the paths of posts whose id belongs to another one, each with the path of that one.
    """
    posts_by_path = {parsed_post.path: parsed_post for parsed_post in sorted_posts}
    claims: dict[str, str] = {}
    duplicates = {}

    def find_owner(parsed_post: ParsedPost, post_id: str) -> str | None:
        """Return the path of the file that the id belongs to, None if that is the post's own."""
        if post_id in claims:
            return claims[post_id]
        owner_path = (
            free_entries[post_id].path
            if post_id in free_entries and free_entries[post_id].has_own_path
            else parsed_post.path
        )
        owner = posts_by_path.get(owner_path)
        is_taken = owner_path in unreadable_paths or (
            owner is not None and get_header_id(owner, site_url) in {None, post_id}
        )
        return owner_path if owner_path != parsed_post.path and is_taken else None

    posts_with_id = [
        (parsed_post, post_id)
        for parsed_post in sorted_posts
        if (post_id := get_header_id(parsed_post, site_url))
    ]
    for parsed_post, post_id in sorted(
        posts_with_id,
        key=lambda pair: pair[1] not in free_entries or free_entries[pair[1]].path != pair[0].path,
    ):
        if other_path := find_owner(parsed_post, post_id):
            duplicates[parsed_post.path] = other_path
            continue
        claims[post_id] = parsed_post.path
        if post_id in free_entries:
            entries_by_path[parsed_post.path] = free_entries[post_id]
    for entry in entries_by_path.values():
        del free_entries[entry.id]
    return duplicates


def _pair_entries(
    sorted_posts: list[ParsedPost],
    free_entries: dict[str, RegistryEntry],
    entries_by_path: dict[str, RegistryEntry],
    key: _Key,
) -> None:
    """Move entries from the free ones to `entries_by_path` where a post has the same key."""
    if not free_entries:
        return
    entries_by_key: dict[object, list[RegistryEntry]] = {}
    for entry in free_entries.values():
        entries_by_key.setdefault(key(entry), []).append(entry)
    for parsed_post in sorted_posts:
        if parsed_post.path not in entries_by_path and (candidates := entries_by_key.get(key(parsed_post))):
            entry = candidates.pop(0)
            entries_by_path[parsed_post.path] = entry
            del free_entries[entry.id]


def _pair_alternates(
    sorted_posts: list[ParsedPost],
    free_entries: dict[str, RegistryEntry],
    entries_by_path: dict[str, RegistryEntry],
    alternates: Mapping[str, tuple[RegistryEntry, ...]],
    key: _Key,
) -> None:
    """Move entries as `_pair_entries` does where a post has the key of an alternate, which another machine wrote."""
    owners = {
        key(alternate): (entry, alternate)
        for post_id, entry in (free_entries.items() if alternates else ())
        for alternate in alternates.get(post_id, ())
    }
    for parsed_post in sorted_posts if owners else ():
        entry, alternate = owners.get(key(parsed_post), (None, None))
        if entry and alternate and entry.id in free_entries and parsed_post.path not in entries_by_path:
            del free_entries[entry.id]
            moments = [moment for moment in (entry.updated, alternate.updated) if moment]
            entries_by_path[parsed_post.path] = entry._replace(
                path=alternate.path,
                sha256=alternate.sha256,
                updated=max(moments, default=None),
                gone=None,
                displaced=False,
            )


def _is_within(path: str, folders: Iterable[str]) -> bool:
    """Whether a path is one of the folders or in one of them."""
    return path in folders or any(path.startswith(f"{folder}/") for folder in folders)
