"""The URLs that links in posts can lead to, by the path of a file or by its name alone.

Other tools let a link name a file wherever it is (Obsidian, Hugo, Jekyll). A name that two files have leads to neither.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

from ketapress.model.urls import join_url
from ketapress.posts.source.stem import post_stem

ANYWHERE = "/"
"""The prefix of a name without its folder; no path inside `posts/` begins with it."""


class Pages(Mapping[str, str]):
    """Full URLs by the paths of posts and attachments in `posts/`, and by `ANYWHERE` and a name.

    `posts` and `files` are paths under the site's URL. The names are collected when the first link needs one.
    """

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
        urls: dict[str, str] = {}
        names = [(post_stem(path), url) for path, url in self._posts.items()]
        names += [(path.rpartition("/")[2], url) for path, url in self._files.items()]
        for name, url in names:
            urls[name.casefold()] = "" if name.casefold() in urls else url
        return {name: join_url(self._site_url, url) for name, url in urls.items() if url}
