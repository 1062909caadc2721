"""The pages of all posts, as links of a post look for them: by the path of a file, or by its name alone.

In come URLs by paths in `posts/`, of posts and of files that lie beside them, out goes a mapping of these, and of
`ANYWHERE` and the name of a post. Other tools let a link name
a file wherever it lies (Obsidian, Hugo, Jekyll); a name that two posts have leads to neither.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

from ketapress.model.urls import join_url
from ketapress.posts.source.stem import post_stem

ANYWHERE = "/"
"""What stands before a name; no path inside `posts/` begins so."""


class Pages(Mapping[str, str]):
    """URLs by paths, of what stands where under the site; the names are gathered when the first link asks for one."""

    def __init__(self, site_url: str, posts: Mapping[str, str], files: Mapping[str, str]) -> None:
        self._site_url = site_url
        self._posts = posts
        self._files = files

    def __getitem__(self, path: str) -> str:
        if path.startswith(ANYWHERE):
            return self._by_name[path.removeprefix(ANYWHERE).casefold()]
        return join_url(self._site_url, self._posts[path] if path in self._posts else self._files[path])

    def __iter__(self) -> Iterator[str]:
        return iter(self._posts)

    def __len__(self) -> int:
        return len(self._posts)

    @cached_property
    def _by_name(self) -> dict[str, str]:
        found: dict[str, str] = {}
        names = [(post_stem(path), url) for path, url in self._posts.items()]
        names += [(path.rpartition("/")[2], url) for path, url in self._files.items()]
        for name, url in names:
            found[name.casefold()] = "" if name.casefold() in found else url
        return {name: join_url(self._site_url, url) for name, url in found.items() if url}
