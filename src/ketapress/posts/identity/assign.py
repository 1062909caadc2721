"""Assign each post what is decided once: its id, its URL, when it was published and when its content last changed.

Where the file of a published post is missing and an unknown one has appeared, the new post is held and a person is
asked whether they are the same, because mailing a post twice cannot be undone. No files are read or written.
"""

from collections.abc import Callable, Container, Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from ketapress.model.errors import Problem, Severity
from ketapress.model.sample_post import SAMPLE_POST_HASHES
from ketapress.model.urls import encode_path, join_url
from ketapress.posts.identity.match import get_header_id, match_posts
from ketapress.posts.identity.registry import Registry, RegistryEntry
from ketapress.posts.parsing.parse import ParsedPost

_SECOND = timedelta(seconds=1)
_FAR_FUTURE = timedelta(days=2 * 365)  # few posts are planned further ahead, and a typo in the year is
_MAX_FILES = 3  # missing files that one question names


class IdentityRules(NamedTuple):
    """The moment of the build, and the settings about dates and URLs. Dates without a zone are in `zone`."""

    now: datetime
    late_posts: timedelta
    site_url: str
    zone: tzinfo


class IdentifiedPost(NamedTuple):
    """A parsed post with its entry in the registry."""

    parsed_post: ParsedPost
    entry: RegistryEntry


class IdentityResult(NamedTuple):
    """The posts in the order of their paths, the registry to save, and what a person should know."""

    posts: tuple[IdentifiedPost, ...]
    registry: Registry
    problems: tuple[Problem, ...]


def assign_identities(
    parsed_posts: Iterable[ParsedPost],
    unreadable_paths: frozenset[str],
    registry: Registry,
    rules: IdentityRules,
) -> IdentityResult:
    """Match parsed posts with the registry, and decide the entries that are new or changed.

    `unreadable_paths` are files and folders that exist and cannot be read: their posts are not missing.
    """
    rules = rules._replace(now=rules.now.astimezone(UTC).replace(microsecond=0))
    result = match_posts(parsed_posts, unreadable_paths, registry.entries, rules.site_url)
    newly_missing = [
        entry
        for entry in result.missing
        if entry.published and not entry.gone and entry.sha256 not in SAMPLE_POST_HASHES
    ]
    assigner = _IdentityAssigner(registry, rules, newly_missing)
    pairs = sorted(
        result.pairs, key=lambda pair: (not assigner.can_publish(*pair), pair[0].date, pair[0].path)
    )
    posts = sorted((assigner.identify(*pair) for pair in pairs), key=lambda post: post.parsed_post.path)
    has_question, paths = any(post.entry.held for post in posts), {post.entry.path for post in posts}
    missing_entries = [
        _mark_missing(entry, paths, None if has_question else rules.now)
        for entry in result.missing
        if entry.published
    ]
    entries = [*(post.entry for post in posts), *result.unreadable, *missing_entries]
    return IdentityResult(
        tuple(posts),
        Registry(
            registry.first_built or rules.now,
            tuple(sorted(entries, key=lambda entry: entry.id)),
            registry.raw_lines,
        ),
        (*result.problems, *assigner.problems),
    )


def _mark_missing(entry: RegistryEntry, paths: Container[str], now: datetime | None) -> RegistryEntry:
    """Return the entry of a post whose file is missing. `now` is None while a person is asked about missing files."""
    if entry.gone:
        return entry
    return entry._replace(gone=now, displaced=now is None and (entry.displaced or entry.path in paths))


class _IdentityAssigner:
    """Decides the entries one by one, and knows which ids, URLs and moments of updates are taken."""

    def __init__(
        self, registry: Registry, rules: IdentityRules, missing_entries: list[RegistryEntry]
    ) -> None:
        published_entries = [entry for entry in registry.entries if entry.published]
        self.rules = rules
        self.is_first_build = registry.first_built is None
        self.missing_entries = missing_entries
        self.problems: list[Problem] = []
        self.ids = {entry.id for entry in published_entries}
        self.urls = {url for entry in published_entries for url in (entry.url, *entry.aliases)}
        self.update_moments = {entry.updated for entry in published_entries}
        # Where each search for a free URL or moment goes on: many posts of one name take no quadratic time
        self.last_numbers: dict[str, int] = {}
        self.last_moments: dict[datetime, tuple[datetime, timedelta]] = {}

    def can_publish(self, parsed_post: ParsedPost, entry: RegistryEntry | None) -> bool:
        """Whether the post can be public now: no draft, not on hold, no open question, no date in the future."""
        return parsed_post.date <= self.rules.now and not self._is_withheld(parsed_post, entry)

    def identify(self, parsed_post: ParsedPost, entry: RegistryEntry | None) -> IdentifiedPost:
        """Return the post with its entry from now on. `entry` is the one it has had, if any."""
        if entry is None or entry.published is None:
            new_entry = self._create_entry(parsed_post, entry)
        else:
            new_entry = self._update_content(parsed_post, self._update_url(parsed_post, entry))
        self.problems += self._find_problems(parsed_post, new_entry)
        return IdentifiedPost(parsed_post, new_entry)

    def _has_question(self, parsed_post: ParsedPost, entry: RegistryEntry | None) -> bool:
        """Whether the post may be a missing one: it was not published before, and has no id in its header."""
        is_unknown = not self.is_first_build and (entry is None or entry.held)
        return bool(self.missing_entries) and is_unknown and parsed_post.fields.id is None

    def _is_withheld(self, parsed_post: ParsedPost, entry: RegistryEntry | None) -> bool:
        return parsed_post.draft or parsed_post.fields.hold or self._has_question(parsed_post, entry)

    def _create_entry(self, parsed_post: ParsedPost, entry: RegistryEntry | None) -> RegistryEntry:
        """Return the entry of a post that was not published before; it is published now, or waits."""
        url = self._choose_url(
            parsed_post, str(parsed_post.date.astimezone(self.rules.zone).year), self._is_url_taken
        )
        post_id = get_header_id(parsed_post, self.rules.site_url) or join_url(self.rules.site_url, url)
        self.ids.add(post_id)
        due = parsed_post.date.astimezone(UTC)
        published, in_editions = None, True
        if self.can_publish(parsed_post, entry):
            published, in_editions = self._decide_publication(due, entry)
        return RegistryEntry(
            id=post_id,
            path=parsed_post.path,
            url=url,
            sha256=parsed_post.sha256,
            first_seen=entry.first_seen if entry else self.rules.now,
            published=published,
            updated=self._choose_moment(published) if published else None,
            due=None if published or self._is_withheld(parsed_post, entry) else due,
            held=self._has_question(parsed_post, entry),
            in_editions=in_editions,
        )

    def _decide_publication(self, due: datetime, entry: RegistryEntry | None) -> tuple[datetime, bool]:
        """Return when a post that can be public counts as published, and whether it may go into editions."""
        if self.is_first_build or (entry and entry.due == due):
            return due, True
        if entry or due >= self.rules.now - self.rules.late_posts:
            return self.rules.now, True
        return due, False

    def _update_url(self, parsed_post: ParsedPost, entry: RegistryEntry) -> RegistryEntry:
        """Return the entry of a published post, with a new URL where its author chose a new `slug`."""
        folder, _, page = entry.url.rpartition("/")
        stem, number = page.removesuffix(".html"), ""
        slug = encode_path(parsed_post.slug)
        if stem.startswith(f"{slug}-"):
            number = stem.removeprefix(f"{slug}-")
        if not parsed_post.has_explicit_slug or stem == slug or number.isdigit():
            return entry
        other_urls = self.urls - {entry.url, *entry.aliases}
        url = self._choose_url(parsed_post, folder, lambda _, url: url in other_urls)
        aliases = tuple(alias for alias in (*entry.aliases, entry.url) if alias != url)
        return entry._replace(url=url, aliases=tuple(dict.fromkeys(aliases)))

    def _update_content(self, parsed_post: ParsedPost, entry: RegistryEntry) -> RegistryEntry:
        """Return the entry of a published post, for the current path and content of its file."""
        if entry.has_own_path and (entry.path, entry.sha256) == (parsed_post.path, parsed_post.sha256):
            return entry
        updated = entry.updated
        if entry.sha256 != parsed_post.sha256:
            updated = self._choose_moment(max(self.rules.now, entry.published or self.rules.now))
        return entry._replace(
            path=parsed_post.path, sha256=parsed_post.sha256, updated=updated, gone=None, displaced=False
        )

    def _choose_url(
        self, parsed_post: ParsedPost, folder: str, is_taken: Callable[[ParsedPost, str], bool]
    ) -> str:
        """Return the post's URL, with a number where the plain one is taken. `index` is the list of the folder's posts."""
        name = encode_path(parsed_post.slug)
        preferred_url = url = f"{folder}/{name}.html"
        number = self.last_numbers.get(preferred_url, 1)
        while (name == "index" and number == 1) or is_taken(parsed_post, url):
            number += 1
            url = f"{folder}/{name}-{number}.html"
        self.last_numbers[preferred_url] = number
        self.urls.add(url)
        if url != preferred_url:
            self.problems.append(
                _warning(
                    "post.same-address",
                    parsed_post,
                    f"`{preferred_url}` is the URL of another page, so the post gets `{url}`.",
                    "Give it a `slug:` of its own if you want another URL.",
                )
            )
        return url

    def _is_url_taken(self, parsed_post: ParsedPost, url: str) -> bool:
        """Whether a new post cannot have the URL: another post has it, or has the id that would be made of it."""
        return url in self.urls or (
            not parsed_post.fields.id and join_url(self.rules.site_url, url) in self.ids
        )

    def _choose_moment(self, moment: datetime) -> datetime:
        """Return the first second from `moment` on in which no post was updated, or one before it if that is in the future."""
        moment = moment.replace(microsecond=0)
        candidate, step = self.last_moments.get(moment, (moment, _SECOND))
        while candidate in self.update_moments:
            if step > timedelta(0) and candidate >= self.rules.now >= moment:
                candidate, step = moment, -_SECOND
            candidate += step
        self.update_moments.add(candidate)
        self.last_moments[moment] = (candidate, step)
        return candidate

    def _find_problems(self, parsed_post: ParsedPost, entry: RegistryEntry) -> Iterator[Problem]:
        """Yield what a person should know about the post."""
        if entry.held:
            files = ", ".join(
                f"`{missing.path}` (id {missing.id})" for missing in self.missing_entries[:_MAX_FILES]
            )
            yield _warning(
                "post.held",
                parsed_post,
                f"the post is held, because it may be a missing one under another name: {files}.",
                f"If it is, add `id: {self.missing_entries[0].id}` to its header; if it is another post, "
                f"add `id: {entry.id}`.",
            )._replace(needs_answer=True)
        if not entry.in_editions:
            yield _warning(
                "post.late",
                parsed_post,
                f"the post appeared more than {self.rules.late_posts.days} days after its date, so it is on the "
                "site and in no edition.",
                "Nothing has to be done; a new post with a new date would be mailed.",
            )
        if parsed_post.expires and parsed_post.expires <= parsed_post.date:
            yield _warning(
                "post.never-seen",
                parsed_post,
                "the post expires before its date, so it is never shown.",
                "Write a later `expires:`, or remove it.",
            )
        if entry.due and entry.due > self.rules.now + _FAR_FUTURE:
            years = parsed_post.date.year - self.rules.now.year
            yield _warning(
                "post.far",
                parsed_post,
                f"the post's date is {parsed_post.date:%Y-%m-%d}, {years} years from now; it is not shown until then.",
                "Fix the year, or leave it if it is right.",
            )
        header_id = get_header_id(parsed_post, self.rules.site_url)
        if header_id and header_id != entry.id:
            yield _warning(
                "post.id-pinned",
                parsed_post,
                f"the `id:` in the header is ignored: the post was published as {entry.id} and keeps that id.",
                f"Write `id: {entry.id}`, or remove the line.",
            )


def _warning(code: str, parsed_post: ParsedPost, message: str, cure: str) -> Problem:
    return Problem(
        code=code, severity=Severity.WARNING, message=message, cure=cure, path=f"posts/{parsed_post.path}"
    )
