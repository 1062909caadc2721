"""What becomes of applicants: new, changed, unchanged or refused, and the rows that follow from it.

Part of the edge: works on a connection, inside a transaction that somebody else opened. It never turns back on what
a subscriber, or a dead mailbox, turned off.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, literal, select, update

from ketapress.model.address import address_key, parsed_address
from ketapress.model.subscriber import (
    Added,
    Applicant,
    ConsentEvent,
    Refusal,
    Subscriber,
    SubscriptionState,
)
from ketapress.store.db.schema import consents, instant, subscribers, subscriptions, upsert
from ketapress.store.statements.consent import erased_hash, erasure_key, people, persons, record_consent

CHUNK = 1000  # applicants a transaction: short enough that a sender beside it hardly waits

_RENAME = (
    update(subscribers)
    .where(subscribers.c.id == bindparam("person"))
    .values(name=bindparam("new_name"), lang=bindparam("new_lang"))
)
_OBJECTIONS = {
    SubscriptionState.LEFT: "left {newsletter} on {since:%Y-%m-%d}; only the subscriber can come back",
    SubscriptionState.UNREACHABLE: "is unreachable since {since:%Y-%m-%d}, mail to it came back; "
    "only the subscriber can come back",
}


def chunks(applicants: Iterable[Applicant]) -> Iterator[list[Applicant]]:
    """The applicants in portions, none of which holds an address twice: the later line meets the earlier one's row."""
    chunk: dict[str, Applicant] = {}
    for applicant in applicants:
        key = address_key(applicant.address)
        if len(chunk) == CHUNK or key in chunk:
            yield list(chunk.values())
            chunk = {}
        chunk[key] = applicant
    if chunk:
        yield list(chunk.values())


class Intake:
    """Takes in applicants for some newsletters, on somebody's word, inside one transaction."""

    def __init__(self, connection: Connection, newsletters: Sequence[str], by: str, now: datetime) -> None:
        self._connection = connection
        self._newsletters = tuple(dict.fromkeys(newsletters))
        self._by = by
        self._now = now

    def take(self, applicants: Sequence[Applicant], *, dry_run: bool) -> Added:
        """Sorts them by what is known of each, then writes all of a kind with one statement."""
        keys = [address_key(applicant.address) for applicant in applicants]
        known = self._known(keys)
        erased = self._erased(keys)
        new: list[Applicant] = []
        changed: list[tuple[Applicant, Subscriber]] = []
        refused: list[Refusal] = []
        for key, applicant in zip(keys, applicants, strict=True):
            person = known.get(key)
            if why := self._objection(applicant, person, erased=key in erased):
                refused.append(Refusal(applicant.line, applicant.address, why))
            elif person is None:
                new.append(applicant)
            elif self._missing(person) or _renames(applicant, person):
                changed.append((applicant, person))
        if not dry_run:
            self._insert(new)
            self._update(changed)
        unchanged = len(applicants) - len(new) - len(changed) - len(refused)
        return Added(added=len(new), updated=len(changed), unchanged=unchanged, refused=tuple(refused))

    def _known(self, keys: Collection[str]) -> dict[str, Subscriber]:
        rows = self._connection.execute(people().where(subscribers.c.address_key.in_(keys))).all()
        return {address_key(person.address): person for person in persons(rows)}

    def _erased(self, keys: Collection[str]) -> frozenset[str]:
        """Those of the keys that belong to people who were erased."""
        somebody = select(consents.c.id).where(consents.c.erased.is_not(None)).limit(1)
        if self._connection.scalar(somebody) is None:
            return frozenset()
        erasure = erasure_key(self._connection)
        hashes = {erased_hash(erasure, key): key for key in keys}
        found = self._connection.scalars(select(consents.c.erased).where(consents.c.erased.in_(hashes)))
        return frozenset(hashes[each] for each in found)

    def _objection(self, applicant: Applicant, person: Subscriber | None, *, erased: bool) -> str:
        """Why this applicant is not taken; empty for one who is."""
        try:
            parsed_address(applicant.address)
        except ValueError as fault:
            return str(fault)
        if erased:
            return "asked to be erased; only the subscriber can come back"
        for subscription in person.subscriptions if person else ():
            if subscription.newsletter in self._newsletters and subscription.state in _OBJECTIONS:
                return _OBJECTIONS[subscription.state].format(
                    newsletter=subscription.newsletter, since=subscription.since
                )
        return ""

    def _missing(self, person: Subscriber) -> tuple[str, ...]:
        """The newsletters that the person does not get yet."""
        active = {each.newsletter for each in person.subscriptions if each.state is SubscriptionState.ACTIVE}
        return tuple(name for name in self._newsletters if name not in active)

    def _insert(self, new: Sequence[Applicant]) -> None:
        if not new:
            return
        rows = [
            {
                "address": applicant.address,
                "address_key": address_key(applicant.address),
                "name": applicant.name,
                "lang": applicant.lang,
                "created_at": self._now,
            }
            for applicant in new
        ]
        # Another process may have added the same person since we looked: then theirs stands.
        # What it returns is not used, but makes SQLAlchemy send many rows with one statement.
        insert = upsert(self._connection.dialect.name, subscribers).on_conflict_do_nothing(
            index_elements=["address_key"]
        )
        self._connection.execute(insert.returning(subscribers.c.id), rows)
        for newsletter in self._newsletters:
            self._subscribe(subscribers.c.address_key.in_([row["address_key"] for row in rows]), newsletter)

    def _update(self, changed: Sequence[tuple[Applicant, Subscriber]]) -> None:
        renamed = [
            {
                "person": person.id,
                "new_name": applicant.name or person.name,
                "new_lang": applicant.lang or person.lang,
            }
            for applicant, person in changed
            if _renames(applicant, person)
        ]
        if renamed:
            self._connection.execute(_RENAME, renamed)
        for newsletter in self._newsletters:
            missing = [person.id for _, person in changed if newsletter in self._missing(person)]
            if missing:
                self._subscribe(subscribers.c.id.in_(missing), newsletter)

    def _subscribe(self, who: ColumnElement[bool], newsletter: str) -> None:
        """Active from now on, and written down. A pending subscription becomes active by the same statement."""
        active = literal(SubscriptionState.ACTIVE, subscriptions.c.state.type)
        rows = select(subscribers.c.id, literal(newsletter), active, instant(self._now)).where(who)
        insert = upsert(self._connection.dialect.name, subscriptions)
        ids = self._connection.scalars(
            insert.from_select(
                ["subscriber_id", "newsletter", "state", "since"], rows.order_by(subscribers.c.id)
            )
            .on_conflict_do_update(
                index_elements=["subscriber_id", "newsletter"],
                set_={"state": insert.excluded.state, "since": insert.excluded.since},
                where=subscriptions.c.state == SubscriptionState.PENDING,
            )
            .returning(subscriptions.c.id)
        ).all()
        record_consent(self._connection, subscriptions.c.id.in_(ids), ConsentEvent.ADDED, self._by, self._now)


def _renames(applicant: Applicant, person: Subscriber) -> bool:
    """Whether the applicant brings a name or a language that is not the one we have. Leaving it out changes nothing."""
    return (applicant.name or person.name, applicant.lang or person.lang) != (person.name, person.lang)
