"""Merge what the files of the registry say, and what several lines of one file say about the same id.

What this machine learned comes first. An entry that another machine wrote is an alternate: it leads to the file of a post
that was renamed there.
"""

from collections.abc import Iterable

from ketapress.posts.identity.registry_entry import Registry, RegistryEntry
from ketapress.posts.identity.registry_text import RegistryLines, registry_error


def merge_registries(local_lines: RegistryLines | None, tracked: RegistryLines | None) -> Registry:
    """Return the registry of both files; None is a file that is not there.

    Raises `ConfigurationError` where the tracked file gives one id to two posts, and this machine does not know to which.
    """
    files = [file for file in (local_lines, tracked) if file]
    if not files:
        return Registry()
    entries, alternates = _merge_lines(local_lines) if local_lines else ({}, {})
    known_ids = frozenset(entries)
    published_ids = {entry.id for entry in entries.values() if entry.published}
    tracked_entries, tracked_alternates = _merge_lines(tracked, known_ids) if tracked else ({}, {})
    for post_id, entry in tracked_entries.items():
        if local_lines and post_id not in entries and entry.published is None:
            continue  # not decided yet: this machine decides about the file anew
        others = [*alternates.get(post_id, ()), *tracked_alternates.get(post_id, ())]
        if post_id in entries:
            others.append(entry)
            entries[post_id] = _combine(entries[post_id], entry)
        else:
            entries[post_id] = entry
        alternates[post_id] = _distinct_alternates(entries[post_id], others)
    first_built = min(file.first_built for file in files)
    foreign_ids = {post_id for post_id, entry in entries.items() if entry.published} - published_ids
    return Registry(
        first_built=first_built,
        entries=tuple(sorted(entries.values(), key=lambda entry: entry.id)),
        raw_lines={entry.id: (entry, line) for file in reversed(files) for _, entry, line in file.entries},
        alternates={post_id: others for post_id, others in alternates.items() if others},
        foreign_ids=frozenset(foreign_ids if local_lines else ()),
        is_saved=not local_lines
        or (
            first_built == local_lines.first_built
            and [entry for _, entry, _ in local_lines.entries]
            == sorted(entries.values(), key=lambda entry: entry.id)
        ),
    )


def _merge_lines(
    file: RegistryLines, known_ids: frozenset[str] = frozenset()
) -> tuple[dict[str, RegistryEntry], dict[str, tuple[RegistryEntry, ...]]]:
    """Return one entry for each id, and its alternates. `known_ids` are ids that need not be certain."""
    entries: dict[str, RegistryEntry] = {}
    lines: dict[str, int] = {}
    alternates: dict[str, tuple[RegistryEntry, ...]] = {}
    for number, entry, _ in file.entries:
        first = entries.get(entry.id)
        if first is None:
            entries[entry.id], lines[entry.id] = entry, number
        elif first != entry:
            if entry.id not in known_ids and _are_two_posts(first, entry):
                raise registry_error(
                    f"the line repeats the id `{entry.id}` of line {lines[entry.id]} for another post",
                    number,
                    "Remove the line of the post that came later, so that it gets an id of its own.",
                )
            newest, older = sorted((first, entry), key=_age, reverse=True)
            entries[entry.id] = _combine(newest, older)
            others = (*alternates.get(entry.id, ()), first, entry)
            alternates[entry.id] = _distinct_alternates(entries[entry.id], others)
    return entries, alternates


def _age(entry: RegistryEntry) -> tuple[bool, float]:
    """Return what orders two entries of one post: the one that says what happened later is the newer one."""
    moments = (entry.first_seen, entry.updated, entry.gone)
    return entry.published is not None, max(moment.timestamp() for moment in moments if moment)


def _combine(entry: RegistryEntry, other: RegistryEntry) -> RegistryEntry:
    """Return the entry with what was decided once, where the other one has decided it or earlier."""
    if other.published is None:
        return entry
    if entry.published is None:
        return other._replace(first_seen=min(entry.first_seen, other.first_seen), due=entry.due)
    other_urls = () if other.url == entry.url else (other.url,)
    aliases = dict.fromkeys((*entry.aliases, *other.aliases, *other_urls))
    return entry._replace(aliases=tuple(alias for alias in aliases if alias != entry.url))


def _are_two_posts(entry: RegistryEntry, other: RegistryEntry) -> bool:
    """Return whether two entries of one id are of two posts: path, words and date differ, so that no edit explains it."""
    return bool(entry.published and other.published) and (
        entry.path != other.path
        and entry.sha256 != other.sha256
        and (entry.date or entry.published) != (other.date or other.published)
    )


def _distinct_alternates(entry: RegistryEntry, others: Iterable[RegistryEntry]) -> tuple[RegistryEntry, ...]:
    """Return the entries that name another file or other words than the entry itself."""
    content = {(entry.path, entry.sha256)}
    distinct = []
    for other in others:
        if (other.path, other.sha256) not in content:
            content.add((other.path, other.sha256))
            distinct.append(other)
    return tuple(distinct)
