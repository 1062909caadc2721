"""Check that sending may start: unsubscribe links must work, and the outbox must be as it was composed."""

from datetime import datetime
from pathlib import Path

from ketapress.deliver.protocols import DeliveryStore, EditionStore
from ketapress.deliver.report import EditionReport, edition_report
from ketapress.model.edition import EditionState
from ketapress.model.errors import ConfigurationError, Problem
from ketapress.model.settings import Settings
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
