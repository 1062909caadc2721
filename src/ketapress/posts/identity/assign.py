"""What is decided once and kept: a post's id, its address, when it was published and when its content last changed.

In come manuscripts and what is remembered, out go posts with their records, and the records to remember. Where a
published file vanished and an unknown one came, the new one is held and a person is asked, because mailing a post
twice cannot be undone. Nothing is read or written here.
"""

from collections.abc import Callable, Container, Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from ketapress.model.errors import Problem, Severity
from ketapress.model.urls import encode_path, join_url
from ketapress.posts.identity.match import get_header_id, match_posts
from ketapress.posts.identity.registry import Registry, RegistryEntry
from ketapress.posts.parsing.parse import ParsedPost

_SECOND = timedelta(seconds=1)
_FAR_FUTURE = timedelta(days=2 * 365)  # a newspaper plans no further ahead; a slip of a digit goes further
_MAX_FILES = 3  # vanished files in one question


class IdentityRules(NamedTuple):
    """The moment of the reading, and what the settings say about dates and addresses."""

    now: datetime
    late_posts: timedelta
    site_url: str
    zone: tzinfo


class IdentifiedPost(NamedTuple):
    """A manuscript and what is kept of it."""

    parsed_post: ParsedPost
    entry: RegistryEntry


class IdentityResult(NamedTuple):
    """Every manuscript that is a post, in the order of paths; what to remember; what a person should know."""

    posts: tuple[IdentifiedPost, ...]
    registry: Registry
    problems: tuple[Problem, ...]


def assign_identities(
    parsed_posts: Iterable[ParsedPost],
    unreadable_paths: frozenset[str],
    registry: Registry,
    rules: IdentityRules,
) -> IdentityResult:
    """Return the posts with their records. `unread` are paths of files and folders that exist and cannot be read."""
    rules = rules._replace(now=rules.now.astimezone(UTC).replace(microsecond=0))
    result = match_posts(parsed_posts, unreadable_paths, registry.entries, rules.site_url)
    newly_missing = [entry for entry in result.missing if entry.published and not entry.gone]
    assigner = _IdentityAssigner(registry, rules, newly_missing)
    pairs = sorted(
        result.pairs, key=lambda pair: (not assigner.can_publish(*pair), pair[0].date, pair[0].path)
    )
    posts = sorted((assigner.identify(*pair) for pair in pairs), key=lambda post: post.parsed_post.path)
    has_question, paths = any(post.entry.held for post in posts), {post.entry.path for post in posts}
    missing = [
        _mark_missing(entry, paths, None if has_question else rules.now)
        for entry in result.missing
        if entry.published
    ]
    entries = [*(post.entry for post in posts), *result.unreadable, *missing]
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
    """The record of a post that is not there: gone since `now`, unless a person is being asked where it is."""
    if entry.gone:
        return entry
    return entry._replace(gone=now, displaced=now is None and (entry.displaced or entry.path in paths))


class _IdentityAssigner:
    """Decides post by post, and knows which ids, addresses and instants are taken."""

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
        self.last_numbers: dict[
            str, int
        ] = {}  # how far the search for a free address has come, so that it never begins anew
        self.last_moments: dict[datetime, tuple[datetime, timedelta]] = {}  # the same for instants

    def can_publish(self, parsed_post: ParsedPost, entry: RegistryEntry | None) -> bool:
        """Whether nothing keeps the post back now: no draft, no hold, no question, no date to come."""
        return parsed_post.date <= self.rules.now and not self._is_withheld(parsed_post, entry)

    def identify(self, parsed_post: ParsedPost, entry: RegistryEntry | None) -> IdentifiedPost:
        """The manuscript with its record as it has to be from now on."""
        if entry is None or entry.published is None:
            new_entry = self._create_entry(parsed_post, entry)
        else:
            new_entry = self._update_content(parsed_post, self._update_url(parsed_post, entry))
        self.problems += self._find_problems(parsed_post, new_entry)
        return IdentifiedPost(parsed_post, new_entry)

    def _has_question(self, parsed_post: ParsedPost, entry: RegistryEntry | None) -> bool:
        """Whether the post may be one that vanished: nobody has seen it before, and it names no id."""
        is_unknown = not self.is_first_build and (entry is None or entry.held)
        return bool(self.missing_entries) and is_unknown and parsed_post.fields.id is None

    def _is_withheld(self, parsed_post: ParsedPost, entry: RegistryEntry | None) -> bool:
        return parsed_post.draft or parsed_post.fields.hold or self._has_question(parsed_post, entry)

    def _create_entry(self, parsed_post: ParsedPost, entry: RegistryEntry | None) -> RegistryEntry:
        """The record of a post that was never published: published now, or waiting."""
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
        """When a post counts as published that may be now, and whether editions may have it."""
        if self.is_first_build or (entry and entry.due == due):
            return due, True
        if entry or due >= self.rules.now - self.rules.late_posts:
            return self.rules.now, True
        return due, False

    def _update_url(self, parsed_post: ParsedPost, entry: RegistryEntry) -> RegistryEntry:
        """A published post's record, at a new address where its author chose a new `slug`."""
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
        """A published post's record, for the file and the content that it has now."""
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
        """The post's address, with a number where another one has it. `index` belongs to the archive."""
        name = encode_path(parsed_post.slug)
        preferred_url = url = f"{folder}/{name}.html"
        number = self.last_numbers.get(preferred_url, 1)
        while (name == "index" and number == 1) or is_taken(parsed_post, url):
            number += 1
            url = f"{folder}/{name}-{number}.html"
        self.last_numbers[preferred_url] = number
        self.urls.add(url)
        if url != preferred_url:
            self.problems.append(_url_conflict(parsed_post, preferred_url, url))
        return url

    def _is_url_taken(self, parsed_post: ParsedPost, url: str) -> bool:
        """Whether a new post cannot have the address, because a page or a post's id has it."""
        return url in self.urls or (
            not parsed_post.fields.id and join_url(self.rules.site_url, url) in self.ids
        )

    def _choose_moment(self, moment: datetime) -> datetime:
        """The next second that no post was updated in; before it, where that second is still to come."""
        moment = moment.replace(microsecond=0)
        candidate, step = self.last_moments.get(moment, (moment, _SECOND))
        while candidate in self.update_moments:
            if step > timedelta(0) and candidate >= self.rules.now >= moment:
                candidate, step = moment, -_SECOND
            candidate += step
        self.update_moments.add(candidate)
        self.last_moments[moment] = (candidate, step)
        return candidate

    def _find_problems(self, parsed_post: ParsedPost, entry: RegistryEntry) -> list[Problem]:
        """What a person should know about the post."""
        problems = []
        if entry.held:
            problems.append(_question(parsed_post, entry, self.missing_entries))
        if not entry.in_editions:
            problems.append(_late(parsed_post, self.rules.late_posts))
        if parsed_post.expires and parsed_post.expires <= parsed_post.date:
            problems.append(_never_seen(parsed_post))
        if entry.due and entry.due > self.rules.now + _FAR_FUTURE:
            problems.append(_far(parsed_post, self.rules.now))
        header_id = get_header_id(parsed_post, self.rules.site_url)
        if header_id and header_id != entry.id:
            problems.append(_fixed_id(parsed_post, entry))
        return problems


def _question(parsed_post: ParsedPost, entry: RegistryEntry, missing_entries: list[RegistryEntry]) -> Problem:
    files = ", ".join(
        f"`{missing_entry.path}` (id {missing_entry.id})" for missing_entry in missing_entries[:_MAX_FILES]
    )
    question = _warning(
        "post.held",
        parsed_post,
        f"it is held: {files} vanished, and this may be the same post under another name.",
        f"If it is, add `id: {missing_entries[0].id}` to its header; if it is another post, add `id: {entry.id}`.",
    )
    return question._replace(needs_answer=True)


def _late(parsed_post: ParsedPost, late_posts: timedelta) -> Problem:
    return _warning(
        "post.late",
        parsed_post,
        f"it came more than {late_posts.days} days after its date, so it is on the web and in no edition.",
        "Nothing has to be done; a new post with a new date would be mailed.",
    )


def _never_seen(parsed_post: ParsedPost) -> Problem:
    return _warning(
        "post.never-seen",
        parsed_post,
        "it expires before its date, so nobody ever sees it.",
        "Write a later `expires:`, or take it out.",
    )


def _far(parsed_post: ParsedPost, now: datetime) -> Problem:
    return _warning(
        "post.far",
        parsed_post,
        f"its date is {parsed_post.date:%Y-%m-%d}, {parsed_post.date.year - now.year} years from now; until then it is not seen.",
        "Mend the year, or leave it if that is meant.",
    )


def _fixed_id(parsed_post: ParsedPost, entry: RegistryEntry) -> Problem:
    return _warning(
        "post.id-pinned",
        parsed_post,
        f"its `id:` is not taken: the post was published as {entry.id} and stays it.",
        f"Write `id: {entry.id}`, or take the line out.",
    )


def _url_conflict(parsed_post: ParsedPost, preferred_url: str, url: str) -> Problem:
    return _warning(
        "post.same-address",
        parsed_post,
        f"`{preferred_url}` is another page's address, so the post has `{url}`.",
        "Give it a `slug:` of its own if you want another.",
    )


def _warning(code: str, parsed_post: ParsedPost, message: str, cure: str) -> Problem:
    return Problem(
        code=code, severity=Severity.WARNING, message=message, cure=cure, path=f"posts/{parsed_post.path}"
    )
