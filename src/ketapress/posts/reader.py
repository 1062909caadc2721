"""Read the files of `posts/` and render their posts. What the build cache has is neither read nor rendered again."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from ketapress.model.errors import KetapressError, Problem
from ketapress.posts.cache.codec import ParsedFile
from ketapress.posts.cache.post_cache import NewEntry, PostCache
from ketapress.posts.identity.assign import IdentifiedPost
from ketapress.posts.parsing.parse import ParsedPost, ParseRules, parse_post
from ketapress.posts.rendering.link_targets import Pages
from ketapress.posts.rendering.render import Body, render_body
from ketapress.posts.source.attachments import is_attachable, public_path
from ketapress.posts.source.files import display_path, find_paths, read_text
from ketapress.system.parallel import parallel_map

_MIN_PARALLEL_FILES = 300  # files that are worth a second process


class PostReader:
    """The files of a folder as they are listed once. First `read` them, then `render` the posts that they became."""

    def __init__(self, folder: Path, rules: ParseRules, cache: PostCache | None) -> None:
        self._folder = folder
        self._rules = rules
        self._cache = cache
        self._list_problems: list[Problem] = []
        self._other_paths: list[str] = []
        self._paths = list(find_paths(folder, self._list_problems, self._other_paths))
        # From before the files are read: one that changes meanwhile is read again by the next build.
        self._stamps = {path: cache.stamp(f"{folder}/{path}") if cache else "" for path in self._paths}
        self._files: dict[str, ParsedFile] = {}
        self._cached_files: frozenset[str] = frozenset()
        self.new_entries: dict[str, NewEntry] = {}
        """What the cache does not have yet, by path."""

    def read(self) -> tuple[list[ParsedPost], list[Problem]]:
        """Return the posts as their authors wrote them, and the problems of files that cannot be posts."""
        cached_file = self._cache.files(self._stamps) if self._cache else {}
        self._cached_files = frozenset(cached_file)
        paths_to_parse = [path for path in self._paths if path not in cached_file]
        results = dict(
            zip(paths_to_parse, parallel_map(self._parse, paths_to_parse, _MIN_PARALLEL_FILES), strict=True)
        )
        problems = self._list_problems.copy()
        for path in self._paths:
            result = cached_file.get(path) or results[path]
            if isinstance(result, ParsedFile):
                self._files[path] = result
            else:
                problems += result
        return [file.parsed_post for file in self._files.values()], problems

    def warnings(self) -> list[Problem]:
        """Return the warnings about files that are posts."""
        return [problem for file in self._files.values() for problem in file.warnings]

    def render(self, posts: Iterable[IdentifiedPost], site_url: str) -> tuple[dict[str, Body], list[Problem]]:
        """Return the bodies of posts, by their paths, and the problems of files that cannot be read any more."""
        posts_by_path = {post.parsed_post.path: post for post in posts}
        urls = {path: post.entry.url for path, post in posts_by_path.items()}
        files = {path: public_path(path) for path in self._other_paths if is_attachable(path)}
        pages = Pages(site_url, urls, files)
        bodies = self._cached_bodies(posts_by_path, pages)
        posts_to_render = [path for path in posts_by_path if path not in bodies]
        render = partial(self._render, pages=pages, site_url=site_url)
        results = parallel_map(render, [posts_by_path[path] for path in posts_to_render], _MIN_PARALLEL_FILES)
        problems: list[Problem] = []
        for path, result in zip(posts_to_render, results, strict=True):
            if isinstance(result, Body):
                bodies[path] = result
                self._add_entry(posts_by_path[path], result, pages)
            else:
                problems += result
        return bodies, problems

    def _parse(self, path: str) -> ParsedFile | tuple[Problem, ...]:
        """Return what a file contains, or why it cannot be a post."""
        try:
            parsed_post, warnings = parse_post(path, read_text(self._folder, path), self._rules)
        except KetapressError as error:
            return tuple(problem.with_location(display_path(path)) for problem in error.problems)
        return ParsedFile(
            parsed_post, tuple(problem.with_location(display_path(path)) for problem in warnings)
        )

    def _render(
        self, post: IdentifiedPost, pages: Mapping[str, str], site_url: str
    ) -> Body | tuple[Problem, ...]:
        """Return the body of a post; a file that came from the cache, without its HTML, is parsed again."""
        path = post.parsed_post.path
        if path in self._cached_files:
            file = self._parse(path)
            if not isinstance(file, ParsedFile):
                return file
            post = post._replace(parsed_post=file.parsed_post)
        return render_body(post, site_url, pages, partial(self._text, path))

    def _cached_bodies(
        self, posts: Mapping[str, IdentifiedPost], pages: Mapping[str, str]
    ) -> dict[str, Body]:
        if self._cache is None:
            return {}
        return self._cache.bodies(
            {
                path: self._body_key(self._cache, post, self._files[path].links, pages)
                for path, post in posts.items()
                if path in self._cached_files
            }
        )

    def _add_entry(self, post: IdentifiedPost, body: Body, pages: Mapping[str, str]) -> None:
        path = post.parsed_post.path
        if self._cache and self._stamps[path]:
            file = self._files[path]._replace(links=body.links)
            key = self._body_key(self._cache, post, body.links, pages)
            self.new_entries[path] = NewEntry(self._stamps[path], file, key, body)

    def _body_key(
        self, cache: PostCache, post: IdentifiedPost, links: Iterable[str], pages: Mapping[str, str]
    ) -> str:
        targets = {link: pages.get(link) for link in links}
        return cache.body_key(self._stamps[post.parsed_post.path], post.entry, targets)

    def _text(self, path: str) -> str:
        """Return the text of a file that was read before; empty where it is gone meanwhile."""
        try:
            return read_text(self._folder, path)
        except KetapressError:
            return ""
