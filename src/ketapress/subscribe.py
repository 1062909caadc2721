"""Act: people come, go, and are looked up. Joins lists of people with the store.

In: what an operator typed or a file holds, the store, `now`. Out: counts, refusals, subscribers, histories. The one
who acts (`by`) is written down as the evidence of consent. It reads no files and prints nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from ketapress.model.address import parsed_mailbox
from ketapress.model.errors import Problem, UsageError
from ketapress.model.settings import Settings
from ketapress.model.subscriber import Added, Applicant, Event, Refusal, Subscriber
from ketapress.store.store import Store
from ketapress.subscribers.csv_format import applicants, subscribers_csv


def chosen_newsletters(settings: Settings, names: Sequence[str]) -> tuple[str, ...]:
    """The newsletters somebody is to be subscribed to: those named, or the only one there is. Raises UsageError."""
    known = tuple(settings.newsletters)
    listed = ", ".join(known) or "none yet"
    for name in names:
        if name not in known:
            raise UsageError(
                Problem(
                    code="newsletter.unknown",
                    message=f"there is no newsletter `{name}`; ketapress.toml has {listed}.",
                    cure=f"Name one of these, or add [newsletters.{name}].",
                )
            )
    if not names and len(known) != 1:
        raise UsageError(
            Problem(
                code="newsletter.unnamed",
                message=f"it is not clear which newsletter is meant; ketapress.toml has {listed}.",
                cure="Name one or more of them with --newsletter.",
            )
        )
    return tuple(dict.fromkeys(names)) or known


def import_people(
    store: Store,
    data: bytes,
    settings: Settings,
    names: Sequence[str],
    by: str,
    now: datetime,
    *,
    dry_run: bool = False,
) -> Added:
    """Adds everybody in a CSV; each line that holds anything is counted once, and each refused one says why.

    A line that names a newsletter is about that one alone, as in our own export; `names` are the newsletters that the
    operator asked for. Raises UsageError where neither tells which newsletter is meant.
    """
    wanted: dict[str, list[Applicant]] = {}
    refused: list[Refusal] = []
    for each in applicants(data):
        if isinstance(each, Refusal):
            refused.append(each)
        elif why := _unwanted(each.newsletter, settings, names):
            refused.append(Refusal(each.line, each.newsletter, why))
        else:
            wanted.setdefault(each.newsletter, []).append(each)
    total = Added(refused=tuple(refused))
    for newsletter, people in wanted.items():
        chosen = (newsletter,) if newsletter else chosen_newsletters(settings, names)
        total += store.subscribers.add(people, chosen, by, now, dry_run=dry_run)
    return replace(total, refused=tuple(sorted(total.refused, key=lambda refusal: refusal.line or 0)))


def _unwanted(newsletter: str, settings: Settings, names: Sequence[str]) -> str | None:
    """Why a line about this newsletter is not taken; None where it is."""
    if newsletter and newsletter not in settings.newsletters:
        return "there is no newsletter of that name in ketapress.toml"
    if newsletter and names and newsletter not in names:
        return f"it is about another newsletter than {', '.join(names)}"
    return None


def add_people(
    store: Store,
    people: Sequence[str],
    newsletters: Sequence[str],
    by: str,
    now: datetime,
    *,
    dry_run: bool = False,
) -> Added:
    """Adds people as they are typed, `ada@example.org` or `Ada <ada@example.org>`; what is no address is refused."""
    taken: list[Applicant] = []
    refused: list[Refusal] = []
    for who in people:
        try:
            mailbox = parsed_mailbox(who)
        except ValueError as fault:
            refused.append(Refusal(None, who, str(fault)))
        else:
            taken.append(Applicant(address=mailbox.address, name=mailbox.name))
    added = store.subscribers.add(taken, newsletters, by, now, dry_run=dry_run)
    return replace(added, refused=(*refused, *added.refused))


def remove_person(store: Store, address: str, newsletter: str | None, by: str, now: datetime) -> int:
    """Ends the person's consent, to one newsletter or all; how many subscriptions that ended. Raises UsageError."""
    person(store, address)
    return store.subscribers.remove(address, newsletter, by, now)


def holder(store: Store, subscription_id: int) -> Subscriber | None:
    """The person that a link in a mail was made for; None where they were erased since."""
    return store.subscribers.holder(subscription_id)


def leave(store: Store, subscription_ids: Sequence[int], now: datetime) -> int:
    """The subscriber ends these subscriptions by a link in a mail; how many had not ended before.

    What is queued for them is not sent any more, up to the message whose last dot is on the wire.
    """
    return sum(store.subscribers.leave(each, now) for each in subscription_ids)


def erase_person(store: Store, address: str, by: str, now: datetime) -> None:
    """Removes the person from the store for good. Raises UsageError if nobody has the address."""
    if not store.subscribers.erase(address, by, now):
        raise UsageError(_nobody(address))


def export_people(store: Store, newsletter: str | None) -> Iterator[str]:
    """The complete list as CSV, line by line, with those who left; `import_people` takes it back."""
    return subscribers_csv(store.subscribers.by_newsletter(newsletter))


def person(store: Store, address: str) -> Subscriber:
    """Who has this address. Raises UsageError if nobody has."""
    found = store.subscribers.find(address)
    if found is None:
        raise UsageError(_nobody(address))
    return found


def person_history(store: Store, address: str) -> tuple[Event, ...]:
    """Changes of consent and deliveries, oldest first. Raises UsageError if nobody has the address."""
    person(store, address)
    return store.subscribers.history(address)


def _nobody(address: str) -> Problem:
    return Problem(
        code="subscriber.unknown",
        message=f"nobody with the address {address!r} is subscribed, or ever was.",
        cure="`ketapress subscribers list` shows who is.",
    )
