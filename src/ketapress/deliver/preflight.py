"""Check that sending may start: links must work, the sender must be real, and the outbox must be as it was composed."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ketapress.deliver.protocols import DeliveryStore, EditionStore
from ketapress.deliver.report import EditionReport, edition_report
from ketapress.model.edition import EditionState
from ketapress.model.errors import ConfigurationError, Problem, RefusedError
from ketapress.model.reserved import (
    RESERVED_CURE,
    describe_reserved_settings,
    is_reserved_domain,
    reserved_problem,
    reserved_settings,
)
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.outbox.writer import changed_files
from ketapress.settings.loader import SETTINGS_FILE


def refuse_dead_links(settings: Settings) -> None:
    """Raise ConfigurationError if mail would leave this machine without working unsubscribe links."""
    if settings.relay.url.is_local or settings.web.url.startswith("https://"):
        return
    message = (
        f"`web.url` is not an https address, but {settings.relay.url.host} is not this machine: "
        "the unsubscribe links in the mail would not work, so nothing was sent."
    )
    cure = 'Set [web] url = "https://…" to the public address of the web server.'
    raise ConfigurationError(Problem(code="settings.web-url", path=SETTINGS_FILE, message=message, cure=cure))


def refuse_reserved_test(settings: Settings, newsletter: NewsletterSettings, address: str) -> None:
    """Raise RefusedError if a test message would go from a reserved sender or site to an address that is not reserved."""
    domains = reserved_settings(settings, newsletter)
    if not domains or is_reserved_domain(address.rpartition("@")[2]):
        return
    message = f"{describe_reserved_settings(domains)} reserved for examples and tests, so nothing was sent to {address}."
    raise RefusedError(
        Problem(code="settings.reserved", path=SETTINGS_FILE, message=message, cure=RESERVED_CURE)
    )


def hold_reserved_editions(
    settings: Settings,
    editions: EditionStore,
    deliveries: DeliveryStore,
    find_unreserved_address: Callable[[str], str | None],
    now: datetime,
) -> tuple[EditionReport, ...]:
    """Hold each edition whose sender or site is reserved and that has a real subscriber, and report it.

    The sender in the composed message counts as well as the one in the settings: the message may be older.
    `find_unreserved_address` returns the address of a real subscriber of a newsletter, if there is one.
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
        name = edition.slot.edition
        reason = f"its sender or site is reserved for examples ({', '.join(dict.fromkeys(domains.values()))})"
        states = {EditionState.READY, EditionState.SENDING}
        editions.transition(edition.id, states, EditionState.HELD, reason=reason, now=now)
        problem = reserved_problem(domains, newsletter.name, address)
        problem = problem._replace(
            message=f"{name} is held: {problem.message}",
            cure=f"{problem.cure} Then run `ketapress outbox refresh {name}` and `ketapress outbox release {name}`.",
        )
        counts = deliveries.counts(edition.id)
        reports.append(
            edition_report(
                name, EditionState.HELD, counts, note="It waits for your decision.", problem=problem
            )
        )
    return tuple(reports)


def hold_tampered_editions(
    root: Path, editions: EditionStore, deliveries: DeliveryStore, now: datetime
) -> tuple[EditionReport, ...]:
    """Hold each ready edition whose files in the outbox were edited, and report it.

    The message in the store would be sent, not the edited files. A folder that is missing was not edited: it may be on
    another machine. An edition that a person has released (it has a reason) is not held again.
    """
    reports = []
    for edition in editions.list_sendable(now):
        if edition.state is not EditionState.READY or edition.reason:
            continue
        files = changed_files(root, edition.slot)
        if not files:
            continue
        name = edition.slot.edition
        reason = f"{', '.join(files)} in its outbox folder changed after it was composed"
        editions.transition(edition.id, {EditionState.READY}, EditionState.HELD, reason=reason, now=now)
        problem = Problem(
            code="outbox.changed",
            path=f"outbox/{name}/{files[0]}",
            message=f"{name} is held because {reason}. Only what was composed can be sent.",
            cure=f"`ketapress outbox release {name}` sends what was composed; "
            f"`ketapress outbox cancel {name}` returns its posts to a later edition.",
        )
        counts = deliveries.counts(edition.id)
        reports.append(
            edition_report(
                name, EditionState.HELD, counts, note="It waits for your decision.", problem=problem
            )
        )
    return tuple(reports)
