"""The registry of posts as a value: what each clone and machine has to know of a post that was seen once."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple


class RegistryEntry(NamedTuple):
    """The entry of one post. Times are UTC, in whole seconds.

    `published` and `updated` are None until the post is published; until then `id` and `url` may still change. `due` is
    the date it waits for, None while it is a draft or on hold. `held` means that a person is asked whether it is a
    missing post, and `question` has the ids of those; the entry stays until the question is answered, also where its file
    is missing meanwhile. `gone` is when the post's file was found to be missing; the id is kept forever. `displaced` means
    that another post has its path, while a person is asked where it went. `aliases` are former URLs.

    `title`, `date` (the author's) and `words` (a sketch) are what a new post is compared with once the file is missing;
    entries of older versions have none.
    """

    id: str
    path: str
    url: str
    sha256: str
    first_seen: datetime
    published: datetime | None = None
    updated: datetime | None = None
    due: datetime | None = None
    gone: datetime | None = None
    held: bool = False
    displaced: bool = False
    in_editions: bool = True
    aliases: tuple[str, ...] = ()
    title: str = ""
    date: datetime | None = None
    words: str = ""
    question: tuple[str, ...] = ()

    @property
    def has_own_path(self) -> bool:
        """Whether the post still has its path; that of a missing post may belong to another one by now."""
        return self.gone is None and not self.displaced


class Registry(NamedTuple):
    """All entries. `first_built` is None before the first build.

    `raw_lines` are the lines of the file by id, each with its entry: an unchanged entry is not formatted again.
    `alternates` are other entries of an id, as another machine knows the post: by them a file is found that the entry itself
    does not fit. `foreign_ids` are those that this machine has not built with yet, although it was built here before.
    `is_saved` is False where the file that this machine writes has other entries.
    """

    first_built: datetime | None = None
    entries: tuple[RegistryEntry, ...] = ()
    raw_lines: Mapping[str, tuple[RegistryEntry, str]] = MappingProxyType({})
    alternates: Mapping[str, tuple[RegistryEntry, ...]] = MappingProxyType({})
    foreign_ids: frozenset[str] = frozenset()
    is_saved: bool = True
