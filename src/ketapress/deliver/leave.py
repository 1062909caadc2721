"""Whether sending may begin at all: links that would be dead, and editions that somebody changed by hand."""

from datetime import datetime
from pathlib import Path

from ketapress.deliver.ledger import Editions
from ketapress.model.edition import EditionState
from ketapress.model.errors import ConfigurationError, Problem
from ketapress.model.settings import Settings
from ketapress.outbox.folder import changed_files
from ketapress.settings.file import NAME


def refuse_dead_links(settings: Settings) -> None:
    """A relay that is not on this machine gets real people's mail, and every message needs an unsubscribe link that works."""
    if settings.relay.url.local or settings.web.url.startswith("https://"):
        return
    message = (
        f"`web.url` is not an https address, but {settings.relay.url.host} is not this machine: "
        "the unsubscribe links in the mail would be dead, so nothing was sent."
    )
    cure = 'Set [web] url = "https://…" to where the web door is reached from outside.'
    raise ConfigurationError(Problem(code="settings.web-url", path=NAME, message=message, cure=cure))


def hold_changed(root: Path, editions: Editions, now: datetime) -> None:
    """Holds each ready edition whose files in the outbox are no longer what was composed.

    The letter in the row would go out, not the edited files, and whoever edited them should know. A folder that is
    gone altogether, or on another machine, is nobody's edit.
    """
    for edition in editions.sendable(now):
        if edition.state is not EditionState.READY:
            continue
        changed = changed_files(root, edition.slot)
        if changed:
            why = f"{', '.join(changed)} in its outbox folder changed after it was composed"
            editions.move(edition.id, {EditionState.READY}, EditionState.HELD, why=why, now=now)
