"""Parsed files and rendered bodies in the build cache.

| kind | name | key: fingerprint of | value |
|---|---|---|---|
| `post` | path | program, settings, stamp of the file | the parsed file without its HTML |
| `body` | path | the key of `post`, id, URL, targets of the links in it | the body with its HTML |
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from ketapress.model.digests import digest
from ketapress.posts.cache.codec import ParsedFile, dump_body, dump_file, load_body, load_file
from ketapress.posts.identity.registry_entry import RegistryEntry
from ketapress.posts.rendering.render import Body
from ketapress.system.build_cache import BuildCache
from ketapress.system.file_stamp import is_fresh

_FILE, _BODY = "post", "body"


class NewEntry(NamedTuple):
    """A file that was read, the stamp that it had before, its body, and the key of that body."""

    stamp: str
    file: ParsedFile
    body_key: str
    body: Body


class PostCache:
    """The entries of one publication, made by one program under one set of settings."""

    def __init__(self, cache: BuildCache, program: str, stamp: Callable[[str], str]) -> None:
        """`program` is the fingerprint of all that every entry depends on; `stamp` returns the stamp of a path."""
        self.stamp = stamp
        self._cache = cache
        self._program = program

    def with_stamps(self, folder: Path, stamps: Mapping[str, str]) -> "PostCache":
        """Return the same cache with stamps that are known already, by paths that begin with the name of `folder`.

        They have to be from before the files are read.
        """
        start, stamp = len(str(folder)) - len(folder.name), self.stamp
        return PostCache(self._cache, self._program, lambda path: stamps.get(path[start:]) or stamp(path))

    def files(self, stamps: Mapping[str, str]) -> dict[str, ParsedFile]:
        """Return the parsed files that still have these stamps, by their paths in `posts/`."""
        keys = {path: self._file_key(stamp) for path, stamp in stamps.items() if stamp}
        entries = self._cache.get_many(_FILE, keys)
        return {path: file for path, data in entries if (file := load_file(data))}

    def bodies(self, keys: Mapping[str, str]) -> dict[str, Body]:
        """Return the bodies that were rendered under these keys, by the paths of their posts."""
        entries = self._cache.get_many(_BODY, keys)
        return {path: body for path, data in entries if (body := load_body(data))}

    def body_key(self, stamp: str, record: RegistryEntry, targets: Mapping[str, str | None]) -> str:
        """Return the key of the body of a file that has this stamp and record, and whose links have these targets."""
        links = digest(list(targets.items())) if targets else ""
        return f"{self._file_key(stamp)} {links} {record.url} {record.id}"

    def save(self, entries: Mapping[str, NewEntry], paths: frozenset[str], began: float) -> None:
        """Store entries by the paths of their files, and remove those of files that are not among `paths`.

        `began` is when reading began, in seconds since 1970. A file that changed so shortly before that it could change
        again under the same stamp is left out.
        """
        for path, entry in entries.items():
            if not is_fresh(entry.stamp, began):
                self._cache.put(_FILE, path, self._file_key(entry.stamp), dump_file(entry.file))
                self._cache.put(_BODY, path, entry.body_key, dump_body(entry.body))
        if entries:
            self._cache.keep_only(_FILE, paths)
            self._cache.keep_only(_BODY, paths)
            self._cache.save()

    def _file_key(self, stamp: str) -> str:
        return f"{self._program} {stamp}"
