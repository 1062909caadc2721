"""Act: people come, go, and are looked up. Joins lists of people with the store.

In: what an operator typed or a file holds, the store, `now`. Out: counts, refusals, subscribers, histories. The one
who acts (`by`) is written down as the evidence of consent. It reads no files and prints nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from ketapress.model.address import parse_mailbox
from ketapress.model.errors import Problem, UsageError
from ketapress.model.settings import Settings
from ketapress.model.subscriber import HistoryEvent, ImportResult, ImportRow, RejectedRow, Subscriber
from ketapress.store.store import Store
from ketapress.subscribers.csv_format import parse_import_rows, subscriber_csv_lines


def select_newsletters(settings: Settings, names: Sequence[str]) -> tuple[str, ...]:
    """The newsletters somebody is to be subscribed to: those named, or the only one there is. Raises UsageError."""
    known_names = tuple(settings.newsletters)
    name_list = ", ".join(known_names) or "none yet"
    for name in names:
        if name not in known_names:
            raise UsageError(
                Problem(
                    code="newsletter.unknown",
                    message=f"there is no newsletter `{name}`; ketapress.toml has {name_list}.",
                    cure=f"Name one of these, or add [newsletters.{name}].",
                )
            )
    if not names and len(known_names) != 1:
        raise UsageError(
            Problem(
                code="newsletter.unnamed",
                message=f"it is not clear which newsletter is meant; ketapress.toml has {name_list}.",
                cure="Name one or more of them with --newsletter.",
            )
        )
    return tuple(dict.fromkeys(names)) or known_names


def import_subscribers(
    store: Store,
    data: bytes,
    settings: Settings,
    names: Sequence[str],
    origin: str,
    now: datetime,
    *,
    dry_run: bool = False,
) -> ImportResult:
    """Adds everybody in a CSV; each line that holds anything is counted once, and each refused one says why.

    A line that names a newsletter is about that one alone, as in our own export; `names` are the newsletters that the
    operator asked for. Raises UsageError where neither tells which newsletter is meant.
    """
    rows_by_newsletter: dict[str, list[ImportRow]] = {}
    rejected_rows: list[RejectedRow] = []
    for row in parse_import_rows(data):
        if isinstance(row, RejectedRow):
            rejected_rows.append(row)
        elif reason := _rejection_reason(row.newsletter, settings, names):
            rejected_rows.append(RejectedRow(row.line, row.newsletter, reason))
        else:
            rows_by_newsletter.setdefault(row.newsletter, []).append(row)
    result = ImportResult(refused=tuple(rejected_rows))
    for newsletter, rows in rows_by_newsletter.items():
        newsletters = (newsletter,) if newsletter else select_newsletters(settings, names)
        result += store.subscribers.add(rows, newsletters, origin, now, dry_run=dry_run)
    return replace(result, refused=tuple(sorted(result.refused, key=lambda refusal: refusal.line or 0)))


def _rejection_reason(newsletter: str, settings: Settings, names: Sequence[str]) -> str | None:
    """Why a line about this newsletter is not taken; None where it is."""
    if newsletter and newsletter not in settings.newsletters:
        return "there is no newsletter of that name in ketapress.toml"
    if newsletter and names and newsletter not in names:
        return f"it is about another newsletter than {', '.join(names)}"
    return None


def add_subscribers(
    store: Store,
    mailboxes: Sequence[str],
    newsletters: Sequence[str],
    origin: str,
    now: datetime,
    *,
    dry_run: bool = False,
) -> ImportResult:
    """Adds people as they are typed, `ada@example.org` or `Ada <ada@example.org>`; what is no address is refused."""
    rows: list[ImportRow] = []
    rejected_rows: list[RejectedRow] = []
    for text in mailboxes:
        try:
            mailbox = parse_mailbox(text)
        except ValueError as error:
            rejected_rows.append(RejectedRow(None, text, str(error)))
        else:
            rows.append(ImportRow(address=mailbox.address, name=mailbox.name))
    result = store.subscribers.add(rows, newsletters, origin, now, dry_run=dry_run)
    return replace(result, refused=(*rejected_rows, *result.refused))


def remove_subscriber(store: Store, address: str, newsletter: str | None, origin: str, now: datetime) -> int:
    """Ends the person's consent, to one newsletter or all; how many subscriptions that ended. Raises UsageError."""
    get_subscriber(store, address)
    return store.subscribers.remove(address, newsletter, origin, now)


def find_by_subscription(store: Store, subscription_id: int) -> Subscriber | None:
    """The person that a link in a mail was made for; None where they were erased since."""
    return store.subscribers.find_by_subscription(subscription_id)


def unsubscribe(store: Store, subscription_ids: Sequence[int], now: datetime) -> int:
    """The subscriber ends these subscriptions by a link in a mail; how many had not ended before.

    What is queued for them is not sent any more, up to the message whose last dot is on the wire.
    """
    return sum(store.subscribers.unsubscribe(subscription_id, now) for subscription_id in subscription_ids)


def erase_subscriber(store: Store, address: str, origin: str, now: datetime) -> None:
    """Removes the person from the store for good. Raises UsageError if nobody has the address."""
    if not store.subscribers.erase(address, origin, now):
        raise UsageError(_unknown_address_problem(address))


def export_subscribers(store: Store, newsletter: str | None) -> Iterator[str]:
    """The complete list as CSV, line by line, with those who left; `import_people` takes it back."""
    return subscriber_csv_lines(store.subscribers.iter_subscribers(newsletter))


def get_subscriber(store: Store, address: str) -> Subscriber:
    """Who has this address. Raises UsageError if nobody has."""
    subscriber = store.subscribers.find(address)
    if subscriber is None:
        raise UsageError(_unknown_address_problem(address))
    return subscriber


def get_subscriber_history(store: Store, address: str) -> tuple[HistoryEvent, ...]:
    """Changes of consent and deliveries, oldest first. Raises UsageError if nobody has the address."""
    get_subscriber(store, address)
    return store.subscribers.list_history(address)


def _unknown_address_problem(address: str) -> Problem:
    return Problem(
        code="subscriber.unknown",
        message=f"nobody with the address {address!r} is subscribed, or ever was.",
        cure="`ketapress subscribers list` shows who is.",
    )
