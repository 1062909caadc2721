"""Add, import, export, remove, erase and look up subscribers.

The `origin` of each change of consent (an operator, a file) is recorded as its evidence.
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
    """Return the named newsletters, or the only one if no name is given. Raises UsageError."""
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
                message=f"no newsletter is selected; ketapress.toml has {name_list}.",
                cure="Select one or more with --newsletter.",
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
    """Import the subscribers of a CSV file. Each line that is not blank is counted once; rejected ones have a reason.

    A line that names a newsletter, as in our export, is for that one alone; the others are for `names`, which also
    limit the import. Raises UsageError if a line has no newsletter and `names` is empty.
    """
    rows_by_newsletter: dict[str, list[ImportRow]] = {}
    rejected_rows: list[RejectedRow] = []
    for row in parse_import_rows(data):
        if isinstance(row, RejectedRow):
            rejected_rows.append(row)
        elif row.newsletter and row.newsletter not in settings.newsletters:
            reason = "there is no such newsletter in ketapress.toml"
            rejected_rows.append(RejectedRow(row.line, row.newsletter, reason))
        elif row.newsletter and names and row.newsletter not in names:
            reason = f"--newsletter selects {', '.join(names)} only"
            rejected_rows.append(RejectedRow(row.line, row.newsletter, reason))
        else:
            rows_by_newsletter.setdefault(row.newsletter, []).append(row)
    result = ImportResult(refused=tuple(rejected_rows))
    for newsletter, rows in rows_by_newsletter.items():
        newsletters = (newsletter,) if newsletter else select_newsletters(settings, names)
        result += store.subscribers.add(rows, newsletters, origin, now, dry_run=dry_run)
    return replace(result, refused=tuple(sorted(result.refused, key=lambda row: row.line or 0)))


def add_subscribers(
    store: Store,
    mailboxes: Sequence[str],
    newsletters: Sequence[str],
    origin: str,
    now: datetime,
    *,
    dry_run: bool = False,
) -> ImportResult:
    """Add subscribers by mailbox: `ada@example.org` or `Ada <ada@example.org>`. Invalid ones are rejected."""
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
    """End an address's subscriptions, to one newsletter or all, and return how many.

    Raises UsageError for an unknown address.
    """
    get_subscriber(store, address)
    return store.subscribers.remove(address, newsletter, origin, now)


def find_by_subscription(store: Store, subscription_id: int) -> Subscriber | None:
    """Return the subscriber that a link in a message belongs to; None if they were erased."""
    return store.subscribers.find_by_subscription(subscription_id)


def unsubscribe(store: Store, subscription_ids: Sequence[int], now: datetime) -> int:
    """End subscriptions by the link in a message. Return how many had not ended before.

    Their queued messages are not sent, except one whose end of data is being written now.
    """
    return sum(store.subscribers.unsubscribe(subscription_id, now) for subscription_id in subscription_ids)


def erase_subscriber(store: Store, address: str, origin: str, now: datetime) -> None:
    """Erase a subscriber. Raises UsageError for an unknown address."""
    if not store.subscribers.erase(address, origin, now):
        raise UsageError(_unknown_address_problem(address))


def export_subscribers(store: Store, newsletter: str | None) -> Iterator[str]:
    """Yield the lines of a CSV with all subscribers, including those who left, for `import_subscribers`."""
    return subscriber_csv_lines(store.subscribers.iter_subscribers(newsletter))


def get_subscriber(store: Store, address: str) -> Subscriber:
    """Return the subscriber with an address. Raises UsageError for an unknown address."""
    subscriber = store.subscribers.find(address)
    if subscriber is None:
        raise UsageError(_unknown_address_problem(address))
    return subscriber


def get_subscriber_history(store: Store, address: str) -> tuple[HistoryEvent, ...]:
    """Return the consent events and deliveries of an address, oldest first. Raises UsageError for an unknown one."""
    get_subscriber(store, address)
    return store.subscribers.list_history(address)


def _unknown_address_problem(address: str) -> Problem:
    return Problem(
        code="subscriber.unknown",
        message=f"there is no subscriber with the address {address!r}.",
        cure="List all subscribers with `ketapress subscribers list`.",
    )
