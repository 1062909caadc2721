"""Whether sending may begin at all: links that would be dead, and editions that somebody changed by hand."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ketapress.deliver.protocols import DeliveryStore, EditionStore
from ketapress.deliver.report import EditionReport, edition_report
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.errors import ConfigurationError, Problem
from ketapress.model.settings import Settings
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
