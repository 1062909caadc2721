"""What is decided once and kept: a post's id, its address, when it was published and when its content last changed.

In come manuscripts and what is remembered, out go posts with their records, and the records to remember. Where a
published file vanished and an unknown one came, the new one is held and a person is asked, because mailing a post
twice cannot be undone. Nothing is read or written here.
"""

from collections.abc import Callable, Container, Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from ketapress.model.errors import Problem, Severity
from ketapress.model.urls import encoded_path, joined
from ketapress.posts.identity.match import matches, own_id
from ketapress.posts.identity.registry import Record, Records
from ketapress.posts.parsing.parse import Manuscript

_SECOND = timedelta(seconds=1)
_FAR = timedelta(days=2 * 365)  # a newspaper plans no further ahead; a slip of a digit goes further
_NAMED_AT_MOST = 3  # vanished files in one question


class PinningRules(NamedTuple):
    """The moment of the reading, and what the settings say about dates and addresses."""

    now: datetime
    late_posts: timedelta
    site_url: str
    zone: tzinfo


class Pinned(NamedTuple):
    """A manuscript and what is kept of it."""

    manuscript: Manuscript
    record: Record


class Pinning(NamedTuple):
    """Every manuscript that is a post, in the order of paths; what to remember; what a person should know."""

    posts: tuple[Pinned, ...]
    records: Records
    problems: tuple[Problem, ...]


def assign_identities(
    manuscripts: Iterable[Manuscript], unread: frozenset[str], records: Records, rules: PinningRules
) -> Pinning:
    """Return the posts with their records. `unread` are paths of files and folders that exist and cannot be read."""
    rules = rules._replace(now=rules.now.astimezone(UTC).replace(microsecond=0))
    found = matches(manuscripts, unread, records.entries, rules.site_url)
    vanished = [record for record in found.missing if record.published and not record.gone]
    desk = _Desk(records, rules, vanished)
    in_order = sorted(found.pairs, key=lambda pair: (not desk.may_publish(*pair), pair[0].date, pair[0].path))
    posts = sorted((desk.pinned(*pair) for pair in in_order), key=lambda post: post.manuscript.path)
    asking, taken = any(post.record.held for post in posts), {post.record.path for post in posts}
    gone = [
        _left(record, taken, None if asking else rules.now) for record in found.missing if record.published
    ]
    entries = [*(post.record for post in posts), *found.unread, *gone]
    return Pinning(
        tuple(posts),
        Records(
            records.first_built or rules.now,
            tuple(sorted(entries, key=lambda record: record.id)),
            records.lines,
        ),
        (*found.problems, *desk.problems),
    )


def _left(record: Record, taken: Container[str], now: datetime | None) -> Record:
    """The record of a post that is not there: gone since `now`, unless a person is being asked where it is."""
    if record.gone:
        return record
    return record._replace(gone=now, displaced=now is None and (record.displaced or record.path in taken))


class _Desk:
    """Decides post by post, and knows which ids, addresses and instants are taken."""

    def __init__(self, records: Records, rules: PinningRules, vanished: list[Record]) -> None:
        published = [record for record in records.entries if record.published]
        self.rules = rules
        self.first = records.first_built is None
        self.vanished = vanished
        self.problems: list[Problem] = []
        self.ids = {record.id for record in published}
        self.urls = {url for record in published for url in (record.url, *record.aliases)}
        self.instants = {record.updated for record in published}
        self.numbers: dict[
            str, int
        ] = {}  # how far the search for a free address has come, so that it never begins anew
        self.tried: dict[datetime, tuple[datetime, timedelta]] = {}  # the same for instants

    def may_publish(self, manuscript: Manuscript, record: Record | None) -> bool:
        """Whether nothing keeps the post back now: no draft, no hold, no question, no date to come."""
        return manuscript.date <= self.rules.now and not self._withheld(manuscript, record)

    def pinned(self, manuscript: Manuscript, record: Record | None) -> Pinned:
        """The manuscript with its record as it has to be from now on."""
        if record is None or record.published is None:
            kept = self._fresh(manuscript, record)
        else:
            kept = self._changed(manuscript, self._moved(manuscript, record))
        self.problems += self._remarks(manuscript, kept)
        return Pinned(manuscript, kept)

    def _asks(self, manuscript: Manuscript, record: Record | None) -> bool:
        """Whether the post may be one that vanished: nobody has seen it before, and it names no id."""
        unknown = not self.first and (record is None or record.held)
        return bool(self.vanished) and unknown and manuscript.fields.id is None

    def _withheld(self, manuscript: Manuscript, record: Record | None) -> bool:
        return manuscript.draft or manuscript.fields.hold or self._asks(manuscript, record)

    def _fresh(self, manuscript: Manuscript, record: Record | None) -> Record:
        """The record of a post that was never published: published now, or waiting."""
        url = self._free_url(
            manuscript, str(manuscript.date.astimezone(self.rules.zone).year), self._is_taken
        )
        name = own_id(manuscript, self.rules.site_url) or joined(self.rules.site_url, url)
        self.ids.add(name)
        due = manuscript.date.astimezone(UTC)
        published, in_editions = None, True
        if self.may_publish(manuscript, record):
            published, in_editions = self._publication(due, record)
        return Record(
            id=name,
            path=manuscript.path,
            url=url,
            sha256=manuscript.sha256,
            first_seen=record.first_seen if record else self.rules.now,
            published=published,
            updated=self._free_instant(published) if published else None,
            due=None if published or self._withheld(manuscript, record) else due,
            held=self._asks(manuscript, record),
            in_editions=in_editions,
        )

    def _publication(self, due: datetime, record: Record | None) -> tuple[datetime, bool]:
        """When a post counts as published that may be now, and whether editions may have it."""
        if self.first or (record and record.due == due):
            return due, True
        if record or due >= self.rules.now - self.rules.late_posts:
            return self.rules.now, True
        return due, False

    def _moved(self, manuscript: Manuscript, record: Record) -> Record:
        """A published post's record, at a new address where its author chose a new `slug`."""
        folder, _, page = record.url.rpartition("/")
        stem, number = page.removesuffix(".html"), ""
        wanted = encoded_path(manuscript.name)
        if stem.startswith(f"{wanted}-"):
            number = stem.removeprefix(f"{wanted}-")
        if not manuscript.explicit_slug or stem == wanted or number.isdigit():
            return record
        others = self.urls - {record.url, *record.aliases}
        url = self._free_url(manuscript, folder, lambda _, url: url in others)
        aliases = tuple(alias for alias in (*record.aliases, record.url) if alias != url)
        return record._replace(url=url, aliases=tuple(dict.fromkeys(aliases)))

    def _changed(self, manuscript: Manuscript, record: Record) -> Record:
        """A published post's record, for the file and the content that it has now."""
        if record.is_home and (record.path, record.sha256) == (manuscript.path, manuscript.sha256):
            return record
        updated = record.updated
        if record.sha256 != manuscript.sha256:
            updated = self._free_instant(max(self.rules.now, record.published or self.rules.now))
        return record._replace(
            path=manuscript.path, sha256=manuscript.sha256, updated=updated, gone=None, displaced=False
        )

    def _free_url(
        self, manuscript: Manuscript, folder: str, is_taken: Callable[[Manuscript, str], bool]
    ) -> str:
        """The post's address, with a number where another one has it. `index` belongs to the archive."""
        name = encoded_path(manuscript.name)
        wanted = url = f"{folder}/{name}.html"
        number = self.numbers.get(wanted, 1)
        while (name == "index" and number == 1) or is_taken(manuscript, url):
            number += 1
            url = f"{folder}/{name}-{number}.html"
        self.numbers[wanted] = number
        self.urls.add(url)
        if url != wanted:
            self.problems.append(_taken(manuscript, wanted, url))
        return url

    def _is_taken(self, manuscript: Manuscript, url: str) -> bool:
        """Whether a new post cannot have the address, because a page or a post's id has it."""
        return url in self.urls or (not manuscript.fields.id and joined(self.rules.site_url, url) in self.ids)

    def _free_instant(self, moment: datetime) -> datetime:
        """The next second that no post was updated in; before it, where that second is still to come."""
        moment = moment.replace(microsecond=0)
        wanted, step = self.tried.get(moment, (moment, _SECOND))
        while wanted in self.instants:
            if step > timedelta(0) and wanted >= self.rules.now >= moment:
                wanted, step = moment, -_SECOND
            wanted += step
        self.instants.add(wanted)
        self.tried[moment] = (wanted, step)
        return wanted

    def _remarks(self, manuscript: Manuscript, record: Record) -> list[Problem]:
        """What a person should know about the post."""
        found = []
        if record.held:
            found.append(_question(manuscript, record, self.vanished))
        if not record.in_editions:
            found.append(_late(manuscript, self.rules.late_posts))
        if manuscript.expires and manuscript.expires <= manuscript.date:
            found.append(_never_seen(manuscript))
        if record.due and record.due > self.rules.now + _FAR:
            found.append(_far(manuscript, self.rules.now))
        named = own_id(manuscript, self.rules.site_url)
        if named and named != record.id:
            found.append(_pinned_already(manuscript, record))
        return found


def _question(manuscript: Manuscript, record: Record, vanished: list[Record]) -> Problem:
    files = ", ".join(f"`{each.path}` (id {each.id})" for each in vanished[:_NAMED_AT_MOST])
    question = _warning(
        "post.held",
        manuscript,
        f"it is held: {files} vanished, and this may be the same post under another name.",
        f"If it is, add `id: {vanished[0].id}` to its header; if it is another post, add `id: {record.id}`.",
    )
    return question._replace(asks=True)


def _late(manuscript: Manuscript, late_posts: timedelta) -> Problem:
    return _warning(
        "post.late",
        manuscript,
        f"it came more than {late_posts.days} days after its date, so it is on the web and in no edition.",
        "Nothing has to be done; a new post with a new date would be mailed.",
    )


def _never_seen(manuscript: Manuscript) -> Problem:
    return _warning(
        "post.never-seen",
        manuscript,
        "it expires before its date, so nobody ever sees it.",
        "Write a later `expires:`, or take it out.",
    )


def _far(manuscript: Manuscript, now: datetime) -> Problem:
    return _warning(
        "post.far",
        manuscript,
        f"its date is {manuscript.date:%Y-%m-%d}, {manuscript.date.year - now.year} years from now; until then it is not seen.",
        "Mend the year, or leave it if that is meant.",
    )


def _pinned_already(manuscript: Manuscript, record: Record) -> Problem:
    return _warning(
        "post.id-pinned",
        manuscript,
        f"its `id:` is not taken: the post was published as {record.id} and stays it.",
        f"Write `id: {record.id}`, or take the line out.",
    )


def _taken(manuscript: Manuscript, wanted: str, given: str) -> Problem:
    return _warning(
        "post.same-address",
        manuscript,
        f"`{wanted}` is another page's address, so the post has `{given}`.",
        "Give it a `slug:` of its own if you want another.",
    )


def _warning(code: str, manuscript: Manuscript, message: str, cure: str) -> Problem:
    return Problem(
        code=code, severity=Severity.WARNING, message=message, cure=cure, path=f"posts/{manuscript.path}"
    )
