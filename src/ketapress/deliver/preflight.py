"""Whether sending may begin at all: links that would be dead, and editions that somebody changed by hand."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from ketapress.deliver.protocols import DeliveryStore, EditionStore
from ketapress.deliver.report import EditionReport, edition_report
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.errors import ConfigurationError, Problem, RefusedError
from ketapress.model.reserved import RESERVED_CURE, is_reserved_domain, reserved_problem, reserved_settings
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.outbox.writer import changed_files
from ketapress.settings.loader import SETTINGS_FILE


def refuse_dead_links(settings: Settings) -> None:
    """A relay that is not on this machine gets real people's mail, and every message needs an unsubscribe link that works."""
    if settings.relay.url.is_local or settings.web.url.startswith("https://"):
        return
    message = (
        f"`web.url` is not an https address, but {settings.relay.url.host} is not this machine: "
        "the unsubscribe links in the mail would be dead, so nothing was sent."
    )
    cure = 'Set [web] url = "https://…" to where the web door is reached from outside.'
    raise ConfigurationError(Problem(code="settings.web-url", path=SETTINGS_FILE, message=message, cure=cure))


def refuse_reserved_test(settings: Settings, newsletter: NewsletterSettings, address: str) -> None:
    """Refuse a test message from a reserved sender or site to a real address. Raises RefusedError."""
    domains = reserved_settings(settings, newsletter)
    if domains and not is_reserved_domain(address.rpartition("@")[2]):
        names = " and ".join(f"`{setting}` ({domain})" for setting, domain in domains.items())
        raise RefusedError(
            Problem(
                code="settings.reserved",
                path=SETTINGS_FILE,
                message=f"{names} {'is' if len(domains) == 1 else 'are'} reserved for examples and tests, so nothing was "
                f"sent to {address}.",
                cure=RESERVED_CURE,
            )
        )


def hold_reserved(
    settings: Settings,
    editions: EditionStore,
    ledger: DeliveryStore,
    find_unreserved_address: Callable[[str], str | None],
    now: datetime,
) -> tuple[EditionReport, ...]:
    """Hold each edition from a reserved sender or site that has a real subscriber, and return their reports.

    The sender is that of the settings and that of the composed message, which may be older.
    """
    reports = []
    for edition in editions.list_sendable(now):
        newsletter = settings.newsletters.get(edition.slot.newsletter)
        if newsletter is None:
            continue
        domains = reserved_settings(settings, newsletter)
        message_domain = editions.get_message_template(edition.id).sender_domain
        if is_reserved_domain(message_domain) and message_domain not in domains.values():
            domains["the sender of its message"] = message_domain
        address = find_unreserved_address(newsletter.name) if domains else None
        if address is None:
            continue
        name, problem = edition.slot.edition, reserved_problem(domains, newsletter.name, address)
        reason = f"its sender or site is reserved for examples ({', '.join(dict.fromkeys(domains.values()))})"
        cure = f"{problem.cure} Then `ketapress outbox refresh {name}` and `ketapress outbox release {name}`."
        editions.transition(
            edition.id,
            {EditionState.READY, EditionState.SENDING},
            EditionState.HELD,
            reason=reason,
            now=now,
        )
        reports.append(
            edition_report(
                name,
                EditionState.HELD,
                ledger.counts(edition.id),
                note="It waits for a person.",
                problem=problem._replace(message=f"{name} is held: {problem.message}", cure=cure),
            )
        )
    return tuple(reports)


def hold_changed(
    root: Path, editions: EditionStore, ledger: DeliveryStore, now: datetime
) -> tuple[EditionReport, ...]:
    """Holds each ready edition whose files in the outbox are no longer what was composed, and says so.

    The letter in the row would go out, not the edited files, and whoever edited them should know. A folder that is
    gone altogether, or on another machine, is nobody's edit; an edition that a person let go (its `why`) is not asked
    about again.
    """
    return tuple(
        _held(edition, changed, editions, ledger, now)
        for edition in editions.list_sendable(now)
        if edition.state is EditionState.READY
        and not edition.reason
        and (changed := changed_files(root, edition.slot))
    )


def _held(
    edition: StoredEdition,
    changed: Sequence[str],
    editions: EditionStore,
    ledger: DeliveryStore,
    now: datetime,
) -> EditionReport:
    name, why = (
        edition.slot.edition,
        f"{', '.join(changed)} in its outbox folder changed after it was composed",
    )
    editions.transition(edition.id, {EditionState.READY}, EditionState.HELD, reason=why, now=now)
    problem = Problem(
        code="outbox.changed",
        path=f"outbox/{name}/{changed[0]}",
        message=f"{name} is held, because {why}; what was composed would go out, not that.",
        cure=f"`ketapress outbox release {name}` sends what was composed; `ketapress outbox cancel {name}` gives its posts back.",
    )
    counts = ledger.counts(edition.id)
    return edition_report(name, EditionState.HELD, counts, note="It waits for a person.", problem=problem)
